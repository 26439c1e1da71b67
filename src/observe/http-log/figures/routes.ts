// Owns counting by method and route: the path is folded once while it is remembered, then a row is one look-up.
import { hashOf } from '../columns.ts';
import type { Columns } from '../columns.ts';
import { ROUTE_TEXT_AT } from '../kernel/layout.ts';
import type { Batch } from './batch.ts';
import { RouteFold } from './fold.ts';
import { Histograms } from './histograms.ts';
import type { HistogramsState } from './histograms.ts';
import { Memo } from './memo.ts';
import { ByteTable } from './byte-table.ts';
import type { ByteTableState } from './byte-table.ts';
import { CLIENT_ERRORS, COUNT, FAILURES, MAX, METHOD, ROUTE_WIDTH, SENT, SENT_ROWS, TextCounts } from './text-counts.ts';
import type { TextCountsState } from './text-counts.ts';

/** Routes counted one by one at once (see TextCounts). A site has hundreds; a scanner's junk is without end. */
export const MAX_ROUTES = 8_192;
const MEMO_SLOTS = 16_384;
/** Methods told apart: HTTP has some forty, scanners make up more. The last one is for the rest. */
const MAX_METHODS = 64;
const MAX_METHOD_BYTES = 32;
export const OTHER_METHODS = '(others)';
const SPACE = 32;
const ELSE = Buffer.from('(others)');
const NONE = Uint8Array.of(45), ROOT = Uint8Array.of(47);
const NONE_VIEW = new DataView(NONE.buffer);

export interface RoutesState { counts: TextCountsState; methods: ByteTableState; letGo: Float64Array; letGoTaken: HistogramsState }

export class Routes {
  readonly counts: TextCounts;
  readonly methods = new ByteTable(MAX_METHODS);
  /** Per method, what was let go: count, failures, longest. */
  readonly letGo = new Float64Array((MAX_METHODS + 1) * 3);
  readonly letGoTaken = new Histograms();
  /** Only where find() looks: what the kernel asks it remembers itself. */
  #memo: Memo | undefined;
  readonly #fold = new RouteFold();
  #verbs = new Int32Array(0);
  readonly #view = new DataView(this.#fold.bytes.buffer);

  constructor() {
    this.counts = new TextCounts({ most: MAX_ROUTES, width: ROUTE_WIDTH, taken: true, letGo: (id) => this.#letGo(id) });
    this.letGoTaken.reserve(MAX_METHODS + 1);
  }

  get sizeBytes(): number { return this.counts.sizeBytes + this.letGoTaken.sizeBytes + (this.#memo?.sizeBytes ?? 0); }

  /** Route ids of these rows. */
  find(columns: Columns, view: DataView, rows: Int32Array, count: number, into: Int32Array): void {
    const { bytes, text: { path, method } } = columns;
    if (this.#verbs.length < count) this.#verbs = new Int32Array(rows.length);
    const verbs = this.#verbs;
    for (let i = 0; i < count; i += 1) {
      const row = rows[i] as number, from = method.from[row] as number, size = (method.to[row] as number) - from;
      verbs[i] = size > 0 ? this.#method(method.hash[row] as number, bytes, view, from, size) : this.#method(NO_METHOD, NONE, NONE_VIEW, 0, 1);
    }
    const memo = this.#memo ??= new Memo(MEMO_SLOTS);
    memo.guess(path.hash, rows, count, into, verbs);
    for (let i = 0; i < count; i += 1) {
      const row = rows[i] as number, verb = verbs[i] as number, from = path.from[row] as number, size = (path.to[row] as number) - from;
      const known = size > 0 ? memo.get(into[i] as number, verb, view, from, size) : -1;
      if (known >= 0) { into[i] = known; continue; }
      const id = into[i] = this.#judge(verb, bytes, from, size);
      if (size > 0 && id >= 0) memo.set(path.hash[row] as number, verb, bytes, from, size, id);
    }
  }

  /** Route id of one row. `folded`: size and hash of its route, where the kernel wrote it (else 0). */
  judge({ bytes, text: { method, path } }: Columns, view: DataView, row: number, folded: Int32Array): number {
    const at = method.from[row] as number, length = (method.to[row] as number) - at, from = path.from[row] as number, size = (path.to[row] as number) - from;
    const verb = length > 0 ? this.#method(method.hash[row] as number, bytes, view, at, length) : this.#method(NO_METHOD, NONE, NONE_VIEW, 0, 1);
    const written = verb === MAX_METHODS ? 0 : folded[0] as number;
    const id = written === 0 ? -1 : this.counts.idOf(folded[1] as number, bytes, view, ROUTE_TEXT_AT, written);
    if (id < 0) return this.#judge(verb, bytes, from, size);
    this.counts.values[id * ROUTE_WIDTH + METHOD] = verb;
    return id;
  }

  /** Between batches. */
  prune(): Int32Array | undefined {
    const into = this.counts.prune();
    if (into) this.#memo?.clear();
    return into;
  }

  /** "GET /cart" as method and route. */
  name(id: number): { method: string; route: string } {
    const { buffer, byteOffset, byteLength } = this.counts.texts.bytes(id);
    const text = Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
    const space = text.indexOf(' ');
    return { method: text.slice(0, space), route: text.slice(space + 1) };
  }

  methodName(id: number): string {
    return id === MAX_METHODS ? OTHER_METHODS : printable(this.methods.bytes(id));
  }

  /** Numbers of the methods, that for the rest included. */
  methodIds(): number[] {
    return [...Array.from({ length: this.methods.size }, (_, id) => id), MAX_METHODS];
  }

  state(): RoutesState {
    return { counts: this.counts.state(), methods: this.methods.state(), letGo: this.letGo.slice(), letGoTaken: this.letGoTaken.state(MAX_METHODS + 1) };
  }

  /** Ids here of the ids there. */
  merge(state: RoutesState): Int32Array {
    const numbers = this.methods.merge(state.methods);
    const methodOf = (id: number): number => { const here = id === MAX_METHODS ? id : numbers[id] ?? -1; return here < 0 ? MAX_METHODS : here; };
    const values = state.counts.values.slice();
    for (let at = METHOD; at < values.length; at += ROUTE_WIDTH) values[at] = methodOf(values[at] as number);
    for (let id = 0; id <= MAX_METHODS; id += 1) {
      const from = id * 3;
      if (state.letGo[from] !== 0) this.#count(methodOf(id), { count: state.letGo[from] as number, failures: state.letGo[from + 1] as number, longest: state.letGo[from + 2] as number });
    }
    this.letGoTaken.merge(state.letGoTaken, methodOf);
    return this.counts.merge({ ...state.counts, values });
  }

  #method(hash: number, bytes: Uint8Array, view: DataView, from: number, size: number): number {
    const id = this.methods.numberOf(hash, bytes, view, from, size < MAX_METHOD_BYTES ? size : MAX_METHOD_BYTES);
    return id < 0 ? MAX_METHODS : id;
  }

  #judge(method: number, bytes: Uint8Array, from: number, size: number): number {
    const name = method === MAX_METHODS ? Buffer.from(OTHER_METHODS) : this.methods.bytes(method);
    const fold = this.#fold;
    for (let i = 0; i < name.length; i += 1) fold.bytes[i] = name[i] === SPACE ? 95 : name[i] as number;
    fold.bytes[name.length] = SPACE;
    const end = size > 0 ? fold.write(name.length + 1, bytes, from, from + size) : fold.write(name.length + 1, ROOT, 0, 1);
    let id = this.counts.idOf(hashOf(fold.bytes, 0, end), fold.bytes, this.#view, 0, end);
    if (id < 0) {
      // Made on purpose to collide: they are one route.
      fold.bytes.set(ELSE, name.length + 1);
      const last = name.length + 1 + ELSE.length;
      id = this.counts.idOf(hashOf(fold.bytes, 0, last), fold.bytes, this.#view, 0, last);
      if (id < 0) return -1;
    }
    this.counts.values[id * ROUTE_WIDTH + METHOD] = method;
    return id;
  }

  #letGo(id: number): void {
    const { values, taken } = this.counts, at = id * ROUTE_WIDTH;
    const method = values[at + METHOD] as number;
    this.#count(method, { count: values[at + COUNT] as number, failures: values[at + FAILURES] as number, longest: values[at + MAX] as number });
    this.letGoTaken.mergeFrom(taken, id, method);
  }

  #count(method: number, { count, failures, longest }: { count: number; failures: number; longest: number }): void {
    const at = method * 3;
    this.letGo[at] = (this.letGo[at] as number) + count;
    this.letGo[at + 1] = (this.letGo[at + 1] as number) + failures;
    this.letGo[at + 2] = Math.max(this.letGo[at + 2] as number, longest);
  }
}

const NO_METHOD = hashOf(NONE, 0, 1);

/** Counts a batch's rows to their routes; rows of -1 to the others. */
export function countRoutes(counts: TextCounts, { status, sent, taken }: Columns, { rows, count, routes, buckets }: Batch): void {
  const { values } = counts;
  for (let i = 0; i < count; i += 1) {
    const row = rows[i] as number, id = routes[i] as number;
    if (id < 0) { countRoute(counts.others, 0, status[row] as number, sent[row] as number, taken[row] as number); continue; }
    countRoute(values, id * ROUTE_WIDTH, status[row] as number, sent[row] as number, taken[row] as number);
  }
  counts.taken.addEach(routes, buckets, count);
}

function countRoute(values: Float64Array, at: number, status: number, sent: number, taken: number): void {
  values[at] = (values[at] as number) + 1;
  if (status >= 500) values[at + FAILURES] = (values[at + FAILURES] as number) + 1;
  else if (status >= 400) values[at + CLIENT_ERRORS] = (values[at + CLIENT_ERRORS] as number) + 1;
  if (sent >= 0) {
    values[at + SENT] = (values[at + SENT] as number) + sent;
    values[at + SENT_ROWS] = (values[at + SENT_ROWS] as number) + 1;
  }
  if (taken > (values[at + MAX] as number)) values[at + MAX] = taken;
}

/** Bytes of a log as text: UTF-8, else Latin-1. */
export function printable(bytes: Uint8Array): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = view.toString('utf8');
  return text.includes('\uFFFD') ? view.toString('latin1') : text;
}
