// Owns the reading of numbers and durations out of bytes, without a string.

/** The bytes are "-" or none at all: the log does not say. */
export const UNSAID = -1;
/** The bytes are no number. */
export const BAD = -2;
/** More digits than a double holds exactly are no number of a log; µs since 1970 have 16. */
const MAX_DIGITS = 16;

/** Bytes that numbers and times are made of. */
export const DASH = 45, DOT = 46, ZERO = 48;

/** Parts of the last number read by readNumber(): whole + billionths / 1e9, times 10 ** exponent. */
let whole = 0, billionths = 0, exponent = 0;

/** Digits, maybe with a fraction and an exponent; false when it is none. Its parts lie in the module's variables until the next call. */
function readNumber(bytes: Uint8Array, from: number, to: number): boolean {
  whole = 0; billionths = 0; exponent = 0;
  let i = from;
  for (; i < to; i += 1) {
    const digit = (bytes[i] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    whole = whole * 10 + digit;
  }
  if (i === from || i - from > MAX_DIGITS || whole > Number.MAX_SAFE_INTEGER) return false;
  if (i < to && bytes[i] === DOT) {
    const dot = i;
    let scale = 100_000_000;
    for (i += 1; i < to; i += 1) {
      const digit = (bytes[i] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      billionths += digit * scale;
      scale = scale > 1 ? scale / 10 : 0;
    }
    if (i === dot + 1) return false;
  }
  return i === to || readExponent(bytes, i, to);
}

function readExponent(bytes: Uint8Array, from: number, to: number): boolean {
  if (((bytes[from] as number) | 32) !== 101 || to - from > 5) return false;
  const sign = bytes[from + 1];
  let i = sign === 43 || sign === DASH ? from + 2 : from + 1;
  if (i >= to) return false;
  for (; i < to; i += 1) {
    const digit = (bytes[i] as number) - ZERO;
    if (digit < 0 || digit > 9) return false;
    exponent = exponent * 10 + digit;
  }
  if (sign === DASH) exponent = -exponent;
  return Math.abs(exponent) <= 30;
}

/** UNSAID for "-" and for nothing, else undefined. */
function unsaid(bytes: Uint8Array, from: number, to: number): boolean {
  return to <= from || (to - from === 1 && bytes[from] === DASH);
}

/** A number >= 0 without unit; UNSAID or BAD. */
export function count(bytes: Uint8Array, from: number, to: number): number {
  if (unsaid(bytes, from, to)) return UNSAID;
  if (!readNumber(bytes, from, to)) return BAD;
  return scaled(whole + billionths / 1e9);
}

/** A number of units, of which `perMs` make a ms (1e6: it counts ns), in ms; perMs 0.001: it counts seconds. UNSAID or BAD. */
export function inMs(bytes: Uint8Array, from: number, to: number, perMs: number): number {
  if (unsaid(bytes, from, to)) return UNSAID;
  if (!readNumber(bytes, from, to)) return BAD;
  // Seconds with three digits after the point must come out as whole ms, so the fraction is not multiplied.
  return scaled(perMs === 0.001 ? whole * 1_000 + billionths / 1e6 : (whole + billionths / 1e9) / perMs);
}

/** Epoch of `perMs` units, in whole ms: what is finer is cut off. */
export function epochMs(bytes: Uint8Array, from: number, to: number, perMs: number): number {
  const at = inMs(bytes, from, to, perMs);
  return at < 0 ? at : Math.floor(at);
}

function scaled(value: number): number {
  if (exponent === 0) return value;
  const found = value * 10 ** exponent;
  return found <= Number.MAX_SAFE_INTEGER ? found : BAD;
}

/** nginx's lists over several upstreams, "0.001, 0.200 : -", in seconds: their sum in ms. UNSAID when none of them is said. */
export function sumOfSeconds(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0, said = false;
  let start = from;
  for (let i = from; i <= to; i += 1) {
    const byte = i < to ? bytes[i] : 44;
    if (byte !== 44 && byte !== 58 && byte !== 32) continue;
    if (i > start) {
      const one = inMs(bytes, start, i, 0.001);
      if (one === BAD) return BAD;
      if (one >= 0) { sum += one; said = true; }
    }
    start = i + 1;
  }
  // Thousandths added up leave a trace of binary fractions.
  return said ? Math.round(sum * 1e6) / 1e6 : UNSAID;
}

/** Ms of a unit as Go writes durations: ns, us or µs, ms, s, m, h. 0 when it is none. */
function unitMs(bytes: Uint8Array, from: number, to: number): number {
  const first = bytes[from], second = from + 1 < to ? bytes[from + 1] : 0;
  const size = to - from;
  if (size === 1) return first === 115 ? 1_000 : first === 109 ? 60_000 : first === 104 ? 3_600_000 : 0;
  if (size === 2 && second === 115) return first === 109 ? 1 : first === 110 ? 1e-6 : first === 117 ? 1e-3 : 0;
  // µs as two bytes of UTF-8, with either of the two signs that are used.
  return size === 3 && bytes[from + 2] === 115 && ((first === 0xC2 && second === 0xB5) || (first === 0xCE && second === 0xBC)) ? 1e-3 : 0;
}

/** "1m2.5s", "12.3ms", "100µs", or a number of `perMs` units, in ms. UNSAID or BAD. */
export function durationMs(bytes: Uint8Array, from: number, to: number, perMs: number): number {
  if (unsaid(bytes, from, to)) return UNSAID;
  const last = bytes[to - 1] as number;
  if (last >= ZERO && last <= ZERO + 9) return inMs(bytes, from, to, perMs);
  let sum = 0;
  for (let i = from; i < to;) {
    let end = i;
    while (end < to && ((bytes[end] as number) === DOT || ((bytes[end] as number) >= ZERO && (bytes[end] as number) <= ZERO + 9))) end += 1;
    let unitEnd = end;
    while (unitEnd < to && unitEnd - end < 4 && !((bytes[unitEnd] as number) >= ZERO && (bytes[unitEnd] as number) <= ZERO + 9)) unitEnd += 1;
    const unit = unitMs(bytes, end, unitEnd);
    if (unit === 0 || !readNumber(bytes, i, end)) return BAD;
    sum += unit === 1e-3 ? (whole + billionths / 1e9) / 1e3 : unit === 1e-6 ? (whole + billionths / 1e9) / 1e6 : whole * unit + billionths * unit / 1e9;
    i = unitEnd;
  }
  return sum;
}

/** Exactly `size` digits at `at` as a number, BAD if they are none. */
export function digits(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = at; i < at + size; i += 1) {
    const digit = (bytes[i] as number) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return BAD;
    value = value * 10 + digit;
  }
  return value;
}

/** Do these bytes stand at `at`? */
export function standsAt(bytes: Uint8Array, at: number, to: number, what: Uint8Array): boolean {
  const size = what.length;
  if (at + size > to) return false;
  for (let i = 0; i < size; i += 1) if (bytes[at + i] !== what[i]) return false;
  return true;
}
