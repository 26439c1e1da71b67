// Owns the undoing of escapes, in place: what was escaped is never shorter than what it stands for.

export type Escaping = 'none' | 'c' | 'json';

const BACKSLASH = 92;

/** Undoes the escapes of bytes[from, to) where they lie; returns the new end. Unknown escapes stay as they are. */
export function unescape(bytes: Uint8Array, from: number, to: number, how: Escaping): number {
  if (how === 'none') return to;
  let out = from;
  for (let i = from; i < to;) {
    const byte = bytes[i] as number;
    if (byte !== BACKSLASH || i + 1 >= to) { bytes[out] = byte; out += 1; i += 1; continue; }
    const kind = bytes[i + 1] as number;
    const hex = kind === 120 && how === 'c' ? hexOf(bytes, i + 2, 2, to) : -1;
    const unit = kind === 117 && how === 'json' ? hexOf(bytes, i + 2, 4, to) : -1;
    if (hex >= 0) { bytes[out] = hex; out += 1; i += 4; continue; }
    if (unit >= 0) {
      const low = unit >= 0xD800 && unit < 0xDC00 && bytes[i + 6] === BACKSLASH && bytes[i + 7] === 117 ? hexOf(bytes, i + 8, 4, to) : -1;
      const paired = low >= 0xDC00 && low < 0xE000;
      out = putUtf8(bytes, out, paired ? 0x1_0000 + (unit - 0xD800 << 10) + (low - 0xDC00) : unit >= 0xD800 && unit < 0xE000 ? 0xFFFD : unit);
      i += paired ? 12 : 6;
      continue;
    }
    const plain = plainOf(kind);
    if (plain < 0) { bytes[out] = byte; out += 1; i += 1; continue; }
    bytes[out] = plain;
    out += 1;
    i += 2;
  }
  return out;
}

/** The byte that one letter behind a backslash stands for; -1 for none. */
function plainOf(kind: number): number {
  switch (kind) {
    case 34: case 92: case 47: return kind;
    case 110: return 10;
    case 116: return 9;
    case 114: return 13;
    case 98: return 8;
    case 102: return 12;
    case 118: return 11;
    default: return -1;
  }
}

function hexOf(bytes: Uint8Array, at: number, size: number, to: number): number {
  if (at + size > to) return -1;
  let value = 0;
  for (let i = at; i < at + size; i += 1) {
    const byte = bytes[i] as number;
    const small = byte | 32;
    const digit = byte >= 48 && byte <= 57 ? byte - 48 : small >= 97 && small <= 102 ? small - 87 : -1;
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

function putUtf8(bytes: Uint8Array, at: number, code: number): number {
  let out = at;
  if (code < 0x80) { bytes[out] = code; return out + 1; }
  if (code < 0x800) bytes[out] = 0xC0 | code >> 6;
  else if (code < 0x1_0000) { bytes[out] = 0xE0 | code >> 12; out += 1; bytes[out] = 0x80 | code >> 6 & 0x3F; }
  else { bytes[out] = 0xF0 | code >> 18; out += 1; bytes[out] = 0x80 | code >> 12 & 0x3F; out += 1; bytes[out] = 0x80 | code >> 6 & 0x3F; }
  out += 1;
  bytes[out] = 0x80 | code & 0x3F;
  return out + 1;
}
