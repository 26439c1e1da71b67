// Owns the matching of lines against a list of literals and variables, into which the format strings of nginx, Apache and NCSA are compiled.
import type { FullColumns } from '../columns.ts';
import { DiagError } from '../../../shared/errors.ts';
import { standsAt } from './numbers.ts';
import { MALFORMED, ROW } from './reader.ts';
import type { LineParser } from './reader.ts';
import { RowWriter } from './row.ts';
import type { Meaning } from './row.ts';
import { StrftimeClock } from './strftime.ts';
import type { TimePiece } from './strftime.ts';
import { unescape } from './unescape.ts';
import type { Escaping } from './unescape.ts';

/** The user's own format strings are bounded: a real one has about 20 variables in 500 characters. */
export const MAX_PATTERN_CHARS = 4_096;
const MAX_VARIABLES = 128;
/** A literal is looked for from every place of a line: this bounds the work of a line made for it. */
const MAX_LITERAL_CHARS = 256;

/** A variable of a format string. `rank`: of several that mean the same the lowest is taken, when it says something. */
export interface Variable { readonly name: string; readonly meaning: Meaning | { readonly is: 'time-piece'; readonly piece: TimePiece }; readonly rank?: number }
export type Part = string | Variable;

/** A format string as it is matched: literal, variable, literal, …, variable, literal; the first and last literal may be empty. */
export interface Pattern {
  readonly literals: readonly Uint8Array[];
  readonly variables: readonly Variable[];
  readonly escaping: Escaping;
  readonly beginsWithHash: boolean;
  /** Variables that mean something, the lower rank first. */
  readonly order: readonly number[];
  /** 1: the variable may be a list of several upstreams. nginx parts them by ", " and " : ", and often nothing quotes it. */
  readonly lists: Uint8Array;
  /** 1: at least a byte long, since %e pads the day with the blank that also ends a word. */
  readonly padded: Uint8Array;
  /** Has pieces of time to be put together. */
  readonly timed: boolean;
}

export function refuse(why: string): never {
  throw new DiagError('LOG_FORMAT_BAD', { why });
}

/** Checks that lines can be told apart by it. @throws LOG_FORMAT_BAD */
export function compile(parts: readonly Part[], escaping: Escaping): Pattern {
  const literals: string[] = [''];
  const variables: Variable[] = [];
  for (const part of joined(parts)) {
    if (typeof part === 'string') { literals[literals.length - 1] += part; continue; }
    const before = variables.at(-1);
    if (before !== undefined && literals.at(-1) === '' && !beginsWithSlash(part)) refuse(`${before.name} and ${part.name} stand side by side, so nothing tells where one ends`);
    variables.push(part);
    literals.push('');
  }
  if (variables.length > MAX_VARIABLES) refuse(`it has more than ${MAX_VARIABLES} variables`);
  const has = (test: (meaning: Variable['meaning']) => boolean): boolean => variables.some((variable) => test(variable.meaning));
  if (!has((meaning) => meaning.is === 'number' && meaning.column === 'status')) refuse('it has no status, so that no failure could be told');
  if (!has((meaning) => meaning.is.startsWith('at-') || meaning.is === 'time-piece')) refuse('it has no time, so that no row could be placed');
  if (literals.some((text) => text.length > MAX_LITERAL_CHARS)) refuse(`it has more than ${MAX_LITERAL_CHARS} characters without a variable`);
  return {
    literals: literals.map((text) => Buffer.from(text)), variables, escaping, beginsWithHash: literals[0]?.startsWith('#') === true,
    order: variables.map((_, index) => index).filter((index) => variables[index]?.meaning.is !== 'skip').sort((a, b) => (variables[a]?.rank ?? 0) - (variables[b]?.rank ?? 0)),
    lists: Uint8Array.from(variables, (variable, index) => (variable.name.startsWith('$upstream_') && literals[index + 1]?.startsWith(' ') === true ? 1 : 0)),
    padded: Uint8Array.from(variables, (variable) => (variable.meaning.is === 'time-piece' ? 1 : 0)),
    timed: has((meaning) => meaning.is === 'time-piece'),
  };
}

/** A path and the query directly behind it are one piece: a URI. */
function joined(parts: readonly Part[]): Part[] {
  const found: Part[] = [];
  for (const part of parts) {
    const before = found.at(-1);
    if (typeof part !== 'string' && typeof before === 'object' && isUriHead(before) && (part.meaning.is === 'asked' || part.name === '$args')) {
      found[found.length - 1] = { name: `${before.name}${part.name}`, meaning: { is: 'uri' } };
    } else if (part !== '') found.push(part);
  }
  return found;
}

function isUriHead(variable: Variable): boolean {
  return (variable.meaning.is === 'text' && variable.meaning.role === 'path') || variable.meaning.is === 'uri';
}

function beginsWithSlash(variable: Variable): boolean {
  return isUriHead(variable);
}

const SPACE = 32, COMMA = 44, SLASH = 47, COLON = 58, BACKSLASH = 92;

/** Reads lines of the pattern into rows. */
export function patternParser(pattern: Pattern, columns: FullColumns): LineParser {
  const { literals, variables, escaping, order, lists, padded, timed } = pattern;
  const row = new RowWriter(columns);
  const clock = new StrftimeClock();
  const size = variables.length;
  const begins = new Int32Array(size), ends = new Int32Array(size), escaped = new Uint8Array(size);

  /** The places of all variables; false when a literal is not where it must be. */
  const match = (bytes: Uint8Array, from: number, to: number): boolean => {
    let at = from + (literals[0] as Uint8Array).length;
    if (!standsAt(bytes, from, to, literals[0] as Uint8Array)) return false;
    for (let i = 0; i < size; i += 1) {
      const literal = literals[i + 1] as Uint8Array;
      begins[i] = at;
      at = endOf(bytes, at + (padded[i] as number), to, literal, i + 1 === size, escaping !== 'none', lists[i] === 1);
      if (at < 0) return false;
      escaped[i] = sawBackslash ? 1 : 0;
      ends[i] = at;
      at += literal.length;
    }
    return at === to;
  };

  return (bytes, from, to, offset) => {
    if (!match(bytes, from, to)) return MALFORMED;
    row.begin(offset);
    if (timed) clock.begin();
    for (const index of order) {
      const variable = variables[index] as Variable;
      const begin = begins[index] as number;
      const end = escaped[index] === 1 ? unescape(bytes, begin, ends[index] as number, escaping) : ends[index] as number;
      if (variable.meaning.is === 'time-piece') { if (!clock.take(variable.meaning.piece, bytes, begin, end)) return MALFORMED; }
      else if (!row.put(variable.meaning, bytes, begin, end)) return MALFORMED;
    }
    if (timed && !row.at(clock.at())) return MALFORMED;
    return row.whole() ? ROW : MALFORMED;
  };
}

/** Did endOf() see an escape in what it passed? */
let sawBackslash = false;

/** Where a variable ends: at the first place of the literal behind it that no backslash belongs to. -1 when it does not come. */
function endOf(bytes: Uint8Array, from: number, to: number, literal: Uint8Array, last: boolean, escapes: boolean, list: boolean): number {
  sawBackslash = false;
  if (from > to) return -1;
  const first = literal.length === 0 ? (last ? -1 : SLASH) : literal[0] as number;
  for (let i = from; i < to; i += 1) {
    const byte = bytes[i] as number;
    if (byte === first) {
      if ((literal.length <= 1 || standsAt(bytes, i, to, literal)) && !(list && goesOn(bytes, i))) return i;
    } else if (byte === BACKSLASH && escapes) {
      sawBackslash = true;
      i += 1;
    }
  }
  return first === -1 ? to : -1;
}

/** Is the blank at `at` one of a list's own? */
function goesOn(bytes: Uint8Array, at: number): boolean {
  const before = bytes[at - 1];
  return before === COMMA || (before === COLON && bytes[at - 2] === SPACE) || (bytes[at + 1] === COLON && bytes[at + 2] === SPACE);
}
