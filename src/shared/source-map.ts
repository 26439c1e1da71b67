// Owns source maps: their mappings decoded into columns within bounds, and what stood at a place of the generated text.

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Int8Array(128).fill(-1);
for (let i = 0; i < DIGITS.length; i += 1) VALUES[DIGITS.charCodeAt(i)] = i;
const SEMICOLON = 59, COMMA = 44, CONTINUES = 32;
const MAX_SEGMENTS = 4_000_000;
const MAX_LINES = 1_000_000;

export interface SourcePlace { readonly source: string; readonly line: number; readonly column: number; readonly name?: string }
export interface SourceMapText { readonly sources: readonly (string | null)[]; readonly names?: readonly unknown[] | undefined; readonly sourceRoot?: string | undefined; readonly mappings: string }

/** Columns of one segment: generated column, source, line, column, name (-1: none). */
const WIDTH = 5;

export class SourceMap {
  readonly #text: SourceMapText;
  readonly #rows: Int32Array;
  /** Where the segments of a generated line begin; one more than lines. */
  readonly #lines: number[];

  /** @throws SyntaxError where the mappings are none */
  constructor(text: SourceMapText) {
    this.#text = text;
    [this.#rows, this.#lines] = decode(text.mappings);
  }

  /** Lines and columns from 0. The last mapping at or before the place on its line; undefined where none is. */
  at(line: number, column: number): SourcePlace | undefined {
    let low = this.#lines[line] ?? 0;
    let high = (this.#lines[line + 1] ?? 0) - 1;
    if (line < 0 || high < low) return undefined;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#rows[middle * WIDTH] as number) <= column) low = middle; else high = middle - 1;
    }
    const row = low * WIDTH;
    const source = this.#text.sources[this.#rows[row + 1] as number];
    if ((this.#rows[row] as number) > column || typeof source !== 'string') return undefined;
    const name = this.#text.names?.[this.#rows[row + 4] as number];
    return { source: `${this.#text.sourceRoot ?? ''}${source}`, line: this.#rows[row + 2] as number, column: this.#rows[row + 3] as number, ...(typeof name === 'string' ? { name } : {}) };
  }
}

function decode(mappings: string): [Int32Array, number[]] {
  let rows = new Int32Array(Math.min(MAX_SEGMENTS, (mappings.length >> 2) + 1) * WIDTH);
  const lines = [0];
  const state = [0, 0, 0, 0, 0];
  let count = 0;
  for (let at = 0; at < mappings.length;) {
    const code = mappings.charCodeAt(at);
    if (code === SEMICOLON) {
      if (lines.length >= MAX_LINES) break;
      lines.push(count); state[0] = 0; at += 1; continue;
    }
    if (code === COMMA) { at += 1; continue; }
    const [next, fields] = segment(mappings, at, state);
    at = next;
    if (fields < 4) continue;
    if (count >= MAX_SEGMENTS) break;
    if ((count + 1) * WIDTH > rows.length) { const wider = new Int32Array(rows.length * 2); wider.set(rows); rows = wider; }
    rows.set(state, count * WIDTH);
    if (fields < 5) rows[count * WIDTH + 4] = -1;
    count += 1;
  }
  lines.push(count);
  return [rows, lines];
}

/** Adds one segment to the state; gives where it ends and how many fields it had. */
function segment(mappings: string, from: number, state: number[]): [number, number] {
  let at = from;
  let fields = 0;
  while (at < mappings.length) {
    const code = mappings.charCodeAt(at);
    if (code === SEMICOLON || code === COMMA) break;
    let value = 0;
    for (let shift = 0, digit = CONTINUES; (digit & CONTINUES) !== 0; shift += 5) {
      digit = VALUES[mappings.charCodeAt(at++)] ?? -1;
      if (digit < 0 || shift > 30) throw new SyntaxError('the mappings are no base64 VLQ');
      value += (digit & (CONTINUES - 1)) * 2 ** shift;
    }
    if (fields < WIDTH) state[fields] = (state[fields] as number) + (value % 2 === 1 ? -Math.floor(value / 2) : value / 2);
    fields += 1;
  }
  return [at, fields];
}
