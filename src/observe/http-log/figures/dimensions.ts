// Owns the other things that rows are counted by: host, client, agent family, referring host and source file.
import { hashOf } from '../columns.ts';
import type { Columns, TextColumn } from '../columns.ts';
import { agentFamily } from './agent-family.ts';
import type { Batch } from './batch.ts';
import { Histograms } from './histograms.ts';
import type { HistogramsState } from './histograms.ts';
import { Memo } from './memo.ts';
import { printable } from './routes.ts';
import { ABSENT_TEXT, FAILURES, MAX, TextCounts, WIDTH } from './text-counts.ts';
import type { TextCountsState } from './text-counts.ts';

/** Told apart at once (see TextCounts). */
export const MAX_HOSTS = 2_048, MAX_CLIENTS = 32_768, MAX_FAMILIES = 512, MAX_REFERRERS = 8_192;
const MEMO_SLOTS = 4_096;
const COLON = 58, SLASH = 47, QUERY = 63, HASH = 35, AT = 64;
const MAX_HOST_BYTES = 255;
const ROLES = { hosts: 'host', clients: 'client', agents: 'agent', referrers: 'referrer' } as const;

export interface SourceCounts { rows: number; failures: number; longest: number }
export interface DimensionsState { hosts: TextCountsState; clients: TextCountsState; agents: TextCountsState; referrers: TextCountsState; sources: [number, SourceCounts][]; sourcesTaken: HistogramsState }

export class Dimensions {
  readonly hosts = new TextCounts({ most: MAX_HOSTS, width: WIDTH, taken: true });
  readonly clients = new TextCounts({ most: MAX_CLIENTS, width: WIDTH, taken: false });
  readonly agents = new TextCounts({ most: MAX_FAMILIES, width: WIDTH, taken: true });
  readonly referrers = new TextCounts({ most: MAX_REFERRERS, width: WIDTH, taken: false });
  readonly sources = new Map<number, SourceCounts>();
  readonly sourcesTaken = new Histograms();
  /** Only where the columns are looked at here: what the kernel asks it remembers itself. */
  #families: Memo | undefined;
  #referringHosts: Memo | undefined;
  readonly #scratch = new Uint8Array(MAX_HOST_BYTES);
  readonly #scratchView = new DataView(this.#scratch.buffer);
  #ids = new Int32Array(0);

  get sizeBytes(): number {
    return this.hosts.sizeBytes + this.clients.sizeBytes + this.agents.sizeBytes + this.referrers.sizeBytes + this.sourcesTaken.sizeBytes + (this.#families?.sizeBytes ?? 0) + (this.#referringHosts?.sizeBytes ?? 0);
  }

  /** Counts a batch, and says which host, client and agent its rows have. */
  add(columns: Columns, batch: Batch, source: number): void {
    if (this.#ids.length < batch.rows.length) this.#ids = new Int32Array(batch.rows.length);
    this.#find(columns, batch);
    countTexts(this.hosts, columns, batch, batch.hosts, true);
    countTexts(this.clients, columns, batch, batch.clients, false);
    countTexts(this.agents, columns, batch, batch.agents, true);
    countTexts(this.referrers, columns, batch, this.#ids, false);
    this.#source(columns, batch, source);
  }

  /** Which texts the rows have. */
  #find(columns: Columns, batch: Batch): void {
    const { bytes, text } = columns;
    this.hosts.idsOf(text.host, columns, batch, batch.hosts);
    this.clients.idsOf(text.client, columns, batch, batch.clients);
    this.#remembered(text.agent, columns, batch, { memo: this.#families ??= new Memo(MEMO_SLOTS), into: batch.agents, judge: (from, size) => this.#family(bytes, from, size) });
    this.#remembered(text.referrer, columns, batch, { memo: this.#referringHosts ??= new Memo(MEMO_SLOTS), into: this.#ids, judge: (from, size) => this.#referringHost(bytes, from, size) });
  }

  /** Id of one row's text. */
  judge(kind: 'hosts' | 'clients' | 'agents' | 'referrers', { bytes, text }: Columns, view: DataView, row: number): number {
    const { from, to, hash } = text[ROLES[kind]], begin = from[row] as number, size = (to[row] as number) - begin;
    if (kind === 'agents') return this.#family(bytes, begin, size);
    if (kind === 'referrers') return this.#referringHost(bytes, begin, size);
    return this[kind].idOf(hash[row] as number, bytes, view, begin, size);
  }

  /** There are too many of one kind. */
  get crowded(): boolean { return this.hosts.crowded || this.clients.crowded || this.agents.crowded || this.referrers.crowded; }

  prune(): { hosts: Int32Array | undefined; clients: Int32Array | undefined; agents: Int32Array | undefined } {
    const agents = this.agents.prune();
    if (agents) this.#families?.clear();
    if (this.referrers.prune()) this.#referringHosts?.clear();
    return { hosts: this.hosts.prune(), clients: this.clients.prune(), agents };
  }

  state(): DimensionsState {
    const { hosts, clients, agents, referrers, sources, sourcesTaken } = this;
    return { hosts: hosts.state(), clients: clients.state(), agents: agents.state(), referrers: referrers.state(), sources: [...sources], sourcesTaken: sourcesTaken.state(Math.max(-1, ...sources.keys()) + 1) };
  }

  merge(state: DimensionsState, sourceOf: (source: number) => number): { hosts: Int32Array; clients: Int32Array; agents: Int32Array } {
    for (const [source, there] of state.sources) this.countSource(sourceOf(source), there);
    this.sourcesTaken.merge(state.sourcesTaken, sourceOf);
    this.referrers.merge(state.referrers);
    return { hosts: this.hosts.merge(state.hosts), clients: this.clients.merge(state.clients), agents: this.agents.merge(state.agents) };
  }

  #sourceCounts(source: number): SourceCounts {
    const known = this.sources.get(source) ?? { rows: 0, failures: 0, longest: 0 };
    this.sources.set(source, known);
    this.sourcesTaken.reserve(source + 1);
    return known;
  }

  #source({ status, taken }: Columns, { rows, count, buckets }: Batch, source: number): void {
    let failures = 0, longest = 0;
    for (let i = 0; i < count; i += 1) {
      const row = rows[i] as number, ms = taken[row] as number;
      if ((status[row] as number) >= 500) failures += 1;
      if (ms > longest) longest = ms;
    }
    this.countSource(source, { rows: count, failures, longest });
    this.sourcesTaken.addEach(this.#ids.fill(source, 0, count), buckets, count);
  }

  /** Rows of a source, but their times taken. */
  countSource(source: number, { rows, failures, longest }: SourceCounts): void {
    const counts = this.#sourceCounts(source);
    counts.rows += rows;
    counts.failures += failures;
    counts.longest = Math.max(counts.longest, longest);
  }

  #remembered({ from, to, hash }: TextColumn, { bytes }: Columns, { rows, count, view }: Batch, use: { memo: Memo; into: Int32Array; judge(from: number, size: number): number }): void {
    const { memo, into } = use;
    memo.guess(hash, rows, count, into);
    for (let i = 0; i < count; i += 1) {
      const row = rows[i] as number, begin = from[row] as number, size = (to[row] as number) - begin;
      if (size <= 0) { into[i] = ABSENT_TEXT; continue; }
      let id = memo.get(into[i] as number, 0, view, begin, size);
      if (id < 0) {
        id = use.judge(begin, size);
        if (id >= 0) memo.set(hash[row] as number, 0, bytes, begin, size, id);
      }
      into[i] = id;
    }
  }

  #family(bytes: Uint8Array, from: number, size: number): number {
    const family = Buffer.from(agentFamily(printable(bytes.subarray(from, from + Math.min(size, 1_000)))));
    return this.agents.idOf(hashOf(family, 0, family.length), family, new DataView(family.buffer, family.byteOffset, family.length), 0, family.length);
  }

  /** Host and port of the URL that a user came from, in small letters; what has no scheme counts as it is up to its first slash. */
  #referringHost(bytes: Uint8Array, from: number, size: number): number {
    const end = from + size;
    let at = from;
    for (let i = from; i + 2 < end && i < from + 16; i += 1) if (bytes[i] === COLON && bytes[i + 1] === SLASH && bytes[i + 2] === SLASH) { at = i + 3; break; }
    let length = 0;
    for (; at < end && length < MAX_HOST_BYTES; at += 1) {
      const code = bytes[at] as number;
      if (code === SLASH || code === QUERY || code === HASH) break;
      if (code === AT) { length = 0; continue; }                // what stands before it is a name and maybe a password
      this.#scratch[length] = code >= 65 && code <= 90 ? code + 32 : code;
      length += 1;
    }
    if (length === 0) return ABSENT_TEXT;
    return this.referrers.idOf(hashOf(this.#scratch, 0, length), this.#scratch, this.#scratchView, 0, length);
  }
}

function countTexts(counts: TextCounts, { status, taken }: Columns, { rows, count, buckets }: Batch, ids: Int32Array, times: boolean): void {
  const { values } = counts;
  for (let i = 0; i < count; i += 1) {
    const id = ids[i] as number;
    if (id < 0) { if (id !== ABSENT_TEXT) countText(counts.others, 0, status[rows[i] as number] as number, 0); continue; }
    const row = rows[i] as number;
    countText(values, id * WIDTH, status[row] as number, taken[row] as number);
  }
  if (times) counts.taken.addEach(ids, buckets, count);
}

function countText(values: Float64Array, at: number, status: number, taken: number): void {
  values[at] = (values[at] as number) + 1;
  if (status >= 500) values[at + FAILURES] = (values[at + FAILURES] as number) + 1;
  if (taken > (values[at + MAX] as number)) values[at + MAX] = taken;
}
