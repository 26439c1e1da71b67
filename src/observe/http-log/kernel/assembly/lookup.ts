// Owns tables from text to number, in AssemblyScript: many rows a call, bytes compared 16 at a time. A table is a memory of answers that JavaScript gave; what it does not know it asks.
import { KEYS, KEY_ROOM, ROWS_ASKED, ROUTE_HASH, ROUTE_IDS, ROUTE_SIZE, ROUTE_TEXT, TEXTS, TEXT_SIZE, TABLES, TABLES_AT, TOUCHED, WANTED } from './memory';
import { SHORT_KEY, isOdd, routeKey, shortKey, writeRoute } from './fold';
import { hashOf } from './row';

/** Answers that are no number: the row has no such text; nobody said yet. */
const NO_TEXT: i32 = -2, UNKNOWN: i32 = -3;

/** JavaScript says the number of what a row names; a negative one is not remembered. */
@external("env", "judge")
export declare function judge(table: i32, row: i32): i32;
/** Steps from a text's own slot, at most: it bounds what texts that collide on purpose can cost. */
const STEPS: usize = 16;
/** Longer ones are not remembered. */
const MAX_TEXT: usize = 512;

/** Of each table: where its slots are, their mask, where its bytes are, their end, and how far they are used. */
const HEADS: usize = memory.data(20 * TABLES);
const SLOT: usize = 16;
/** The table of paths that are not folded here. */
const ODD: usize = 5, ODD_HEAD: usize = HEADS + 20 * ODD;

export function prepareTables(): void {
  let at: usize = TABLES_AT;
  // Routes, clients, agents, hosts, referrers, odd paths: slots, and bytes of text. layout.ts adds them up.
  at = lay(0, at, 32768, 2 << 20);
  at = lay(1, at, 131072, 2 << 20);
  at = lay(2, at, 8192, 1 << 20);
  at = lay(3, at, 4096, 256 << 10);
  at = lay(4, at, 16384, 1 << 20);
  at = lay(ODD, at, 32768, 2 << 20);
}

function lay(table: usize, at: usize, slots: usize, bytes: usize): usize {
  const head = HEADS + table * 20;
  store<usize>(head, at);
  store<usize>(head, slots - 1, 4);
  store<usize>(head, at + slots * SLOT, 8);
  store<usize>(head, at + slots * SLOT + bytes, 12);
  store<usize>(head, at + slots * SLOT, 16);
  return at + slots * SLOT + bytes;
}

/** Forgets all answers of a table. */
export function forget(table: usize): void {
  const head = HEADS + table * 20;
  if (load<usize>(head, 16) == load<usize>(head, 8)) return;
  memory.fill(load<usize>(head), 0, (load<usize>(head, 4) + 1) * SLOT);
  store<usize>(head, load<usize>(head, 8), 16);
}

/** Numbers of a text of the rows [begin, end) of those that take part. */
export function findTexts(table: usize, text: usize, begin: usize, end: usize, into: usize): void {
  const head = HEADS + table * 20;
  const column = TEXTS + text * TEXT_SIZE;
  for (let i = begin; i < end; i += 1) {
    const row = <usize>load<i32>(ROWS_ASKED + (i << 2)), cell = column + (row << 2);
    const from = <usize>load<u32>(cell), size = <usize>load<u32>(cell, TEXT_SIZE / 3) - from;
    let found = size == 0 ? NO_TEXT : probe(head, load<i32>(cell, 2 * TEXT_SIZE / 3), from, size);
    if (found == UNKNOWN) {
      found = judge(<i32>table, <i32>row);
      if (found >= 0) insert(table, load<i32>(cell, 2 * TEXT_SIZE / 3), from, size, found);
    }
    store<i32>(into + (i << 2), found);
  }
}

/** Where what the next rows need is not in the cache: reads all of it at once, so that they do not wait for one after the other. */
export function touchTexts(table: usize, text: usize, begin: usize, end: usize, sums: usize, width: usize): void {
  const head = HEADS + table * 20, slots = load<usize>(head), mask = load<usize>(head, 4);
  const hashes = TEXTS + text * TEXT_SIZE + 2 * TEXT_SIZE / 3;
  let touched = 0;
  for (let i = begin; i < end; i += 1) {
    const hash = load<i32>(hashes + (<usize>load<i32>(ROWS_ASKED + (i << 2)) << 2));
    const slot = slots + (<usize>(hash ^ <i32>(<u32>hash >> 15)) & mask) * SLOT;
    store<usize>(WANTED + (i - begin << 2), slot);
    touched |= load<i32>(slot, 12);
  }
  touchRecords(end - begin, sums, width, touched);
}

function touchRecords(count: usize, sums: usize, width: usize, before: i32): void {
  let touched = before;
  for (let i: usize = 0; i < count; i += 1) {
    const slot = load<usize>(WANTED + (i << 2));
    touched |= load<i32>(load<usize>(slot, 8)) | load<i32>(sums + <usize>max<i32>(0, load<i32>(slot, 12) - 1) * width);
  }
  store<i32>(TOUCHED, touched);
}

/** Numbers of method and route of the rows that take part. Each step is a loop of its own, so that what one row waits for is under way for all. */
export function findRoutes(begin: usize, end: usize, sums: usize, width: usize): void {
  const many = end - begin;
  for (let i: usize = 0; i < many; i += 1) {
    const key = KEYS + i * KEY_ROOM, row = <usize>load<i32>(ROWS_ASKED + (begin + i << 2));
    const length = shortKey(row, key) ? <i32>SHORT_KEY : <i32>routeKey(row, key);
    store<i32>(key + KEY_ROOM - 4, isOdd ? -length : length);
  }
  let touched = 0;
  for (let i: usize = 0; i < many; i += 1) {
    const key = KEYS + i * KEY_ROOM, told = load<i32>(key + KEY_ROOM - 4);
    const hash = abs(told) == <i32>SHORT_KEY ? hashShort(key) : hashOf(key, key + <usize>abs(told)), head = told < 0 ? ODD_HEAD : HEADS;
    const slot = load<usize>(head) + (<usize>(hash ^ <i32>(<u32>hash >> 15)) & load<usize>(head, 4)) * SLOT;
    store<i32>(key + KEY_ROOM - 8, hash);
    store<usize>(WANTED + (i << 2), slot);
    touched |= load<i32>(slot, 12);
  }
  touchRecords(many, sums, width, touched);
  for (let i: usize = 0; i < many; i += 1) {
    const key = KEYS + i * KEY_ROOM, told = load<i32>(key + KEY_ROOM - 4), hash = load<i32>(key + KEY_ROOM - 8), length = <usize>abs(told);
    let found = told == 0 ? UNKNOWN : probe(told < 0 ? ODD_HEAD : HEADS, hash, key, length);
    if (found == UNKNOWN) {
      const row = load<i32>(ROWS_ASKED + (begin + i << 2));
      const size = told <= 0 ? 0 : writeRoute(<usize>row, key, length, ROUTE_TEXT);
      store<u32>(ROUTE_SIZE, <u32>size);
      if (size > 0) store<i32>(ROUTE_HASH, hashOf(ROUTE_TEXT, ROUTE_TEXT + size));
      found = judge(0, row);
      if (found >= 0 && told != 0) insert(told < 0 ? ODD : 0, hash, key, length, found);
    }
    store<i32>(ROUTE_IDS + (begin + i << 2), found);
  }
}

/** Of SHORT_KEY bytes, all at once. */
@inline
function hashShort(key: usize): i32 {
  const a = i32x4.mul(v128.load(key), i32x4.splat(0x9E3779B1)), b = i32x4.mul(v128.load(key, 16), i32x4.splat(0x85EBCA77)), c = i32x4.mul(v128.load(key, 32), i32x4.splat(0xC2B2AE3D));
  const d = i32x4.mul(v128.load(key, 48), i32x4.splat(0x27D4EB2F)), e = i32x4.mul(v128.load(key, 64), i32x4.splat(0x165667B1));
  let lanes = i32x4.add(i32x4.add(v128.xor(a, i32x4.shr_u(a, 15)), v128.xor(b, i32x4.shr_u(b, 13))), i32x4.add(v128.xor(c, i32x4.shr_u(c, 16)), i32x4.add(v128.xor(d, i32x4.shr_u(d, 14)), v128.xor(e, i32x4.shr_u(e, 17)))));
  lanes = i32x4.mul(lanes, i32x4(0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1));
  lanes = v128.xor(lanes, i32x4.shr_u(lanes, 16));
  const low = i64x2.extract_lane(lanes, 0), high = i64x2.extract_lane(lanes, 1);
  const mixed = (low ^ (high << 1 | high >> 31)) * 0x9E3779B97F4A7C15;
  return <i32>(mixed >> 32) ^ <i32>mixed;
}

@inline
function probe(head: usize, hash: i32, from: usize, size: usize): i32 {
  const slots = load<usize>(head), mask = load<usize>(head, 4);
  let slot = <usize>(hash ^ <i32>(<u32>hash >> 15)) & mask;
  for (let step: usize = 0; step < STEPS; step += 1) {
    const at = slots + slot * SLOT;
    const id = load<i32>(at, 12);
    if (id == 0) return UNKNOWN;
    if (load<i32>(at) == hash && load<usize>(at, 4) == size && same(load<usize>(at, 8), from, size)) return id - 1;
    slot = (slot + 1) & mask;
  }
  return UNKNOWN;
}

/** Equal bytes. Whole blocks are loaded, of the last one only what belongs to the texts counts. */
@inline
function same(a: usize, b: usize, size: usize): bool {
  let i: usize = 0;
  for (; i + 16 <= size; i += 16) if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
  if (i == size) return true;
  const differ = <u32>~i8x16.bitmask(i8x16.eq(v128.load(a + i), v128.load(b + i)));
  return (differ & ((1 << <u32>(size - i)) - 1)) == 0;
}

function insert(table: usize, hash: i32, from: usize, size: usize, id: i32): void {
  if (size > MAX_TEXT) return;
  const head = HEADS + table * 20;
  if (load<usize>(head, 16) + size > load<usize>(head, 12)) forget(table);
  if (!put(head, hash, from, size, id)) { forget(table); put(head, hash, from, size, id); }
}

function put(head: usize, hash: i32, from: usize, size: usize, id: i32): bool {
  const slots = load<usize>(head), mask = load<usize>(head, 4);
  let slot = <usize>(hash ^ <i32>(<u32>hash >> 15)) & mask;
  for (let step: usize = 0; step < STEPS; step += 1) {
    const at = slots + slot * SLOT;
    if (load<i32>(at, 12) == 0) {
      const place = load<usize>(head, 16);
      memory.copy(place, from, size);
      store<usize>(head, place + size, 16);
      store<i32>(at, hash);
      store<usize>(at, size, 4);
      store<usize>(at, place, 8);
      store<i32>(at, id + 1, 12);
      return true;
    }
    slot = (slot + 1) & mask;
  }
  return false;
}
