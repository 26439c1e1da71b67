// Owns what is known of a batch while it is counted: which rows take part, and the ids of what they name.
import { BATCH_ROWS } from '../columns.ts';
import type { Columns } from '../columns.ts';
import { bucketOf } from './buckets.ts';

/** Arrays hold a value for each row that takes part, in order. One object is used for all batches. */
export class Batch {
  count = 0;
  rows: Int32Array = new Int32Array(BATCH_ROWS);
  buckets: Int32Array = new Int32Array(BATCH_ROWS);
  statuses: Int32Array = new Int32Array(BATCH_ROWS);
  routes: Int32Array = new Int32Array(BATCH_ROWS);
  slots: Int32Array = new Int32Array(BATCH_ROWS);
  hosts: Int32Array = new Int32Array(BATCH_ROWS);
  clients: Int32Array = new Int32Array(BATCH_ROWS);
  agents: Int32Array = new Int32Array(BATCH_ROWS);
  /** Over the columns' bytes. */
  view: DataView = new DataView(new ArrayBuffer(0));

  begin(columns: Columns): void {
    this.count = 0;
    const { buffer, byteOffset, byteLength } = columns.bytes;
    if (this.view.buffer !== buffer || this.view.byteOffset !== byteOffset || this.view.byteLength !== byteLength) this.view = new DataView(buffer, byteOffset, byteLength);
    if (columns.rows > this.rows.length) for (const name of ['rows', 'buckets', 'statuses', 'routes', 'slots', 'hosts', 'clients', 'agents'] as const) this[name] = new Int32Array(columns.rows);
  }

  /** Once the rows are chosen. */
  bucketsOf({ taken }: Columns): void {
    const { rows, buckets, count } = this;
    for (let i = 0; i < count; i += 1) buckets[i] = bucketOf(taken[rows[i] as number] as number);
  }
}
