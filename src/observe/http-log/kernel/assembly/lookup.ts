// Owns tables from text to number, in AssemblyScript: many rows a call, bytes compared 16 at a time. A table is a memory of answers that JavaScript gave; what it does not know it says.
import { CHUNK, FOUND, KEYS, KEY_ROOM, MAX_CHUNK, ROWS_ASKED, TEXTS, TEXT_SIZE, TABLES } from './memory';
import { isOdd, routeKey } from './fold';
import { hashOf } from './row';

/** Answers that are no number: the row has no such text; nobody said yet. */
const NO_TEXT: i32 = -2, UNKNOWN: i32 = -3;
/** Steps from a text's own slot, at most: it bounds what texts that collide on purpose can cost. */
const STEPS: usize = 16;
/** Rows whose keys are made together. */
const TOGETHER: usize = 16;
/** Longer ones are not remembered. */
const MAX_TEXT: usize = 512;

/** Of each table: where its slots are, their mask, where its bytes are, their end, and how far they are used. */
const HEADS: usize = memory.data(20 * TABLES);
const SLOT: usize = 16;
/** The table of paths that are not folded here. */
const ODD: usize = 5, ODD_HEAD: usize = HEADS + 20 * ODD;

export function prepareTables(): void {
  let at: usize = CHUNK + MAX_CHUNK;
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

/** Numbers of a text of the rows asked; how many of them are unknown. */
export function find(table: usize, text: usize, count: i32): i32 {
  const head = HEADS + table * 20;
  const column = TEXTS + text * TEXT_SIZE;
  let unknown = 0;
  for (let i: usize = 0; i < <usize>count; i += 1) {
    const cell = column + (<usize>load<i32>(ROWS_ASKED + (i << 2)) << 2);
    const from = <usize>load<u32>(cell), size = <usize>load<u32>(cell, TEXT_SIZE / 3) - from;
    const found = size == 0 ? NO_TEXT : probe(head, load<i32>(cell, 2 * TEXT_SIZE / 3), from, size);
    store<i32>(FOUND + (i << 2), found);
    if (found == UNKNOWN) unknown += 1;
  }
  return unknown;
}

/** The number of one row's text: it may have become known since find(). */
export function again(table: usize, text: usize, row: usize): i32 {
  const cell = TEXTS + text * TEXT_SIZE + (row << 2);
  const from = <usize>load<u32>(cell), size = <usize>load<u32>(cell, TEXT_SIZE / 3) - from;
  return probe(HEADS + table * 20, load<i32>(cell, 2 * TEXT_SIZE / 3), from, size);
}

/** The number of a row's text is now known. */
export function learn(table: usize, text: usize, row: usize, id: i32): void {
  const cell = TEXTS + text * TEXT_SIZE + (row << 2);
  const from = <usize>load<u32>(cell);
  insert(table, load<i32>(cell, 2 * TEXT_SIZE / 3), from, <usize>load<u32>(cell, TEXT_SIZE / 3) - from, id);
}

/** Numbers of method and route of the rows asked; how many are unknown. */
export function findRoutes(count: i32): i32 {
  let unknown = 0;
  for (let begin: usize = 0; begin < <usize>count; begin += TOGETHER) {
    const size = min<usize>(TOGETHER, <usize>count - begin);
    // Keys are read in a second loop: a read of what was written in other pieces just now would wait for the writes.
    for (let i: usize = 0; i < size; i += 1) {
      const key = KEYS + i * KEY_ROOM;
      const length = <i32>routeKey(<usize>load<i32>(ROWS_ASKED + (begin + i << 2)), key);
      store<i32>(key + KEY_ROOM - 4, isOdd ? -length : length);
    }
    for (let i: usize = 0; i < size; i += 1) {
      const key = KEYS + i * KEY_ROOM, told = load<i32>(key + KEY_ROOM - 4), length = <usize>abs(told);
      const found = told == 0 ? UNKNOWN : probe(told < 0 ? ODD_HEAD : HEADS, hashOf(key, key + length), key, length);
      store<i32>(FOUND + (begin + i << 2), found);
      if (found == UNKNOWN) unknown += 1;
    }
  }
  return unknown;
}

/** The number of one row's method and route: it may have become known since findRoutes(). */
export function routeAgain(row: usize): i32 {
  const size = routeKey(row, KEYS);
  return size == 0 ? UNKNOWN : probe(isOdd ? ODD_HEAD : HEADS, hashOf(KEYS, KEYS + size), KEYS, size);
}

export function learnRoute(row: usize, id: i32): void {
  const size = routeKey(row, KEYS);
  if (size > 0) insert(isOdd ? ODD : 0, hashOf(KEYS, KEYS + size), KEYS, size, id);
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
