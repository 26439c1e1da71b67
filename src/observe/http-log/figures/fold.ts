// Owns the folding of paths into routes on bytes: the same answer as routeOf(), without a string where the path is an ordinary one.
import { MAX_ROUTE_LENGTH, routeOf } from '../route.ts';

const SLASH = 47, QUERY = 63, PERCENT = 37, DASH = 45, UNDERSCORE = 95;
const MAX_SEGMENTS = 24;
/** A segment of this many characters may be a token, which routeOf() judges. */
const TOKEN_LENGTH = 20;
const HEX_LENGTH = 12;
const GUID_LENGTH = 36;
const ID = Uint8Array.of(123, 105, 100, 125);
const LONGEST = MAX_ROUTE_LENGTH * 4 + 8;

const LETTER = 1, DIGIT = 2, HEX = 4, PLAIN = 8;
/** What a byte is; 0 for what makes a segment one for routeOf(). */
const KIND = Uint8Array.from({ length: 256 }, (_, code) => {
  const text = String.fromCharCode(code);
  if (code >= 128) return 0;
  if (/[0-9]/.test(text)) return DIGIT | HEX;
  if (/[a-f]/i.test(text)) return LETTER | HEX;
  if (/[a-z]/i.test(text)) return LETTER;
  return /[._~!$'()*:@-]/.test(text) ? PLAIN : 0;
});

/** Routes are written into `bytes`, one at a time. */
export class RouteFold {
  readonly bytes = new Uint8Array(LONGEST + 64);
  #at = 0;

  /** Writes the route of the path source[from, to) behind what is there up to `start`; where it ends. */
  write(start: number, source: Uint8Array, from: number, to: number): number {
    this.#at = start;
    return this.#ordinary(source, from, to) ? this.#at : this.#asText(start, source, from, to);
  }

  #asText(start: number, source: Uint8Array, from: number, to: number): number {
    const piece = Buffer.from(source.buffer, source.byteOffset + from, to - from);
    const text = piece.toString('utf8');
    const route = routeOf(text.includes('\uFFFD') ? piece.toString('latin1') : text);
    return start + Buffer.from(this.bytes.buffer).write(route, start);
  }

  /** False when routeOf() must judge: escapes, tokens, letters beyond ASCII, long paths. */
  #ordinary(source: Uint8Array, from: number, to: number): boolean {
    if (to - from >= MAX_ROUTE_LENGTH || to <= from || source[from] !== SLASH) return false;
    let segments = 0;
    for (let at = from; at < to;) {
      segments += 1;
      if (segments > MAX_SEGMENTS) return false;
      this.bytes[this.#at] = SLASH;
      this.#at += 1;
      const end = this.#segment(source, at + 1, to);
      if (end < 0) return false;
      at = end;
    }
    return true;
  }

  /** Writes one segment; where it ends, or -1. */
  #segment(source: Uint8Array, from: number, to: number): number {
    let digits = 0, hex = 0, plain = 0;
    let end = from;
    for (; end < to; end += 1) {
      const code = source[end] as number;
      if (code === SLASH) break;
      const kind = KIND[code] as number;
      if (kind === 0 || code === PERCENT || code === QUERY) return -1;
      digits += kind >> 1 & 1;
      hex += kind >> 2 & 1;
      plain += kind >> 3 & 1;
    }
    const size = end - from;
    if (size === GUID_LENGTH && hex === GUID_LENGTH - 4 && plain === 4 && isGuid(source, from)) return this.#id(end);
    if (digits === 0) return size >= GUID_LENGTH && hex > GUID_LENGTH - 5 ? -1 : this.#asIs(source, from, end);
    if (digits === size || (hex === size && size >= HEX_LENGTH)) return this.#id(end);
    // Numbers with signs and points, dates, GUIDs, tokens, and names with a number at the end: rare, and the patterns say which.
    if (size >= TOKEN_LENGTH || (plain > 0 && (digits + plain === size || endsInNumber(source, from, end)))) return -1;
    if (source[from] === 48 && size >= HEX_LENGTH && (source[from + 1] === 120 || source[from + 1] === 88)) return -1;
    return this.#asIs(source, from, end);
  }

  #asIs(source: Uint8Array, from: number, end: number): number {
    for (let i = from; i < end; i += 1) this.bytes[this.#at + i - from] = source[i] as number;
    this.#at += end - from;
    return end;
  }

  #id(end: number): number {
    this.bytes.set(ID, this.#at);
    this.#at += ID.length;
    return end;
  }
}

/** Its dashes stand where those of a GUID do. */
function isGuid(source: Uint8Array, from: number): boolean {
  return source[from + 8] === DASH && source[from + 13] === DASH && source[from + 18] === DASH && source[from + 23] === DASH;
}

/** order-1234, build_5f3a9c0012ab: a dash or underscore before hex digits up to the end, or a date. */
function endsInNumber(source: Uint8Array, from: number, end: number): boolean {
  let i = end - 1;
  while (i > from && ((KIND[source[i] as number] as number) & HEX) !== 0) i -= 1;
  return i < end - 1 && (source[i] === DASH || source[i] === UNDERSCORE);
}
