// Owns the histograms in the kernel's memory, in AssemblyScript: the same pages and cells as figures/histograms.ts, one pool for all kinds.
import { BUCKETS, CELLS, PAGE, PAGES_AT, PAGES_USED, PLACE_OF, ROWS_ASKED, TAKEN, TURNS, TURNS_USED, TURN_SLOTS, WIDE } from './memory';

/** Of buckets.ts: what is beyond counts in the last bucket. Here times are whole, so the powers below 128 have no pages: the page behind that of the smallest ones is that of 128. */
const MOST: f64 = 1099511627775.9998, ORIGIN: i32 = ((1023 + 7) << 7) - 128;

/** Buckets of the time taken of the rows that take part. */
export function findBuckets(count: usize): void {
  for (let i: usize = 0; i < count; i += 1) {
    const ms = load<f64>(TAKEN + (<usize>load<i32>(ROWS_ASKED + (i << 2)) << 3));
    store<i32>(BUCKETS + (i << 2), ms < 128 ? <i32>ms : <i32>(reinterpret<u64>(min<f64>(ms, MOST)) >> 45) - ORIGIN);
  }
}

/** Counts each row to the histogram of its id; records begin at `sums`. Rows of a negative id or bucket take no part. */
export function addTimes(sums: usize, ids: usize, count: usize): void {
  for (let i: usize = 0; i < count; i += 1) {
    const id = load<i32>(ids + (i << 2)), bucket = load<i32>(BUCKETS + (i << 2));
    if ((id | bucket) >= 0) addTime(sums + <usize>id * WIDE + PAGES_AT, <usize>bucket);
  }
}

/** Counts all rows to one histogram. */
export function addTimesOf(record: usize, count: usize): void {
  for (let i: usize = 0; i < count; i += 1) {
    const bucket = load<i32>(BUCKETS + (i << 2));
    if (bucket >= 0) addTime(record + PAGES_AT, <usize>bucket);
  }
}

@inline
function addTime(pages: usize, bucket: usize): void {
  const place = pages + (bucket >> 7 << 1);
  let page = <usize>load<u16>(place);
  if (page == 0) page = newPage(place);
  const cell = page * PAGE + (bucket & 127);
  const now = load<u8>(CELLS + cell) + 1;
  store<u8>(CELLS + cell, now);
  if (now == 0) turn(cell);
}

/** Page 0 is never used. JavaScript takes all pages away before there are too many for a batch. */
function newPage(place: usize): usize {
  const page = <usize>load<i32>(PAGES_USED) + 1;
  store<i32>(PAGES_USED, <i32>page);
  store<u16>(place, <u16>page);
  store<u32>(PLACE_OF + (page << 2), <u32>place);
  return page;
}

/** A cell of 8 bits ran over. */
function turn(cell: usize): void {
  const at = turnsAt(cell);
  if (load<u32>(at) == 0) {
    store<u32>(at, <u32>cell);
    store<i32>(TURNS_USED, load<i32>(TURNS_USED) + 1);
  }
  store<u32>(at, load<u32>(at, 4) + 1, 4);
}

/** Where the turns of a cell stand, behind the cell itself; where they would, the cell is 0, and so are its turns. */
export function turnsAt(cell: usize): usize {
  let slot = <usize>((<u32>cell * 0x9E3779B1) >> 16);
  for (;;) {
    const at = TURNS + (slot << 3), key = load<u32>(at);
    if (key == 0 || key == <u32>cell) return at;
    slot = (slot + 1) & (TURN_SLOTS - 1);
  }
  return 0;
}
