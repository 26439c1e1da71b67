// Owns counting by what stood behind the server that wrote the log: which status the upstream gave, which became of it, and how long it took.
import type { HttpReport } from '../../../shared/http-report.ts';
import { ABSENT, NO_UPSTREAM } from '../columns.ts';
import type { Columns } from '../columns.ts';
import type { Batch } from './batch.ts';
import { bucketOf } from './buckets.ts';
import { Histograms } from './histograms.ts';
import type { HistogramsState } from './histograms.ts';

/** Pairs of statuses told apart; rows of further ones are counted together. */
const MAX_PAIRS = 500;
const STATUSES = 1_000;
/** Ids of the histograms: time in the upstream, and time taken of the same rows. */
const UPSTREAM = 0, TOTAL = 1;

export interface UpstreamsState { pairs: Float64Array; others: number; longest: Float64Array; whole: boolean; taken: HistogramsState }

export class Upstreams {
  readonly #pairs = new Map<number, number>();
  #others = 0;
  /** Longest time of each histogram. */
  readonly #longest = new Float64Array(2);
  #whole = true;
  readonly #taken = new Histograms();
  #ids = new Int32Array(0);
  #buckets = new Int32Array(0);

  constructor() {
    this.#taken.reserve(2);
  }

  get sizeBytes(): number { return this.#taken.sizeBytes + this.#pairs.size * 40; }

  add({ upstream, status, taken }: Columns, { rows, count, buckets }: Batch): void {
    if (upstream === undefined) return;
    if (this.#ids.length < rows.length) { this.#ids = new Int32Array(rows.length); this.#buckets = new Int32Array(rows.length); }
    const ids = this.#ids, own = this.#buckets;
    let timed = 0;
    for (let i = 0; i < count; i += 1) {
      const row = rows[i] as number, said = upstream.status[row] as number, ms = upstream.taken[row] as number;
      if (said !== ABSENT) this.#count((status[row] as number) * STATUSES + said, 1);
      ids[i] = ms >= 0 ? TOTAL : -1;
      own[i] = bucketOf(ms);
      if (ms < 0) continue;
      timed += 1;
      this.#longer(ms, taken[row] as number);
    }
    if (timed === 0) return;
    this.#taken.addEach(ids, buckets, count);
    for (let i = 0; i < count; i += 1) if (ids[i] === TOTAL) ids[i] = UPSTREAM;
    this.#taken.addEach(ids, own, count);
  }

  state(): UpstreamsState {
    return { pairs: Float64Array.from([...this.#pairs].flat()), others: this.#others, longest: this.#longest.slice(), whole: this.#whole, taken: this.#taken.state(2) };
  }

  merge({ pairs, others, longest, whole, taken }: UpstreamsState): void {
    for (let i = 0; i < pairs.length; i += 2) this.#count(pairs[i] as number, pairs[i + 1] as number);
    this.#others += others;
    longest.forEach((ms, id) => { this.#longest[id] = Math.max(this.#longest[id] as number, ms); });
    this.#whole &&= whole;
    this.#taken.merge(taken, (id) => id);
  }

  /** Undefined when no row said anything of an upstream. */
  told(): HttpReport['upstream'] {
    const took = this.#quantiles(UPSTREAM), total = this.#quantiles(TOTAL);
    if (this.#pairs.size === 0 && took.max === undefined) return undefined;
    const pairs = [...this.#pairs].map(([key, count]) => ({ status: Math.floor(key / STATUSES), said: key % STATUSES, count })).sort((a, b) => b.count - a.count || a.status - b.status || a.said - b.said);
    const failures = { ofUpstream: 0, ofServer: 0, withoutUpstream: 0 };
    for (const { status, said, count } of pairs) if (status >= 500) failures[said >= 500 ? 'ofUpstream' : said === NO_UPSTREAM ? 'withoutUpstream' : 'ofServer'] += count;
    return {
      statuses: pairs.map(({ status, said, count }) => ({ status, ...(said === NO_UPSTREAM ? {} : { upstream: said }), count })),
      ...(this.#others > 0 ? { others: this.#others } : {}), failures, took, total,
    };
  }

  #quantiles(id: number): ReturnType<Histograms['quantiles']> {
    return this.#taken.quantiles([id], this.#longest[id] as number, this.#whole);
  }

  #count(key: number, times: number): void {
    const known = this.#pairs.get(key);
    if (known === undefined && this.#pairs.size >= MAX_PAIRS) this.#others += times;
    else this.#pairs.set(key, (known ?? 0) + times);
  }

  #longer(upstreamMs: number, takenMs: number): void {
    if (upstreamMs > (this.#longest[UPSTREAM] as number)) this.#longest[UPSTREAM] = upstreamMs;
    if (takenMs > (this.#longest[TOTAL] as number)) this.#longest[TOTAL] = takenMs;
    if (this.#whole && !(Number.isInteger(upstreamMs) && Number.isInteger(takenMs))) this.#whole = false;
  }
}
