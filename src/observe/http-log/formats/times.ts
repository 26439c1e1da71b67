// Owns the reading of instants out of bytes: NCSA's, ISO 8601, epochs, and the pieces that strftime writes.
import { BAD, DASH, DOT, ZERO, digits, epochMs } from './numbers.ts';

const SPACE = 32, COLON = 58, SLASH = 47, PLUS = 43, BIG_T = 84, BIG_Z = 90, COMMA = 44;
/** Year 9999: what lies beyond is no time of a log. */
const LAST_AT = 253_402_300_799_999;

let knownDay = -1, knownDayAt = 0;

/** Epoch ms of a day, BAD if there is none. A log has few of them: the last is remembered. */
export function dayAt(year: number, month: number, day: number): number {
  const key = (year * 16 + month) * 32 + day;
  if (key === knownDay) return knownDayAt;
  if (!(year >= 1970 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= 31)) return BAD;
  const at = Date.UTC(year, month - 1, day);
  if (new Date(at).getUTCDate() !== day) return BAD;
  knownDay = key;
  knownDayAt = at;
  return at;
}

/** Ms of hh:mm:ss, BAD if it is none; 60 seconds are a leap second. */
export function clockMs(hours: number, minutes: number, seconds: number): number {
  return hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60 && seconds >= 0 && seconds <= 60 ? (hours * 3_600 + minutes * 60 + seconds) * 1_000 : BAD;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'].map((name) => name.charCodeAt(0) << 16 | name.charCodeAt(1) << 8 | name.charCodeAt(2));

/** 1 to 12 from three letters in any case, BAD if they are no month. */
export function monthOf(bytes: Uint8Array, at: number): number {
  const key = ((bytes[at] as number) | 32) << 16 | ((bytes[at + 1] as number) | 32) << 8 | (bytes[at + 2] as number) | 32;
  const found = MONTHS.indexOf(key);
  return found < 0 ? BAD : found + 1;
}

const NO_ZONE = -1e9;

/** Ms east of UTC of "Z", "+0200", "+02:00", "+02" or nothing (UTC); NO_ZONE when it is none of them. */
export function zoneMs(bytes: Uint8Array, from: number, to: number): number {
  const size = to - from;
  if (size === 0 || (size === 1 && ((bytes[from] as number) & 0xDF) === BIG_Z)) return 0;
  const sign = bytes[from] === PLUS ? 1 : bytes[from] === DASH ? -1 : 0;
  if (sign === 0 || (size !== 3 && size !== 5 && size !== 6) || (size === 6 && bytes[from + 3] !== COLON)) return NO_ZONE;
  const hours = digits(bytes, from + 1, 2), minutes = size === 3 ? 0 : digits(bytes, to - 2, 2);
  return hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60 ? sign * (hours * 60 + minutes) * 60_000 : NO_ZONE;
}

/** Epoch ms of "10/Oct/2000:13:55:36 -0700" (NCSA; without brackets), BAD if it is none. */
export function ncsaAt(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 20 || bytes[from + 2] !== SLASH || bytes[from + 6] !== SLASH || bytes[from + 11] !== COLON || bytes[from + 14] !== COLON || bytes[from + 17] !== COLON) return BAD;
  const day = dayAt(digits(bytes, from + 7, 4), monthOf(bytes, from + 3), digits(bytes, from, 2));
  const clock = clockMs(digits(bytes, from + 12, 2), digits(bytes, from + 15, 2), digits(bytes, from + 18, 2));
  let next = from + 20;
  // Some servers write ms behind the second.
  const ms = next < to && bytes[next] === DOT ? (next += 4, digits(bytes, next - 3, 3)) : 0;
  const zone = next < to && bytes[next] === SPACE ? zoneMs(bytes, next + 1, to) : zoneMs(bytes, next, to);
  return day < 0 || clock < 0 || ms < 0 || zone === NO_ZONE ? BAD : bounded(day + clock + ms - zone);
}

/** Epoch ms of an ISO 8601 date with time ("2026-03-01T12:00:00.123456Z", also with a space, slashes, a comma), BAD if it is none. Without a zone it is UTC. */
export function isoAt(bytes: Uint8Array, from: number, to: number): number {
  const separator = bytes[from + 10] as number;
  if (to - from < 19 || bytes[from + 4] !== bytes[from + 7] || (bytes[from + 4] !== DASH && bytes[from + 4] !== SLASH) || ((separator & 0xDF) !== BIG_T && separator !== SPACE)
    || bytes[from + 13] !== COLON || bytes[from + 16] !== COLON) return BAD;
  const day = dayAt(digits(bytes, from, 4), digits(bytes, from + 5, 2), digits(bytes, from + 8, 2));
  const clock = clockMs(digits(bytes, from + 11, 2), digits(bytes, from + 14, 2), digits(bytes, from + 17, 2));
  let next = from + 19;
  let ms = 0;
  if (next < to && (bytes[next] === DOT || bytes[next] === COMMA)) {
    let scale = 100;
    const first = next + 1;
    for (next = first; next < to && (bytes[next] as number) >= ZERO && (bytes[next] as number) <= ZERO + 9; next += 1) { ms += ((bytes[next] as number) - ZERO) * scale; scale = scale > 1 ? scale / 10 : 0; }
    if (next === first) return BAD;
  }
  if (next < to && bytes[next] === SPACE) next += 1;
  const zone = zoneMs(bytes, next, to);
  return day < 0 || clock < 0 || zone === NO_ZONE ? BAD : bounded(day + clock + ms - zone);
}

/** An epoch whose unit its size tells: seconds up to year 5138, then ms, µs, ns. */
function epochBySize(bytes: Uint8Array, from: number, to: number): number {
  let point = from;
  while (point < to && bytes[point] !== DOT) point += 1;
  const size = point - from;
  // ns have 19 digits, more than a double holds: ms are what is wanted of them.
  if (size >= 18) return size === 19 && point === to ? epochMs(bytes, from, to - 6, 1) : BAD;
  return epochMs(bytes, from, to, size <= 11 ? 0.001 : size <= 14 ? 1 : 1_000);
}

/** Epoch ms of an instant in whatever way logs write it; UNSAID or BAD. */
export function anyAt(bytes: Uint8Array, from: number, to: number): number {
  const iso = isoAt(bytes, from, to);
  if (iso >= 0) return iso;
  const start = bytes[from] === 91 ? from + 1 : from, end = bytes[to - 1] === 93 ? to - 1 : to;
  const ncsa = ncsaAt(bytes, start, end);
  return ncsa >= 0 ? ncsa : bounded(epochBySize(bytes, from, to));
}

/** Keeps an instant that a log may have. */
export function bounded(at: number): number {
  return at <= LAST_AT ? at : BAD;
}
