// Owns the reading of a log into plain rows, for tests that look at each of them.
import { ABSENT, TEXT_ROLES } from '../../src/observe/http-log/columns.ts';
import type { Columns, LogFormat, LogReader, ReaderOptions } from '../../src/observe/http-log/columns.ts';

/** Only what the row says: absent numbers and texts are left out. */
export type PlainRow = Readonly<Record<string, string | number>>;

export function plainRow(columns: Columns, row: number): PlainRow {
  const found: Record<string, string | number> = { offset: columns.offset[row] as number, at: columns.at[row] as number, status: columns.status[row] as number };
  for (const name of ['sub', 'win32', 'taken', 'sent', 'received'] as const) if (columns[name][row] !== ABSENT) found[name] = columns[name][row] as number;
  for (const role of TEXT_ROLES) {
    const from = columns.text[role].from[row] as number, to = columns.text[role].to[row] as number;
    if (to > from) found[role] = Buffer.from(columns.bytes.subarray(from, to)).toString();
  }
  return found;
}

export function readRows(format: LogFormat, pieces: readonly (string | Uint8Array)[], options: Partial<ReaderOptions> = {}): { rows: PlainRow[]; reader: LogReader } {
  const rows: PlainRow[] = [];
  const reader = format.reader({ sink: (columns) => { for (let row = 0; row < columns.rows; row += 1) rows.push(plainRow(columns, row)); }, ...options });
  for (const piece of pieces) reader.write(typeof piece === 'string' ? Buffer.from(piece) : piece);
  reader.end();
  return { rows, reader };
}
