// Owns the quick judgement of a line's raw bytes: those that begin an entry beyond doubt and say their level where most formats do.
import { Level } from '../../shared/model.ts';
import { FIELD_WORDS, numberedLevel, WORDS } from './level.ts';

const CODES = new Map(Level.options.map((level, i) => [level, i]));
/** The number of a level on the wire and in tables: its place in the schema. */
export const codeOf = (level: Level): number => CODES.get(level) as number;
export const levelAt = (code: number): Level => Level.options[code] ?? 'unknown';
export const UNKNOWN = codeOf('unknown');

const MAX_WORD = 11;
const FIELD_HEAD = Buffer.from('{"level":');

/** A word's letters, lower case, as one number: words of other letters may share it, so that the letters are compared too. */
function hashed(bytes: Uint8Array, from: number, to: number): number {
  let hash = 7;
  for (let i = from; i < to; i += 1) hash = (Math.imul(hash, 31) + ((bytes[i] as number) | 0x20)) | 0;
  return hash;
}
function tableOf(words: Readonly<Record<string, Level>>): ReadonlyMap<number, { readonly word: Uint8Array; readonly code: number }> {
  return new Map(Object.entries(words).map(([word, level]) => { const bytes = Buffer.from(word); return [hashed(bytes, 0, bytes.length), { word: bytes, code: codeOf(level) }]; }));
}
const PLAIN = tableOf(WORDS);
const FIELD = tableOf(FIELD_WORDS);

function levelWord(bytes: Uint8Array, from: number, to: number, table: typeof PLAIN): number {
  const found = table.get(hashed(bytes, from, to));
  if (found === undefined || found.word.length !== to - from) return -1;
  for (let i = 0; i < found.word.length; i += 1) if (((bytes[from + i] as number) | 0x20) !== found.word[i]) return -1;
  return found.code;
}

const digit = (c: number | undefined): boolean => c !== undefined && c >= 0x30 && c <= 0x39;
const letter = (c: number | undefined): boolean => c !== undefined && ((c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a));
const gap = (c: number | undefined): boolean => c === 0x20 || c === 9;

/** The level's number when the line begins an entry of its own and says its level at once: after a time (with a thread or a word
 *  in brackets between) or as the first field of a JSON object. -1 for all others, which take a look at their text. */
export function quickLevel(bytes: Uint8Array, from: number, to: number): number {
  const first = bytes[from];
  if (first === 0x7b) return jsonLevel(bytes, from, to);
  if (to - from < 24 || !isStamp(bytes, from)) return -1;
  const last = bytes[to - 1];
  // A row of an HTTP log ends in figures and says its level by its status.
  if (bytes[from + 10] === 0x20 && (digit(last) || last === 0x2d || gap(last))) return -1;
  let at = from + 19;
  let fraction = 0;
  if (bytes[at] === 0x2e || bytes[at] === 0x2c) {
    at += 1;
    while (digit(bytes[at])) { at += 1; fraction += 1; }
  }
  // Docker puts such a time before what the app wrote: then the app's own line decides where it belongs.
  if (bytes[at] === 0x5a && fraction >= 3 && bytes[from + 10] === 0x54 && gap(bytes[at + 1])) return capitals(bytes, at + 2, to);
  at = afterZone(bytes, at);
  return gap(bytes[at]) ? afterTime(bytes, at, to) : -1;
}

/** 2026-11-21T02:14:07 or with a space. */
function isStamp(b: Uint8Array, o: number): boolean {
  const sep = b[o + 10];
  if (b[o + 4] !== 0x2d || b[o + 7] !== 0x2d || b[o + 13] !== 0x3a || b[o + 16] !== 0x3a || (sep !== 0x54 && sep !== 0x20)) return false;
  return digit(b[o]) && digit(b[o + 1]) && digit(b[o + 2]) && digit(b[o + 3]) && digit(b[o + 5]) && digit(b[o + 6]) && digit(b[o + 8]) && digit(b[o + 9])
    && digit(b[o + 11]) && digit(b[o + 12]) && digit(b[o + 14]) && digit(b[o + 15]) && digit(b[o + 17]) && digit(b[o + 18]);
}

function afterZone(bytes: Uint8Array, at: number): number {
  if (bytes[at] === 0x5a) return at + 1;
  if ((bytes[at] !== 0x2b && bytes[at] !== 0x2d) || !digit(bytes[at + 1]) || !digit(bytes[at + 2])) return at;
  const minutes = bytes[at + 3] === 0x3a ? at + 4 : at + 3;
  return digit(bytes[minutes]) && digit(bytes[minutes + 1]) ? minutes + 2 : at;
}

/** `INFO text`, `[INFO] text`, `[main] INFO text`. */
function afterTime(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (gap(bytes[at])) at += 1;
  if (bytes[at] === 0x5b) {
    const close = bytes.indexOf(0x5d, at);
    if (close === -1 || close >= to) return -1;
    const code = wordBefore(bytes, at + 1, close);
    if (code >= 0 && (gap(bytes[close + 1]) || bytes[close + 1] === 0x3a)) return code;
    at = close + 1;
    if (code >= 0 || !gap(bytes[at])) return -1;
    while (gap(bytes[at])) at += 1;
    if (bytes[at] === 0x5b) return -1;
  }
  const end = wordEnd(bytes, at);
  const next = bytes[end];
  return end < to && (gap(next) || next === 0x3a || next === 0x5d) ? levelWord(bytes, at, end, PLAIN) : -1;
}

/** The level that a word in brackets is, whole: [INFO]. */
function wordBefore(bytes: Uint8Array, from: number, to: number): number {
  return wordEnd(bytes, from) === to ? levelWord(bytes, from, to, PLAIN) : -1;
}

function wordEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at - from <= MAX_WORD && letter(bytes[at])) at += 1;
  return at;
}

/** Behind Docker's time only a level in capitals is beyond doubt: `Error: x` may go on the line above. */
function capitals(bytes: Uint8Array, from: number, to: number): number {
  const end = wordEnd(bytes, from);
  if (end - from < 4 || end >= to || !gap(bytes[end])) return -1;
  for (let i = from; i < end; i += 1) if ((bytes[i] as number) > 0x5a) return -1;
  return levelWord(bytes, from, end, PLAIN);
}

/** {"level":30,… or {"level":"info",…: pino, winston, zap. */
function jsonLevel(bytes: Uint8Array, from: number, to: number): number {
  if (bytes[to - 1] !== 0x7d || to - from < FIELD_HEAD.length + 4) return -1;
  for (let i = 1; i < FIELD_HEAD.length; i += 1) if (bytes[from + i] !== FIELD_HEAD[i]) return -1;
  const at = from + FIELD_HEAD.length;
  if (bytes[at] === 0x22) {
    const end = wordEnd(bytes, at + 1);
    return bytes[end] === 0x22 && bytes[end + 1] === 0x2c ? levelWord(bytes, at + 1, end, FIELD) : -1;
  }
  if (!digit(bytes[at]) || !digit(bytes[at + 1]) || bytes[at + 2] !== 0x2c) return -1;
  return codeOf(numberedLevel(((bytes[at] as number) - 0x30) * 10 + ((bytes[at + 1] as number) - 0x30)));
}
