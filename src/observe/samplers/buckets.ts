// Owns the request metrics by time: rows that come late amend the seconds, tens and minutes they belong to.
import { TIERS } from '../../shared/metrics.ts';
import type { Sample } from '../../shared/model.ts';
import { ABSENT } from '../http-log/columns.ts';
import type { Columns } from '../http-log/columns.ts';
import { Histogram } from '../http-log/figures/histogram.ts';
import type { Values } from './process.ts';

/** How late a row may come: App Service flushes once a minute; ten minutes bear a share that was away for a while. */
export const LATE_MS = 600_000;
/** Rows further ahead than this come from a clock that is wrong. */
const AHEAD_MS = 60_000;
const COARSEST_MS = 60_000;

/** What of rows is counted; numbers may be ABSENT. */
export type Counted = Pick<Columns, 'at' | 'status' | 'taken' | 'sent' | 'received'>;

interface Tier { readonly stepMs: number; readonly slots: Map<number, Bucket>; readonly dirty: Set<number> }
interface Bucket { rows: number; readonly families: number[]; sent: number; sentRows: number; received: number; receivedRows: number; taken: Histogram | undefined }

export class RequestBuckets {
  readonly #tiers: readonly Tier[] = TIERS.map(({ stepMs }) => ({ stepMs, slots: new Map<number, Bucket>(), dirty: new Set<number>() }));
  #now = 0;
  #forgottenTo = -Infinity;
  #newestAt = -Infinity;

  /** Slots held over all steps: at most (LATE_MS + 2 min) / step of each. */
  get size(): number { return this.#tiers.reduce((sum, tier) => sum + tier.slots.size, 0); }
  /** Rows and seconds before this instant are not taken any more. */
  get oldest(): number { return Math.floor((this.#now - LATE_MS) / COARSEST_MS) * COARSEST_MS; }
  /** Of the rows that were counted. */
  get newestAt(): number { return this.#newestAt; }

  /** Moves the window on: what is older than LATE_MS is forgotten. Drain first. */
  move(now: number): void {
    this.#now = Math.max(this.#now, now);
    const { oldest } = this;
    if (oldest === this.#forgottenTo) return;
    this.#forgottenTo = oldest;
    for (const { slots, dirty } of this.#tiers) {
      for (const at of slots.keys()) if (at < oldest) { slots.delete(at); dirty.delete(at); }
    }
  }

  /** Counts the rows at the first `size` places; how many of them lie outside of what can be amended. */
  add(rows: Counted, places: Int32Array, size: number): number {
    let outside = 0;
    for (let from = 0, to = 0; from < size; from = to) {
      const at = rows.at[places[from] as number] as number;
      for (to = from + 1; to < size && rows.at[places[to] as number] === at;) to += 1;
      if (at < this.oldest || at > this.#now + AHEAD_MS) { outside += to - from; continue; }
      if (at > this.#newestAt) this.#newestAt = at;
      for (const tier of this.#tiers) count(this.#touch(tier, at), rows, places, from, to);
    }
    return outside;
  }

  /** The second is known: without rows it had 0 requests. */
  known(at: number): void {
    if (at < this.oldest) return;
    for (const tier of this.#tiers) {
      const slot = Math.floor(at / tier.stepMs) * tier.stepMs;
      if (!tier.slots.has(slot)) this.#touch(tier, at);
    }
  }

  /** What changed since the last time, oldest first: whole values, to replace those of the slot. */
  *drain(): Generator<{ readonly stepMs: number; readonly sample: Sample }> {
    for (const { stepMs, slots, dirty } of this.#tiers) {
      for (const at of [...dirty].sort((a, b) => a - b)) {
        const bucket = slots.get(at);
        if (bucket !== undefined) yield { stepMs, sample: { at, values: valuesOf(bucket) } };
      }
      dirty.clear();
    }
  }

  #touch(tier: Tier, at: number): Bucket {
    const slot = Math.floor(at / tier.stepMs) * tier.stepMs;
    let bucket = tier.slots.get(slot);
    if (bucket === undefined) {
      bucket = { rows: 0, families: [0, 0, 0, 0, 0, 0], sent: 0, sentRows: 0, received: 0, receivedRows: 0, taken: undefined };
      tier.slots.set(slot, bucket);
    }
    tier.dirty.add(slot);
    return bucket;
  }
}

/** The rows at places[from, to). */
function count(bucket: Bucket, rows: Counted, places: Int32Array, from: number, to: number): void {
  const { families } = bucket;
  const { status, sent, received } = rows;
  bucket.rows += to - from;
  for (let i = from; i < to; i += 1) {
    const place = places[i] as number;
    const family = Math.min(5, Math.floor((status[place] as number) / 100));
    families[family] = (families[family] as number) + 1;
    const sentBytes = sent[place] as number, receivedBytes = received[place] as number;
    if (sentBytes !== ABSENT) { bucket.sent += sentBytes; bucket.sentRows += 1; }
    if (receivedBytes !== ABSENT) { bucket.received += receivedBytes; bucket.receivedRows += 1; }
  }
  (bucket.taken ??= new Histogram()).addAt(rows.taken, places, from, to);
}

function valuesOf(bucket: Bucket): Values {
  const [, , ok, redirected, refused, failed] = bucket.families as [number, number, number, number, number, number];
  const values: Values = { 'http.requests': bucket.rows, 'http.2xx': ok, 'http.3xx': redirected, 'http.4xx': refused, 'http.5xx': failed };
  if (bucket.sentRows > 0 || bucket.rows === 0) values['http.bytes-sent'] = bucket.sent;
  if (bucket.receivedRows > 0 || bucket.rows === 0) values['http.bytes-received'] = bucket.received;
  const { taken } = bucket;
  if (taken === undefined || taken.mean === undefined) return values;
  const [p50, p95, p99] = taken.quantiles([0.5, 0.95, 0.99]) as [number, number, number];
  values['http.response-average'] = taken.mean;
  values['http.response-p50'] = p50;
  values['http.response-p95'] = p95;
  values['http.response-p99'] = p99;
  values['http.response-max'] = taken.max;
  return values;
}
