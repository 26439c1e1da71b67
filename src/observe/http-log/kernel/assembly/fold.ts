// Owns the folding of paths into routes, in AssemblyScript: what figures/fold.ts does for ordinary paths, and GUIDs. What is odd is left to JavaScript; a test compares the two.
import { CAPACITY, KEY, TEXTS, TEXT_SIZE } from './memory';

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

/** Writes what tells a row's route to KEY: "METHOD route", or as it stands a path that JavaScript must fold (told by `isOdd`). Its size; 0 when it is too long to be remembered. */
export function routeKey(row: usize): usize {
  const size = foldRoute(row);
  isOdd = size == 0;
  return isOdd ? oddKey(row) : size;
}

export let isOdd: bool = false;

function oddKey(row: usize): usize {
  const method = TEXTS + (row << 2), path = TEXTS + TEXT_SIZE + (row << 2);
  const verb = <usize>load<u32>(method), verbSize = <usize>load<u32>(method, 4 * CAPACITY) - verb;
  const from = <usize>load<u32>(path), size = <usize>load<u32>(path, 4 * CAPACITY) - from;
  if (verbSize > MAX_METHOD || size > MAX_ODD) return 0;
  memory.copy(KEY, verb, verbSize);
  store<u8>(KEY + verbSize, SPACE);
  memory.copy(KEY + verbSize + 1, from, size);
  return verbSize + 1 + size;
}

function foldRoute(row: usize): usize {
  const method = TEXTS + (row << 2), path = TEXTS + TEXT_SIZE + (row << 2);
  const verb = <usize>load<u32>(method), verbSize = <usize>load<u32>(method, 4 * CAPACITY) - verb;
  let into = KEY;
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
  if (from == to) { store<u8>(into, SLASH); return into + 1 - KEY; }
  if (to - from >= MAX_ROUTE || load<u8>(from) != SLASH) return 0;
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
  return into - KEY;
}

/** 1: an id; 0: a word; -1: one for JavaScript. */
// @ts-ignore: decorator
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

// @ts-ignore: decorator
@inline
function copy(into: usize, from: usize, to: usize): usize {
  for (let at = from; at < to; at += 16) v128.store(into + (at - from), v128.load(at));
  return into + (to - from);
}
