// Owns the matching of a filter's texts on a log's bytes: no string per row, and time linear in the text whatever it holds.
import type { Pattern } from '../../shared/http-filter.ts';

export type TextTest = (bytes: Uint8Array, from: number, to: number) => boolean;

/** ASCII letters without case. */
const PLAIN = folding(false);
/** IIS writes a space as `+`: both are one sign then. */
const PLUS = folding(true);

function folding(plusIsSpace: boolean): Uint8Array {
  const fold = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte));
  if (plusIsSpace) fold[0x2B] = 0x20;
  return fold;
}

interface Needle { readonly bytes: Uint8Array; readonly fold: Uint8Array; /** Knuth, Morris, Pratt: how much of the needle still fits where the next byte does not. */ readonly back: Int32Array }

/** True for bytes [from, to) that fit the pattern, as a whole or (`part`) anywhere. An empty range is a text that the row does not have: only the empty pattern fits it. */
export function textTest(pattern: Pattern, options: { readonly part: boolean; readonly plusIsSpace: boolean }): TextTest {
  if (pattern.length === 0) return (_, from, to) => to <= from;
  const pieces = options.part && pattern.length === 1 ? ['', pattern[0] ?? '', ''] : pattern;
  const fold = options.plusIsSpace ? PLUS : PLAIN;
  const tests = spellings(pieces).map((one) => shaped(one.map((bytes) => needle(bytes, fold))));
  const [first, second] = tests;
  if (first === undefined) return () => false;
  return second === undefined ? first : (bytes, from, to) => first(bytes, from, to) || second(bytes, from, to);
}

/** A log may be Latin-1: what is not ASCII is looked for in that spelling too, where it has one. */
function spellings(pieces: readonly string[]): readonly (readonly Uint8Array[])[] {
  const utf8 = pieces.map((piece) => Buffer.from(piece, 'utf8'));
  const all = pieces.join('');
  return /^[\u0000-\u007f]*$/.test(all) || /[^\u0000-\u00ff]/.test(all) ? [utf8] : [utf8, pieces.map((piece) => Buffer.from(piece, 'latin1'))];
}

function needle(text: Uint8Array, fold: Uint8Array): Needle {
  const bytes = text.map((byte) => fold[byte] as number);
  const back = new Int32Array(bytes.length);
  for (let i = 1, fits = 0; i < bytes.length; i += 1) {
    while (fits > 0 && bytes[i] !== bytes[fits]) fits = back[fits - 1] as number;
    if (bytes[i] === bytes[fits]) fits += 1;
    back[i] = fits;
  }
  return { bytes, fold, back };
}

function shaped(needles: readonly Needle[]): TextTest {
  const first = needles[0] as Needle;
  const last = needles[needles.length - 1] as Needle;
  if (needles.length === 1) return (bytes, from, to) => to - from === first.bytes.length && to > from && standsAt(first, bytes, from);
  const middle = needles.slice(1, -1);
  const least = needles.reduce((sum, one) => sum + one.bytes.length, 0);
  return (bytes, from, to) => {
    if (to <= from || to - from < least || !standsAt(first, bytes, from) || !standsAt(last, bytes, to - last.bytes.length)) return false;
    let at = from + first.bytes.length;
    for (const one of middle) {
      at = endOf(one, bytes, at, to - last.bytes.length);
      if (at < 0) return false;
    }
    return true;
  };
}

function standsAt({ bytes: wanted, fold }: Needle, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < wanted.length; i += 1) if (fold[bytes[at + i] as number] !== wanted[i]) return false;
  return true;
}

/** Where the needle's first occurrence in [from, to) ends; -1 without one. */
function endOf({ bytes: wanted, fold, back }: Needle, bytes: Uint8Array, from: number, to: number): number {
  if (wanted.length === 0) return from;
  let fits = 0;
  for (let i = from; i < to; i += 1) {
    const byte = fold[bytes[i] as number] as number;
    while (fits > 0 && byte !== wanted[fits]) fits = back[fits - 1] as number;
    if (byte === wanted[fits]) fits += 1;
    if (fits === wanted.length) return i + 1;
  }
  return -1;
}
