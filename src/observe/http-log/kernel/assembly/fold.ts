// Owns the folding of paths into routes, in AssemblyScript: what figures/fold.ts does for ordinary paths, and GUIDs. What is odd is left to JavaScript; a test compares the two.
import { CAPACITY, TEXTS, TEXT_SIZE } from './memory';

const SLASH: u8 = 47, DASH: u8 = 45, UNDERSCORE: u8 = 95, SPACE: u8 = 32;
const MAX_METHOD: usize = 32, MAX_ROUTE: usize = 200, MAX_SEGMENTS: i32 = 24, MAX_ODD: usize = 400;
const TOKEN: usize = 20, HEX_LENGTH: usize = 12, GUID: usize = 36;
const ID: u32 = 0x7D64697B;

/** Counters of a segment, a byte each, so that one addition counts all: digits, hex digits, other plain signs; the top bit is for what makes a path odd. */
const IS_DIGIT: u32 = 0x000001, IS_HEX: u32 = 0x000100, IS_PLAIN: u32 = 0x010000, IS_ODD: u32 = 0x80000000;
const KINDS: usize = memory.data(1024);

export function prepareKinds(): void {
  for (let code: u32 = 0; code < 256; code += 1) {
    let kind: u32 = IS_ODD;
    if (code >= 48 && code <= 57) kind = IS_DIGIT + IS_HEX;
    else if ((code | 32) >= 97 && (code | 32) <= 102 && code >= 65) kind = IS_HEX;
    else if ((code | 32) >= 97 && (code | 32) <= 122 && code >= 65) kind = 0;
    // . _ ~ ! $ ' ( ) * : @ -
    else if (code == 46 || code == 95 || code == 126 || code == 33 || code == 36 || (code >= 39 && code <= 42) || code == 58 || code == 64 || code == 45) kind = IS_PLAIN;
    store<u32>(KINDS + (code << 2), kind);
  }
}

/** Writes what tells the route of a row without a short key to `key`: "METHOD route", or as it stands a path that JavaScript must fold (told by `isOdd`). Its size; 0 when it is too long to be remembered. */
export function routeKey(row: usize, key: usize): usize {
  const size = foldRoute(row, key);
  isOdd = size == 0;
  return isOdd ? oddKey(row, key) : size;
}

export let isOdd: bool = false;

function oddKey(row: usize, key: usize): usize {
  const method = TEXTS + (row << 2), path = TEXTS + TEXT_SIZE + (row << 2);
  const verb = <usize>load<u32>(method), verbSize = <usize>load<u32>(method, 4 * CAPACITY) - verb;
  const from = <usize>load<u32>(path), size = <usize>load<u32>(path, 4 * CAPACITY) - from;
  if (verbSize > MAX_METHOD || size > MAX_ODD) return 0;
  memory.copy(key, verb, verbSize);
  store<u8>(key + verbSize, SPACE);
  memory.copy(key + verbSize + 1, from, size);
  return verbSize + 1 + size;
}

function foldRoute(row: usize, key: usize): usize {
  const method = TEXTS + (row << 2), path = TEXTS + TEXT_SIZE + (row << 2);
  const verb = <usize>load<u32>(method), verbSize = <usize>load<u32>(method, 4 * CAPACITY) - verb;
  let into = key;
  if (verbSize > MAX_METHOD) return 0;
  if (verbSize == 0) { store<u8>(into, DASH); into += 1; }
  else {
    v128.store(into, v128.load(verb));
    v128.store(into, v128.load(verb, 16), 16);
    into += verbSize;
  }
  store<u8>(into, SPACE);
  into += 1;
  const from = <usize>load<u32>(path), to = <usize>load<u32>(path, 4 * CAPACITY);
  if (from == to) { store<u8>(into, SLASH); return into + 1 - key; }
  if (load<u8>(from) != SLASH) return 0;
  const end = foldLong(from, to, into);
  return end == 0 ? 0 : end - key;
}

/** Classes of the bytes of a path of at most 64, one bit each. */
let slashes: u64 = 0, digits: u64 = 0, hexes: u64 = 0, plains: u64 = 0;

/** A class is told by both halves of a byte: it has a bit that both tables have. */
const DIGIT: i8 = 1, IS_SLASH: i8 = 2, SIGN_2: i8 = 4, SIGN_3: i8 = 8, SIGN_4: i8 = 16, SIGN_5: i8 = 32, SIGN_7: i8 = 64;

/** False when a byte is none that a word of a route is made of. */
@inline
function classify(from: usize, size: usize): bool {
  const low = i8x16(
    DIGIT + SIGN_4, DIGIT + SIGN_2, DIGIT, DIGIT, DIGIT + SIGN_2, DIGIT, DIGIT, DIGIT + SIGN_2, DIGIT + SIGN_2, DIGIT + SIGN_2, SIGN_2 + SIGN_3, 0, 0, SIGN_2, SIGN_2 + SIGN_7, IS_SLASH + SIGN_5);
  const high = i8x16(0, 0, IS_SLASH + SIGN_2, DIGIT + SIGN_3, SIGN_4, SIGN_5, 0, SIGN_7, 0, 0, 0, 0, 0, 0, 0, 0);
  let slash: u64 = 0, digit: u64 = 0, hex: u64 = 0, plain: u64 = 0, known: u64 = 0;
  for (let i: usize = 0; i < size; i += 16) {
    const bytes = v128.load(from + i);
    const kind = v128.and(i8x16.swizzle(low, v128.and(bytes, i8x16.splat(15))), i8x16.swizzle(high, i8x16.shr_u(bytes, 4)));
    const letter = i8x16.sub(v128.or(bytes, i8x16.splat(32)), i8x16.splat(97));
    const isDigit = i8x16.eq(kind, i8x16.splat(DIGIT)), isLetter = i8x16.lt_u(letter, i8x16.splat(26));
    slash |= <u64>i8x16.bitmask(i8x16.eq(kind, i8x16.splat(IS_SLASH))) << i;
    digit |= <u64>i8x16.bitmask(isDigit) << i;
    hex |= <u64>i8x16.bitmask(v128.or(isDigit, i8x16.lt_u(letter, i8x16.splat(6)))) << i;
    plain |= <u64>i8x16.bitmask(i8x16.gt_u(kind, i8x16.splat(IS_SLASH))) << i;
    known |= <u64>i8x16.bitmask(v128.or(isLetter, i8x16.ne(kind, i8x16.splat(0)))) << i;
  }
  const valid = <u64>-1 >> (64 - size);
  slashes = slash & valid;
  digits = digit & valid;
  hexes = hex & valid;
  plains = plain & valid;
  return (known & valid) == valid;
}

/** Sixty-four bytes of ones, then of zeros: from 64 - n on, a mask of n bytes. */
const MASKS: usize = memory.data(128);

export function prepareMasks(): void { memory.fill(MASKS, 255, 64); }

/** Bytes of a key that shortKey() writes: a method and a route, or a path that JavaScript must fold, each filled up with zeros. */
export const SHORT_KEY: usize = 80;
const SHORT_METHOD: usize = 16, SHORT_PATH: usize = 64;
/** Stands for an id; no path that is folded here holds it. No such key holds a space, and every other one does. */
const ID_SIGN: u8 = 1;

/**
 * Writes a key of SHORT_KEY bytes for a row whose method and path are short, as nearly all are; false for others. `isOdd` tells that it holds the path as it stands.
 * The path's bytes are judged all at once, and everything is copied in whole blocks: a loop whose length differs by row would cost more than what it saves.
 */
export function shortKey(row: usize, key: usize): bool {
  const method = TEXTS + (row << 2), path = TEXTS + TEXT_SIZE + (row << 2);
  const verb = <usize>load<u32>(method), verbSize = <usize>load<u32>(method, 4 * CAPACITY) - verb;
  const from = <usize>load<u32>(path), size = <usize>load<u32>(path, 4 * CAPACITY) - from;
  if (verbSize - 1 >= SHORT_METHOD || size - 1 >= SHORT_PATH) return false;
  v128.store(key, v128.and(v128.load(verb), v128.load(MASKS + 64 - verbSize)));
  isOdd = load<u8>(from) != SLASH || !classify(from, size) || <i32>popcnt(slashes) > MAX_SEGMENTS || !foldShort(from, size, key + SHORT_METHOD);
  if (isOdd) copyRest(key + SHORT_METHOD, from, size);
  return true;
}

/** False when JavaScript must fold the path. */
@inline
function foldShort(from: usize, size: usize, start: usize): bool {
  let into = start;
  let kept: usize = 0;
  // Segments without a digit are words, but for very long ones of letters that are hex digits too.
  const ends = size == 64 ? slashes : slashes | <u64>1 << size;
  let left = <usize>popcnt(hexes) > GUID - 5 ? ~slashes & (<u64>-1 >> (64 - size)) : digits;
  while (left) {
    const at = <u64>ctz(left);
    const begin = <usize>(64 - clz(slashes & ((<u64>1 << at) - 1))), end = <usize>ctz(ends & (<u64>-1 << at));
    const mask = (<u64>-1 >> (64 - end)) & (<u64>-1 << begin);
    left &= ~mask;
    const counts = <u32>popcnt(digits & mask) | <u32>popcnt(hexes & mask) << 8 | <u32>popcnt(plains & mask) << 16;
    const kind = judge(from + begin, from + end, counts);
    if (kind < 0) return false;
    if (kind == 0) continue;
    copy64(into, from + kept);
    into += begin - kept;
    store<u8>(into, ID_SIGN);
    into += 1;
    kept = end;
  }
  copyRest(into, from + kept, size - kept);
  return true;
}

/** At most 64 bytes, and zeros up to there. */
@inline
function copyRest(into: usize, from: usize, size: usize): void {
  const mask = MASKS + 64 - size;
  v128.store(into, v128.and(v128.load(from), v128.load(mask)));
  v128.store(into, v128.and(v128.load(from, 16), v128.load(mask, 16)), 16);
  v128.store(into, v128.and(v128.load(from, 32), v128.load(mask, 32)), 32);
  v128.store(into, v128.and(v128.load(from, 48), v128.load(mask, 48)), 48);
}

@inline
function copy64(into: usize, from: usize): void {
  v128.store(into, v128.load(from));
  v128.store(into, v128.load(from, 16), 16);
  v128.store(into, v128.load(from, 32), 32);
  v128.store(into, v128.load(from, 48), 48);
}

function foldLong(from: usize, to: usize, start: usize): usize {
  let into = start;
  if (to - from >= MAX_ROUTE) return 0;
  let segments = 0;
  for (let at = from; at < to;) {
    segments += 1;
    if (segments > MAX_SEGMENTS) return 0;
    store<u8>(into, SLASH);
    into += 1;
    const begin = at + 1;
    let counts: u32 = 0;
    at = begin;
    for (; at < to; at += 1) {
      const code = load<u8>(at);
      if (code == SLASH) break;
      counts += load<u32>(KINDS + (<usize>code << 2));
      if (counts & IS_ODD) return 0;
    }
    const kind = judge(begin, at, counts);
    if (kind < 0) return 0;
    if (kind > 0) { store<u32>(into, ID); into += 4; } else into = copy(into, begin, at);
  }
  return into;
}

/** 1: an id; 0: a word; -1: one for JavaScript. */
@inline
function judge(from: usize, to: usize, counts: u32): i32 {
  const size = to - from;
  const digits = <usize>(counts & 255), hex = <usize>(counts >> 8 & 255), plain = <usize>(counts >> 16 & 255);
  if (size == GUID && hex == 32 && plain == 4 && load<u8>(from, 8) == DASH && load<u8>(from, 13) == DASH && load<u8>(from, 18) == DASH && load<u8>(from, 23) == DASH) return 1;
  if (digits == 0) return size >= GUID && hex > GUID - 5 ? -1 : 0;
  if (digits == size || (hex == size && size >= HEX_LENGTH)) return 1;
  if (size >= TOKEN || (plain > 0 && (digits + plain == size || endsInNumber(from, to)))) return -1;
  return load<u8>(from) == 48 && size >= HEX_LENGTH && (load<u8>(from, 1) | 32) == 120 ? -1 : 0;
}

/** order-1234: hex digits up to the end behind a dash or underscore. */
function endsInNumber(from: usize, to: usize): bool {
  let i = to - 1;
  while (i > from && load<u32>(KINDS + (<usize>load<u8>(i) << 2)) & IS_HEX) i -= 1;
  return i < to - 1 && (load<u8>(i) == DASH || load<u8>(i) == UNDERSCORE);
}

@inline
function copy(into: usize, from: usize, to: usize): usize {
  for (let at = from; at < to; at += 16) v128.store(into + (at - from), v128.load(at));
  return into + (to - from);
}

/** Writes the route that a key of a path folded here stands for, "METHOD route", as JavaScript writes it; its size, 0 when it must. */
export function writeRoute(row: usize, key: usize, size: usize, into: usize): usize {
  const method = TEXTS + (row << 2), verb = <usize>load<u32>(method), verbSize = <usize>load<u32>(method, 4 * CAPACITY) - verb;
  // A long key may be as large as short ones are; behind its method (a dash without one) stands a space.
  if (size != SHORT_KEY || load<u8>(key + max<usize>(1, verbSize)) == SPACE) { memory.copy(into, key, size); return size; }
  memory.copy(into, verb, verbSize);
  store<u8>(into + verbSize, SPACE);
  let at = into + verbSize + 1;
  for (let i = key + SHORT_METHOD; i < key + SHORT_KEY && load<u8>(i) != 0; i += 1) {
    if (load<u8>(i) != ID_SIGN) { store<u8>(at, load<u8>(i)); at += 1; } else { store<u32>(at, ID); at += 4; }
  }
  return at - into;
}
