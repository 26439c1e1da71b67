// Owns the quantiles of histograms that are still in the kernel's memory, in AssemblyScript: for a report that is made once, before JavaScript's loops are warm.
import { CELLS, CHUNK, PAGE, PAGES_AT, TURNS, TURNS_USED, TURN_SLOTS, WIDE } from './memory';
import { turnsAt } from './histogram';

/** Pages of an id: as many as its record has room for. */
const PAGES: usize = (WIDE - PAGES_AT) / 2;
/** Between two chunks their room is free: the ids asked for, what was found (three buckets and how many times there are), sums, which pages have cells that ran over. */
const ASKED: usize = CHUNK, FOUND: usize = CHUNK + 64 * 1024, SUMS: usize = FOUND + 16, TURNED: usize = SUMS + PAGES * PAGE * 4;
const TURNED_BYTES: usize = 8192;

/** Once before quantiles() is asked, and each time after rows were counted. */
export function prepareQuantiles(): void {
  memory.fill(SUMS, 0, PAGES * PAGE * 4 + TURNED_BYTES);
  if (load<i32>(TURNS_USED) == 0) return;
  for (let at = TURNS; at < TURNS + TURN_SLOTS * 8; at += 8) {
    const page = <usize>(load<u32>(at) >> 7);
    if (page != 0) store<u8>(TURNED + (page >> 3), load<u8>(TURNED + (page >> 3)) | (<u8>1 << <u8>(page & 7)));
  }
}

/** Finds the buckets at p50, p95 and p99 by nearest rank, of `count` histograms together whose records begin at `sums`. The same ranks as figures/quantiles.ts. */
export function quantiles(sums: usize, count: usize): void {
  let used: u64 = 0, total: u32 = 0;
  for (let i: usize = 0; i < count; i += 1) {
    const pages = sums + <usize>load<u32>(ASKED + (i << 2)) * WIDE + PAGES_AT;
    for (let index: usize = 0; index < PAGES; index += 1) {
      const page = <usize>load<u16>(pages + (index << 1));
      if (page == 0) continue;
      used |= <u64>1 << <u64>index;
      total += addPage(page, SUMS + index * PAGE * 4);
    }
  }
  store<u32>(FOUND, total, 12);
  find(used, total);
}

function addPage(page: usize, into: usize): u32 {
  let total: u32 = 0;
  const cells = CELLS + page * PAGE;
  for (let at: usize = 0; at < PAGE; at += 8) {
    if (load<u64>(cells + at) == 0) continue;
    for (let cell = at; cell < at + 8; cell += 1) {
      const times = <u32>load<u8>(cells + cell);
      store<u32>(into + (cell << 2), load<u32>(into + (cell << 2)) + times);
      total += times;
    }
  }
  if ((load<u8>(TURNED + (page >> 3)) >> <u8>(page & 7) & 1) == 0) return total;
  for (let cell: usize = 0; cell < PAGE; cell += 1) {
    const times = load<u32>(turnsAt(page * PAGE + cell), 4) << 8;
    store<u32>(into + (cell << 2), load<u32>(into + (cell << 2)) + times);
    total += times;
  }
  return total;
}

/** Walks over the sums in order and sets them to 0. */
function find(used: u64, total: u32): void {
  let seen: u32 = 0;
  const half = rank(0.5, total), most = rank(0.95, total), nearly = rank(0.99, total);
  for (let left = used; left != 0; left &= left - 1) {
    const index = <usize>ctz(left), sums = SUMS + index * PAGE * 4;
    for (let cell: usize = 0; cell < PAGE; cell += 1) {
      const times = load<u32>(sums + (cell << 2));
      if (times == 0) continue;
      store<u32>(sums + (cell << 2), 0);
      const bucket = <u32>(index * PAGE + cell), with_ = seen + times;
      if (seen < half && with_ >= half) store<u32>(FOUND, bucket);
      if (seen < most && with_ >= most) store<u32>(FOUND, bucket, 4);
      if (seen < nearly && with_ >= nearly) store<u32>(FOUND, bucket, 8);
      seen = with_;
    }
  }
}

function rank(share: f64, total: u32): u32 { return max<u32>(1, <u32>ceil<f64>(share * <f64>total)); }
