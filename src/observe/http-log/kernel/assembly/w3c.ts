// Owns the inner loop over W3C rows, in AssemblyScript: bytes in this memory to typed columns in this memory, 16 bytes at a time.
// Compiled to WebAssembly by scripts/build.ts; tsc and the linter do not know the dialect. kernel.ts is the only one that calls it.
import { BASE, COMMENTS, LINES, MALFORMED, PLACES, ROWS, CAPACITY, DIRECTIVE_AT, DIRECTIVE_END, MAX_LINE, PLACES_KEPT, bump } from './memory';
import { prepareKinds, prepareMasks } from './fold';
import { prepareTables } from './lookup';
import { decode } from './row';
export { forget } from './lookup';
export { choose, count, forgetSlots, forgetStatuses } from './count';
export { prepareQuantiles, quantiles } from './quantiles';

const LF: u8 = 10, CR: u8 = 13, SPACE: u8 = 32, HASH: u8 = 35;

/** What run() came back for. */
const DONE: i32 = 0, FULL: i32 = 1, DIRECTIVE: i32 = 2;

/** Bytes indexed at once: places within fit 16 bits, and the index stays in the first cache. */
const WINDOW: usize = 16 * 1024;
/** Places of spaces and LFs of the window, counted from one byte before it; entry 0 stands for that byte, as if a line had ended there. */
const ENDS: usize = BASE;
/** Which entries of ENDS are LFs. */
const LFS: usize = ENDS + 2 * (WINDOW + 80);
/** Column ends of a line that is read the slow way, as addresses. */
const SLOW: usize = LFS + 2 * (WINDOW + 80);
const MAX_COLUMNS: i32 = 256;

/** Columns a row must have; -1: no line is a row. */
let columns: i32 = -1;
let cursor: usize = 0;
let end: usize = 0;
/** What to add to an address to get the offset in the file. */
let toOffset: f64 = 0;
let windowAt: usize = 0;
let lines: i32 = 0;
let line: i32 = 0;
let entry: usize = 1;
let hasNul: bool = false;
/** The first line of a file may begin with a byte order mark. */
let markAt: usize = 0;

export function prepare(): void {
  prepareKinds();
  prepareMasks();
  prepareTables();
}

export function setColumns(count: i32): void { columns = count; }

/** Lines of [from, to) are next; offset is that of `from` in the file. */
export function begin(from: usize, to: usize, offset: f64): void {
  cursor = from;
  end = to;
  toOffset = offset - <f64>from;
  markAt = offset == 0 ? from : 0;
  lines = 0;
  line = 0;
  store<i32>(ROWS, 0);
  store<i32>(LINES, 0);
  store<i32>(COMMENTS, 0);
  store<i32>(MALFORMED, 0);
}

/** Where the unfinished line begins. */
export function rest(): usize { return cursor; }

/** Reads on until the columns are full, a directive was met, or no whole line is left. */
export function run(): i32 {
  for (;;) {
    while (line < lines) {
      const last = <usize>load<u16>(LFS + (<usize>line << 1));
      const at = windowAt + load<u16>(ENDS + ((entry - 1) << 1)) + 1;
      const lf = windowAt + load<u16>(ENDS + (last << 1));
      const told = whole(at, lf, last);
      if (told == FULL) return FULL;
      line += 1;
      entry = last + 1;
      cursor = lf + 1;
      if (told == DIRECTIVE) return DIRECTIVE;
    }
    if (cursor >= end) return DONE;
    const to = min<usize>(end, cursor + WINDOW);
    index(cursor, to);
    if (lines > 0) continue;
    const lf = findLf(to);
    if (lf == 0) return DONE;
    if (load<i32>(ROWS) == CAPACITY) return FULL;
    const at = cursor;
    cursor = lf + 1;
    if (lf - at > MAX_LINE) { bump(LINES); malformed(at); }
    else if (other(at, lf) == DIRECTIVE) return DIRECTIVE;
  }
  return DONE;
}

/** One line of the index, from `at` to its LF. */
@inline
function whole(at: usize, lf: usize, last: usize): i32 {
  if (load<i32>(ROWS) == CAPACITY) return FULL;
  if (<i32>(last - entry) + 1 != columns || load<u8>(at) == HASH || hasNul || at == markAt) return other(at, lf);
  bump(LINES);
  const lastEntry = ENDS + (last << 1);
  const isCr = load<u8>(lf - 1) == CR;
  // The last column ends before the CR; what follows needs the LF's own place again.
  if (isCr) store<u16>(lastEntry, load<u16>(lastEntry) - 1);
  const good = decode<u16>(ENDS + (entry << 1), windowAt, <f64>at + toOffset);
  if (isCr) store<u16>(lastEntry, load<u16>(lastEntry) + 1);
  if (good) bump(ROWS); else malformed(at);
  return DONE;
}

/** A line that is no plain row: a comment, damaged, with NUL bytes, very long, or the first one. */
function other(begins: usize, lf: usize): i32 {
  let at = begins;
  let to = lf;
  bump(LINES);
  if (to > at && load<u8>(to - 1) == CR) to -= 1;
  if (at == markAt && to - at >= 3 && load<u8>(at) == 0xEF && load<u8>(at + 1) == 0xBB && load<u8>(at + 2) == 0xBF) at += 3;
  while (at < to && load<u8>(at) == 0) at += 1;
  if (at == to) { bump(COMMENTS); return DONE; }
  if (load<u8>(at) == HASH) {
    bump(COMMENTS);
    store<usize>(DIRECTIVE_AT, at);
    store<usize>(DIRECTIVE_END, to);
    return DIRECTIVE;
  }
  let found = 0;
  for (let i = at; i < to; i += 1) {
    const byte = load<u8>(i);
    if (byte == 0) { malformed(begins); return DONE; }
    if (byte != SPACE) continue;
    found += 1;
    if (found > MAX_COLUMNS) { malformed(begins); return DONE; }
    store<u32>(SLOW + (<usize>found << 2), <u32>i);
  }
  if (found + 1 != columns) { malformed(begins); return DONE; }
  store<u32>(SLOW, <u32>(at - 1));
  store<u32>(SLOW + (<usize>columns << 2), <u32>to);
  if (decode<u32>(SLOW + 4, 0, <f64>begins + toOffset)) bump(ROWS); else malformed(begins);
  return DONE;
}

function malformed(at: usize): void {
  const before = load<i32>(MALFORMED);
  if (before < PLACES_KEPT) store<f64>(PLACES + (<usize>before << 3), <f64>at + toOffset);
  store<i32>(MALFORMED, before + 1);
}

/** Writes down the places of spaces and LFs in [from, to), 64 bytes a turn. Unrolled by hand: no compiler on the way does it. */
function index(from: usize, to: usize): void {
  const spaces = i8x16.splat(SPACE), lfs = i8x16.splat(LF);
  let smallest = i8x16.splat(-1);
  let ends = ENDS + 2;
  let lfsAt = LFS;
  let place: u32 = 1;
  store<u16>(ENDS, 0);
  for (let at = from; at < to; at += 64) {
    const b0 = v128.load(at), b1 = v128.load(at, 16), b2 = v128.load(at, 32), b3 = v128.load(at, 48);
    const l0 = i8x16.eq(b0, lfs), l1 = i8x16.eq(b1, lfs), l2 = i8x16.eq(b2, lfs), l3 = i8x16.eq(b3, lfs);
    let ofLf = word(l0, l1, l2, l3);
    let all = ofLf | word(i8x16.eq(b0, spaces), i8x16.eq(b1, spaces), i8x16.eq(b2, spaces), i8x16.eq(b3, spaces));
    smallest = i8x16.min_u(smallest, i8x16.min_u(i8x16.min_u(b0, b1), i8x16.min_u(b2, b3)));
    if (at + 64 > to) {
      const valid = ((<u64>1) << (to - at)) - 1;
      all &= valid;
      ofLf &= valid;
    }
    while (ofLf) {
      store<u16>(lfsAt, <u16>(((ends - ENDS) >> 1) + popcnt(all & (ofLf - 1 & ~ofLf))));
      lfsAt += 2;
      ofLf &= ofLf - 1;
    }
    const found = <usize>popcnt(all);
    put4(ends, all, place);
    if (found > 4) {
      let into = ends + 8;
      let left = clear4(all);
      for (; left; left = clear4(left)) { put4(into, left, place); into += 8; }
    }
    ends += found << 1;
    place += 64;
  }
  windowAt = from - 1;
  lines = <i32>((lfsAt - LFS) >> 1);
  line = 0;
  entry = 1;
  // Bytes after `to` in the last block may be 0 as well: such lines are then looked at twice, not wrongly.
  hasNul = v128.any_true(i8x16.eq(smallest, i8x16.splat(0)));
}

/** The first LF at or after `from`, 0 if there is none. */
function findLf(from: usize): usize {
  const lfs = i8x16.splat(LF);
  for (let at = from; at < end; at += 16) {
    const bits = i8x16.bitmask(i8x16.eq(v128.load(at), lfs));
    if (bits == 0) continue;
    const lf = at + <usize>ctz(bits);
    return lf < end ? lf : 0;
  }
  return 0;
}

/** The places of the four lowest set bits; all four slots are written, the next call overwrites those too many. */
@inline
function put4(ends: usize, bits: u64, place: u32): void {
  let left = bits;
  store<u16>(ends, <u16>(place + <u32>ctz(left)));
  left &= left - 1;
  store<u16>(ends, <u16>(place + <u32>ctz(left)), 2);
  left &= left - 1;
  store<u16>(ends, <u16>(place + <u32>ctz(left)), 4);
  left &= left - 1;
  store<u16>(ends, <u16>(place + <u32>ctz(left)), 6);
}

/** Without the four lowest set bits. */
@inline
function clear4(bits: u64): u64 {
  let left = bits & (bits - 1);
  left &= left - 1;
  left &= left - 1;
  return left & (left - 1);
}

/** One bit for each of 64 bytes. */
@inline
function word(a: v128, b: v128, c: v128, d: v128): u64 {
  return <u64>(<u32>i8x16.bitmask(a) | (<u32>i8x16.bitmask(b) << 16)) | (<u64>(<u32>i8x16.bitmask(c) | (<u32>i8x16.bitmask(d) << 16)) << 32);
}
