// Owns one row of a W3C log, in AssemblyScript: column ends in, numbers, time and hashed texts out.
import { AT, CAPACITY, HEAD_DAY, OFFSET, RECEIVED, ROLES, ROWS, SENT, STATUS, SUB, TAKEN, TEXTS, TEXT_SIZE, WIN32 } from './memory';

const DASH: u8 = 45, ZERO: u32 = 48, COLON: u8 = 58;
const ABSENT: i64 = -1, BAD: i64 = -2;
/** Roles in the order of ROLES in fields.ts. */
const DATE: usize = 0, TIME: usize = 1, ROLE_STATUS: usize = 2, ROLE_SUB: usize = 3, ROLE_WIN32: usize = 4, ROLE_SENT: usize = 5, ROLE_RECEIVED: usize = 6, ROLE_TAKEN: usize = 7;
/** The texts follow: method, path, query, client, agent, host, site, referrer; upstream has no role here. */
const ROLE_TEXTS: usize = 8;
const QUERY: usize = 2;

/** The last date and time seen, as their bytes. */
let dayHead: u64 = 0, dayTail: u16 = 0, clock: u64 = 0;
let dayMs: f64 = -1, clockMs: f64 = -1;

@inline
function columnOf(role: usize): i32 { return load<i32>(ROLES + (role << 2)); }

@inline
function endOf<T>(ends: usize, base: usize, column: i32): usize { return base + <usize>load<T>(ends + <usize>column * sizeof<T>()); }

@inline
function beginOf<T>(ends: usize, base: usize, column: i32): usize { return base + <usize>load<T>(ends + <usize>column * sizeof<T>() - sizeof<T>()) + 1; }

/** `ends`: the line's column ends, counted from `base`; the entry before is one byte before the line. False for what is no row. */
@inline
export function decode<T>(ends: usize, base: usize, offset: f64): bool {
  const row = <usize>load<i32>(ROWS);
  const time = columnOf(TIME);
  const date = columnOf(DATE);
  const day = date < 0 ? load<f64>(HEAD_DAY) : dayOf(beginOf<T>(ends, base, date), endOf<T>(ends, base, date));
  const ofDay = timeOf(beginOf<T>(ends, base, time), endOf<T>(ends, base, time));
  const status = number<T>(ends, base, ROLE_STATUS);
  if (day < 0 || ofDay < 0 || status < 0 || status > 999) return false;
  const sub = number<T>(ends, base, ROLE_SUB), win32 = number<T>(ends, base, ROLE_WIN32), taken = number<T>(ends, base, ROLE_TAKEN);
  const sent = number<T>(ends, base, ROLE_SENT), received = number<T>(ends, base, ROLE_RECEIVED);
  if (sub == BAD || sub > i32.MAX_VALUE || win32 == BAD || taken == BAD || sent == BAD || received == BAD) return false;
  store<f64>(OFFSET + (row << 3), offset);
  store<f64>(AT + (row << 3), day + ofDay);
  store<i32>(STATUS + (row << 2), <i32>status);
  store<i32>(SUB + (row << 2), <i32>sub);
  store<f64>(WIN32 + (row << 3), <f64>win32);
  store<f64>(TAKEN + (row << 3), <f64>taken);
  store<f64>(SENT + (row << 3), <f64>sent);
  store<f64>(RECEIVED + (row << 3), <f64>received);
  for (let text: usize = 0; text < 8; text += 1) {
    const into = TEXTS + text * TEXT_SIZE + (row << 2);
    const column = columnOf(ROLE_TEXTS + text);
    let from: usize = 0, to: usize = 0, hash: i32 = 0;
    if (column >= 0) {
      from = beginOf<T>(ends, base, column);
      to = endOf<T>(ends, base, column);
      if (to - from == 1 && load<u8>(from) == DASH) to = from;
      else if (to > from && text != QUERY) hash = hashOf(from, to);
    }
    store<u32>(into, <u32>from);
    store<u32>(into + 4 * CAPACITY, <u32>to);
    store<i32>(into + 8 * CAPACITY, hash);
  }
  return true;
}

@inline
function number<T>(ends: usize, base: usize, role: usize): i64 {
  const column = columnOf(role);
  if (column < 0) return ABSENT;
  const from = beginOf<T>(ends, base, column);
  const to = endOf<T>(ends, base, column);
  if (to - from == 1) {
    const digit = <u32>load<u8>(from) - ZERO;
    return digit <= 9 ? <i64>digit : load<u8>(from) == DASH ? ABSENT : BAD;
  }
  if (to - from - 1 < 8) return eight(to, to - from);
  return long(from, to);
}

/** 1 to 8 digits that end at `to`, all at once: what lies before them in the word is shifted out. */
@inline
function eight(to: usize, size: usize): i64 {
  const spare = <u64>(64 - (size << 3));
  const digits = ((load<u64>(to - 8) ^ 0x3030303030303030) >> spare) << spare;
  if (((digits + 0x7676767676767676) | digits) & 0x8080808080808080) return BAD;
  const pairs = ((digits * 2561) >> 8) & 0x00FF00FF00FF00FF;
  const fours = ((pairs * 6553601) >> 16) & 0x0000FFFF0000FFFF;
  return <i64>((fours * 42949672960001) >> 32);
}

function long(from: usize, to: usize): i64 {
  if (to <= from || to - from > 15) return BAD;
  const low = eight(to, 8);
  const high = eight(to - 8, to - from - 8);
  return low < 0 || high < 0 ? BAD : high * 100000000 + low;
}

/** Ms of `yyyy-mm-dd`, -1 if it is none. A log has few days, so the last one is remembered. */
@inline
function dayOf(from: usize, to: usize): f64 {
  if (to - from != 10) return -1;
  if (load<u64>(from) == dayHead && load<u16>(from + 8) == dayTail) return dayMs;
  return newDay(from);
}

function newDay(from: usize): f64 {
  if (load<u8>(from + 4) != DASH || load<u8>(from + 7) != DASH) return -1;
  const year = <i32>eight(from + 4, 4), month = two(from + 5), day = two(from + 8);
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return -1;
  dayHead = load<u64>(from);
  dayTail = load<u16>(from + 8);
  dayMs = <f64>daysBefore(year, month, day) * 86400000;
  return dayMs;
}

function daysOf(year: i32, month: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/** Days from 1970-01-01; the year is taken to begin in March, so that the leap day is its last. */
function daysBefore(year: i32, month: i32, day: i32): i32 {
  const y = month <= 2 ? year - 1 : year;
  const m = month <= 2 ? month + 9 : month - 3;
  return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/** Ms since midnight of `hh:mm:ss`, -1 if it is none. Second 60 is a leap second. */
@inline
function timeOf(from: usize, to: usize): f64 {
  if (to - from != 8) return -1;
  if (load<u64>(from) == clock) return clockMs;
  return newTime(from);
}

function newTime(from: usize): f64 {
  const hours = two(from), minutes = two(from + 3), seconds = two(from + 6);
  if (load<u8>(from + 2) != COLON || load<u8>(from + 5) != COLON || hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60) return -1;
  clock = load<u64>(from);
  clockMs = <f64>((hours * 3600 + minutes * 60 + seconds) * 1000);
  return clockMs;
}

/** Two digits, negative if they are none. */
@inline
function two(at: usize): i32 {
  const tens = <u32>load<u8>(at) - ZERO, ones = <u32>load<u8>(at + 1) - ZERO;
  return tens > 9 || ones > 9 ? -1 : <i32>(tens * 10 + ones);
}

const STEP: i32 = 0x9E3779B1;
const K0: i32 = 0x85EBCA77, K1: i32 = 0xC2B2AE3D, K2: i32 = 0x27D4EB2F, K3: i32 = 0x165667B1;
/** Sixteen bytes of ones, then of zeros: from 16 - n on, a mask of n bytes. */
const MASKS: usize = memory.data<u8>([255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** The same as hashOf() in columns.ts, 16 bytes a step. */
@inline
export function hashOf(from: usize, to: usize): i32 {
  const ends = i32x4(K0, K1, K2, K3);
  let lanes = ends;
  let at = from;
  for (; at + 16 <= to; at += 16) lanes = step(lanes, v128.load(at));
  if (at < to) lanes = step(lanes, v128.and(v128.load(at), v128.load(MASKS + 16 - (to - at))));
  lanes = i32x4.mul(lanes, ends);
  lanes = i32x4.add(lanes, i8x16.shuffle(lanes, lanes, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  lanes = i32x4.add(lanes, i8x16.shuffle(lanes, lanes, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  let hash = i32x4.extract_lane(lanes, 0) ^ <i32>(to - from);
  hash = (hash ^ <i32>(<u32>hash >> 16)) * K0;
  hash = (hash ^ <i32>(<u32>hash >> 13)) * K1;
  return hash ^ <i32>(<u32>hash >> 16);
}

@inline
function step(lanes: v128, words: v128): v128 {
  const mixed = i32x4.mul(v128.xor(lanes, words), i32x4.splat(STEP));
  return v128.xor(mixed, i32x4.shr_u(mixed, 15));
}
