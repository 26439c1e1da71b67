// Owns the filling of one row of the columns: what each piece of a line means, whatever format it stands in.
import { ABSENT, NO_UPSTREAM, hashOf } from '../columns.ts';
import type { FullColumns, TextColumn, TextRole } from '../columns.ts';
import { BAD, UNSAID, count, durationMs, epochMs, inMs, sumOfSeconds } from './numbers.ts';
import { anyAt, bounded, isoAt, ncsaAt } from './times.ts';

const DASH = 45, QUESTION = 63, SPACE = 32, SLASH = 47, COLON = 58, COMMA = 44;
/** Methods are tokens; a longer one is garbage in a request line. */
const MAX_METHOD_BYTES = 32;

/** What a piece of a line means. Pieces that nobody counts are 'skip'. */
export type Meaning =
  | { readonly is: 'skip' }
  /** Must be a number; nobody counts it. */
  | { readonly is: 'digits' }
  | { readonly is: 'text'; readonly role: TextRole }
  /** The first of a list that is parted by commas. */
  | { readonly is: 'first-of-list'; readonly role: TextRole }
  /** The last segment of a path, as in an Azure resource id. */
  | { readonly is: 'last-segment'; readonly role: TextRole }
  /** Path and query. */
  | { readonly is: 'uri' }
  /** A query that keeps its `?`. */
  | { readonly is: 'asked' }
  /** Method, path and query, protocol. */
  | { readonly is: 'request' }
  | { readonly is: 'number'; readonly column: 'status' | 'sub' | 'win32' | 'sent' | 'received'; readonly dashIsZero?: boolean }
  /** `perMs` units make a ms; `text`: units may be written ("12.3ms"). */
  | { readonly is: 'taken'; readonly perMs: number; readonly text?: boolean }
  /** Time in upstreams: `perMs` units make a ms; without it nginx's list over several ones, in seconds, which also tells the time taken where nothing else does. */
  | { readonly is: 'upstream-taken'; readonly perMs?: number }
  /** Status of an upstream, or nginx's list over several. `text`: what is told of the upstream where nothing names it. */
  | { readonly is: 'upstream-status'; readonly text: boolean }
  | { readonly is: 'at-ncsa' } | { readonly is: 'at-iso' } | { readonly is: 'at-any' } | { readonly is: 'at-epoch'; readonly perMs: number };

/** Roles whose hash the figures need. */
const HASHED: ReadonlySet<TextRole> = new Set(['method', 'path', 'client', 'agent', 'host', 'site', 'referrer']);

/** Writes into row `columns.rows`. The first of several pieces that mean the same and say something is taken. */
export class RowWriter {
  readonly #columns: FullColumns;
  readonly #texts: readonly TextColumn[];
  readonly #hashed: ReadonlyMap<TextColumn, boolean>;
  #row = 0;

  constructor(columns: FullColumns) {
    this.#columns = columns;
    this.#texts = Object.values(columns.text);
    this.#hashed = new Map((Object.keys(columns.text) as TextRole[]).map((role) => [columns.text[role], HASHED.has(role)]));
  }

  begin(offset: number): void {
    const columns = this.#columns;
    const row = columns.rows;
    this.#row = row;
    columns.offset[row] = offset;
    columns.at[row] = ABSENT;
    columns.status[row] = ABSENT;
    columns.sub[row] = ABSENT;
    columns.win32[row] = ABSENT;
    columns.taken[row] = ABSENT;
    columns.sent[row] = ABSENT;
    columns.received[row] = ABSENT;
    columns.upstream.status[row] = ABSENT;
    columns.upstream.taken[row] = ABSENT;
    for (const text of this.#texts) { text.from[row] = 0; text.to[row] = 0; text.hash[row] = 0; }
  }

  /** A row can be placed in time and judged. */
  whole(): boolean {
    const status = this.#columns.status[this.#row] as number;
    return (this.#columns.at[this.#row] as number) >= 0 && status >= 0 && status <= 999;
  }

  /** An instant made of several pieces. */
  at(at: number): boolean {
    if (bounded(at) < 0) return false;
    this.#columns.at[this.#row] = at;
    return true;
  }

  /** False when the piece is not what it must be; a piece that says nothing is well. */
  put(meaning: Meaning, bytes: Uint8Array, from: number, to: number): boolean {
    const columns = this.#columns;
    switch (meaning.is) {
      case 'skip': return true;
      case 'digits': return count(bytes, from, to) >= 0;
      case 'text': this.#text(columns.text[meaning.role], bytes, from, to); return true;
      case 'first-of-list': this.#text(columns.text[meaning.role], bytes, from, firstOfList(bytes, from, to)); return true;
      case 'last-segment': this.#text(columns.text[meaning.role], bytes, lastSegment(bytes, from, to), to); return true;
      case 'uri': this.#uri(bytes, from, to); return true;
      case 'asked': this.#text(columns.text.query, bytes, from < to && bytes[from] === QUESTION ? from + 1 : from, to); return true;
      case 'request': this.#request(bytes, from, to); return true;
      case 'number': return this.#number(meaning.column === 'status' ? columns.status : meaning.column === 'sub' ? columns.sub : meaning.column === 'win32' ? columns.win32 : meaning.column === 'sent' ? columns.sent : columns.received,
        count(bytes, from, to), meaning.dashIsZero === true && to > from);
      case 'taken': return this.#number(columns.taken, meaning.text === true ? durationMs(bytes, from, to, meaning.perMs) : inMs(bytes, from, to, meaning.perMs), false);
      case 'upstream-taken': return this.#upstreamTaken(bytes, from, to, meaning.perMs);
      case 'upstream-status': this.#upstreamStatus(bytes, from, to, meaning.text); return true;
      case 'at-ncsa': return this.#number(columns.at, ncsaAt(bytes, from, to), false);
      case 'at-iso': return this.#number(columns.at, isoAt(bytes, from, to), false);
      case 'at-any': return this.#number(columns.at, anyAt(bytes, from, to), false);
      case 'at-epoch': return this.#number(columns.at, bounded(epochMs(bytes, from, to, meaning.perMs)), false);
    }
  }

  #number(column: Float64Array | Int32Array, found: number, dashIsZero: boolean): boolean {
    if (found === BAD) return false;
    const row = this.#row;
    if (column[row] === ABSENT) column[row] = found === UNSAID ? (dashIsZero ? 0 : ABSENT) : found > 0x7FFF_FFFF && column instanceof Int32Array ? 0x7FFF_FFFF : found;
    return true;
  }

  #upstreamTaken(bytes: Uint8Array, from: number, to: number, perMs: number | undefined): boolean {
    const { upstream, taken } = this.#columns;
    if (perMs !== undefined) return this.#number(upstream.taken, inMs(bytes, from, to, perMs), false);
    const sum = sumOfSeconds(bytes, from, to);
    return this.#number(upstream.taken, sum, false) && this.#number(taken, sum, false);
  }

  #upstreamStatus(bytes: Uint8Array, from: number, to: number, alsoText: boolean): void {
    const { upstream, text } = this.#columns;
    if (upstream.status[this.#row] === ABSENT) upstream.status[this.#row] = lastStatus(bytes, from, to);
    if (alsoText) this.#text(text.upstream, bytes, from, to);
  }

  #text(column: TextColumn, bytes: Uint8Array, from: number, to: number): void {
    const row = this.#row;
    if (to <= from || (to - from === 1 && bytes[from] === DASH) || (column.to[row] as number) > (column.from[row] as number)) return;
    column.from[row] = from;
    column.to[row] = to;
    if (this.#hashed.get(column) === true) column.hash[row] = hashOf(bytes, from, to);
  }

  #uri(bytes: Uint8Array, given: number, to: number): void {
    const columns = this.#columns;
    const from = afterOrigin(bytes, given, to);
    if (from > given) this.#text(columns.text.host, bytes, hostBegin(bytes, given), from);
    let query = from;
    while (query < to && bytes[query] !== QUESTION) query += 1;
    this.#text(columns.text.path, bytes, from, query);
    if (query < to) this.#text(columns.text.query, bytes, query + 1, to);
  }

  /** "GET /path?query HTTP/1.1". What is no such line (a TLS hello, "-") leaves method and path absent: it names no resource. */
  #request(bytes: Uint8Array, from: number, to: number): void {
    let method = from;
    while (method < to && isToken(bytes[method] as number)) method += 1;
    if (method === from || method - from > MAX_METHOD_BYTES || method + 1 >= to || bytes[method] !== SPACE) return;
    let last = to - 1;
    while (last > method && bytes[last] !== SPACE) last -= 1;
    const target = last > method && isProtocol(bytes, last + 1, to) ? last : to;
    if (target <= method + 1) return;
    this.#text(this.#columns.text.method, bytes, from, method);
    this.#uri(bytes, method + 1, target);
  }
}

/** Letters, "-" and "_": all methods that are registered. */
function isToken(byte: number): boolean {
  return ((byte | 32) >= 97 && (byte | 32) <= 122) || byte === DASH || byte === 95;
}

function isProtocol(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from >= 6 && to - from <= 10 && bytes[from] === 72 && bytes[from + 1] === 84 && bytes[from + 2] === 84 && bytes[from + 3] === 80 && bytes[from + 4] === SLASH;
}

/** Where the host of "http://host/path" begins; `from` when there is no such origin. */
function hostBegin(bytes: Uint8Array, from: number): number {
  if (((bytes[from] as number) | 32) !== 104) return from;
  const colon = bytes[from + 4] === COLON ? from + 4 : from + 5;
  return bytes[colon] === COLON && bytes[colon + 1] === SLASH && bytes[colon + 2] === SLASH ? colon + 3 : from;
}

/** Where the path begins in a target that may name its origin, as a proxy's does. */
function afterOrigin(bytes: Uint8Array, from: number, to: number): number {
  if (from >= to || bytes[from] === SLASH) return from;
  let at = hostBegin(bytes, from);
  if (at === from) return from;
  while (at < to && bytes[at] !== SLASH && bytes[at] !== QUESTION) at += 1;
  return at < to ? at : from;
}

function firstOfList(bytes: Uint8Array, from: number, to: number): number {
  let end = from;
  while (end < to && bytes[end] !== COMMA) end += 1;
  return end;
}

function lastSegment(bytes: Uint8Array, from: number, to: number): number {
  let begin = to;
  while (begin > from && bytes[begin - 1] !== SLASH) begin -= 1;
  return begin;
}

/** The last status of "502, 504 : 200"; NO_UPSTREAM of "-" and of nothing, ABSENT of what is none. */
function lastStatus(bytes: Uint8Array, from: number, to: number): number {
  if (to === from || (to - from === 1 && bytes[from] === DASH)) return NO_UPSTREAM;
  let begin = to;
  while (begin > from && bytes[begin - 1] !== SPACE && bytes[begin - 1] !== COMMA) begin -= 1;
  const found = count(bytes, begin, to);
  return found >= NO_UPSTREAM && found <= 999 && Number.isInteger(found) ? found : ABSENT;
}
