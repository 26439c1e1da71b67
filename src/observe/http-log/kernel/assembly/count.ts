// Owns the counting of a batch's rows, in AssemblyScript: what figures/ does in JavaScript for columns of other formats. JavaScript takes the counters away now and then.
import {
  AGENT_IDS, AGENT_SUMS, AT, CLIENT_IDS, CLIENT_SUMS, FAILURES, FIRST_AT, HOST_IDS, HOST_SUMS, LAST_AT, LEFT_OUT, LEVELS, LONGEST, MAX_AGENTS, MAX_CLIENTS, MAX_HOSTS, MAX_REFERRERS, MAX_ROUTES, MOST_SAMPLED, NARROW, OFFSET,
  OUTSIDE, RECORD, REFERRER_IDS, REFERRER_SUMS, ROUTE_IDS, ROUTE_SUMS, ROWS_ASKED, SAMPLES, SAMPLE_SIZES, SENT, SLOT_IDS, SLOT_MEMO, SLOT_MEMO_SLOTS, SLOT_SAMPLES, SLOT_SUMS, SLOW_FROM, SOURCE_SUMS, STATUS, STATUS_IDS, STATUS_MEMO, STATUS_MEMO_SLOTS, STATUS_SUMS, STEP_MS,
  SUB, TAKEN, TEXTS, TEXT_SIZE, TOGETHER, WIDE, WIN32,
} from './memory';
import { findRoutes, findTexts, judge, touchTexts } from './lookup';
import { addTimes, addTimesOf, findBuckets } from './histogram';

/** What judge() is asked for beside the tables. */
const STATUSES: i32 = 6, SLOTS: i32 = 7;
const FAILED_FROM: i32 = 500;
/** LEAST_LIMIT_MS of figures/limits.ts. */
const LIMITS_FROM: f64 = 40000;
/** Texts in the order of TEXTS. */
const CLIENT: usize = 3, AGENT: usize = 4, HOST: usize = 5, SITE: usize = 6, REFERRER: usize = 7;
const STEPS: usize = 16;

/** JavaScript looks at a row itself: the failed, the slow. */
@external("env", "pick")
declare function pick(place: i32): void;

let slotFrom: f64 = Infinity, slotTo: f64 = -Infinity, slot: i32 = 0;

export function forgetSlots(): void {
  memory.fill(SLOT_MEMO, 0, SLOT_MEMO_SLOTS * 16);
  slotTo = -Infinity;
}

export function forgetStatuses(): void { memory.fill(STATUS_MEMO, 0, STATUS_MEMO_SLOTS * 24); }

/** Which of `rows` rows take part: those of [from, to], without the SCM site's and our own unless `everything` is wanted. How many. */
export function choose(rows: i32, from: f64, to: f64, everything: bool): i32 {
  let first = load<f64>(FIRST_AT), last = load<f64>(LAST_AT), outside = 0, leftOut = 0;
  let into = ROWS_ASKED;
  for (let row: usize = 0; row < <usize>rows; row += 1) {
    const at = load<f64>(AT + (row << 3));
    if (!(at >= from && at <= to)) { outside += 1; continue; }
    if (!everything && isLeftOut(row)) { leftOut += 1; continue; }
    store<i32>(into, <i32>row);
    into += 4;
    if (at < first) first = at;
    if (at > last) last = at;
  }
  store<f64>(FIRST_AT, first);
  store<f64>(LAST_AT, last);
  store<i32>(OUTSIDE, outside);
  store<i32>(LEFT_OUT, leftOut);
  return <i32>((into - ROWS_ASKED) >> 2);
}

/** leftOut() of rows.ts: the site begins with "~1", or the agent with "app-service-diag/". */
@inline
function isLeftOut(row: usize): bool {
  const site = TEXTS + SITE * TEXT_SIZE + (row << 2), agent = TEXTS + AGENT * TEXT_SIZE + (row << 2);
  const siteAt = <usize>load<u32>(site), agentAt = <usize>load<u32>(agent);
  if (load<u16>(siteAt) == 0x317E && load<u32>(site, TEXT_SIZE / 3) - <u32>siteAt >= 2) return true;
  // app-serv ice-diag /
  return load<u64>(agentAt) == 0x767265732D707061 && load<u32>(agent, TEXT_SIZE / 3) - <u32>agentAt >= 17 && load<u64>(agentAt, 8) == 0x676169642D656369 && load<u8>(agentAt, 16) == 47;
}

/** Counts the rows that take part. `source`: the number of what is read; `sourceTimes`: of its histogram. */
export function count(rows: i32, source: i32, sourceTimes: i32): void {
  const many = <usize>rows;
  findBuckets(many);
  countStatuses(many);
  countSlots(many);
  for (let at: usize = 0; at < many; at += TOGETHER) findRoutes(at, min<usize>(many, at + TOGETHER), ROUTE_SUMS, WIDE);
  countRoutes(many);
  findTexts(3, HOST, 0, many, HOST_IDS);
  countTexts(HOST_IDS, HOST_SUMS, WIDE, MAX_HOSTS, many);
  findClients(many);
  countTexts(CLIENT_IDS, CLIENT_SUMS, NARROW, MAX_CLIENTS, many);
  findTexts(2, AGENT, 0, many, AGENT_IDS);
  countTexts(AGENT_IDS, AGENT_SUMS, WIDE, MAX_AGENTS, many);
  findTexts(4, REFERRER, 0, many, REFERRER_IDS);
  countTexts(REFERRER_IDS, REFERRER_SUMS, NARROW, MAX_REFERRERS, many);
  addTimes(STATUS_SUMS, STATUS_IDS, many);
  addTimes(SLOT_SUMS, SLOT_IDS, many);
  addTimes(ROUTE_SUMS, ROUTE_IDS, many);
  addTimes(HOST_SUMS, HOST_IDS, many);
  addTimes(AGENT_SUMS, AGENT_IDS, many);
  addTimesOf(SOURCE_SUMS + <usize>sourceTimes * WIDE, many);
  pickRows(many, source);
}

function findClients(many: usize): void {
  for (let at: usize = 0; at < many; at += TOGETHER) {
    const end = min<usize>(many, at + TOGETHER);
    touchTexts(1, CLIENT, at, end, CLIENT_SUMS, NARROW);
    findTexts(1, CLIENT, at, end, CLIENT_IDS);
  }
}

/** A comparison that is hardly ever true costs less than max(), which asks for NaN and signs of 0 too. */
@inline
function atLeast(at: usize, value: f64): void { if (value > load<f64>(at)) store<f64>(at, value); }

function countStatuses(many: usize): void {
  let status = -1, sub = 0, id = 0, failures = 0;
  let win32: f64 = 0, longest: f64 = 0;
  for (let i: usize = 0; i < many; i += 1) {
    const row = <usize>load<i32>(ROWS_ASKED + (i << 2)), at = load<f64>(AT + (row << 3)), ms = load<f64>(TAKEN + (row << 3));
    if (load<i32>(STATUS + (row << 2)) != status || load<i32>(SUB + (row << 2)) != sub || load<f64>(WIN32 + (row << 3)) != win32) {
      status = load<i32>(STATUS + (row << 2));
      sub = load<i32>(SUB + (row << 2));
      win32 = load<f64>(WIN32 + (row << 3));
      id = statusOf(row, status, sub, win32);
    }
    store<i32>(STATUS_IDS + (i << 2), id);
    const sums = STATUS_SUMS + <usize>id * WIDE;
    const before = load<u32>(sums);
    store<u32>(sums, before + 1);
    if (before == 0 || at < load<f64>(sums, 8)) store<f64>(sums, at, 8);
    if (before == 0 || at > load<f64>(sums, 16)) store<f64>(sums, at, 16);
    atLeast(sums + 24, ms);
    failures += i32(status >= FAILED_FROM);
    if (ms > longest) longest = ms;
  }
  store<i32>(FAILURES, failures);
  store<f64>(LONGEST, longest);
}

function statusOf(row: usize, status: i32, sub: i32, win32: f64): i32 {
  const mixed = <u32>((status ^ sub * 0x85EBCA77 ^ <i32><i64>win32 * 0xC2B2AE3D) * 0x9E3779B1);
  let place = <usize>(mixed >> 20);
  for (let step: usize = 0; step < STEPS; step += 1) {
    const at = STATUS_MEMO + place * 24, id = load<i32>(at, 16);
    if (id == 0) {
      const found = judge(STATUSES, <i32>row);
      store<i32>(at, status);
      store<i32>(at, sub, 4);
      store<f64>(at, win32, 8);
      store<i32>(at, found + 1, 16);
      return found;
    }
    if (load<i32>(at) == status && load<i32>(at, 4) == sub && load<f64>(at, 8) == win32) return id - 1;
    place = (place + 1) & (STATUS_MEMO_SLOTS - 1);
  }
  return judge(STATUSES, <i32>row);
}

function countSlots(many: usize): void {
  for (let i: usize = 0; i < many; i += 1) {
    const row = <usize>load<i32>(ROWS_ASKED + (i << 2)), at = load<f64>(AT + (row << 3));
    if (!(at >= slotFrom && at < slotTo)) findSlot(row, at);
    store<i32>(SLOT_IDS + (i << 2), slot);
    const sums = SLOT_SUMS + <usize>slot * WIDE;
    store<u32>(sums, load<u32>(sums) + 1);
    atLeast(sums + 24, load<f64>(TAKEN + (row << 3)));
    if (load<i32>(STATUS + (row << 2)) < FAILED_FROM) continue;
    const before = load<u32>(sums, 4);
    store<u32>(sums, before + 1, 4);
    if (before == 0 || at < load<f64>(sums, 8)) store<f64>(sums, at, 8);
    if (before == 0 || at > load<f64>(sums, 16)) store<f64>(sums, at, 16);
  }
}

function findSlot(row: usize, at: f64): void {
  const stepMs = load<f64>(STEP_MS), step = floor<f64>(at / stepMs);
  const memo = SLOT_MEMO + ((<usize><i64>step & (SLOT_MEMO_SLOTS - 1)) << 4);
  if (load<i32>(memo, 8) == 0 || load<f64>(memo) != step) {
    store<i32>(memo, judge(SLOTS, <i32>row) + 1, 8);
    store<f64>(memo, step);
  }
  slot = load<i32>(memo, 8) - 1;
  slotFrom = step * stepMs;
  slotTo = slotFrom + stepMs;
}

function countRoutes(many: usize): void {
  for (let i: usize = 0; i < many; i += 1) {
    const row = <usize>load<i32>(ROWS_ASKED + (i << 2)), id = load<i32>(ROUTE_IDS + (i << 2)), status = load<i32>(STATUS + (row << 2));
    const sums = ROUTE_SUMS + (id < 0 ? MAX_ROUTES : <usize>id) * WIDE, sent = load<f64>(SENT + (row << 3));
    store<u32>(sums, load<u32>(sums) + 1);
    if (status >= 400) {
      const which = sums + (status >= FAILED_FROM ? 4 : 8);
      store<u32>(which, load<u32>(which) + 1);
    }
    if (sent >= 0) {
      store<u32>(sums, load<u32>(sums, 12) + 1, 12);
      store<f64>(sums, load<f64>(sums, 16) + sent, 16);
    }
    atLeast(sums + 24, load<f64>(TAKEN + (row << 3)));
  }
}

/** Rows of -1 are those that are not told apart, of -2 those without the text. */
@inline
function countTexts(ids: usize, into: usize, width: usize, others: usize, many: usize): void {
  for (let i: usize = 0; i < many; i += 1) {
    const id = load<i32>(ids + (i << 2));
    if (id < -1) continue;
    const row = <usize>load<i32>(ROWS_ASKED + (i << 2));
    const sums = into + (id < 0 ? others : <usize>id) * width;
    store<u32>(sums, load<u32>(sums) + 1);
    store<u32>(sums, load<u32>(sums, 4) + u32(load<i32>(STATUS + (row << 2)) >= FAILED_FROM), 4);
    atLeast(sums + (width == WIDE ? 24 : 8), load<f64>(TAKEN + (row << 3)));
  }
}

/** Samples rows, and hands JavaScript those it wants to see; most it need not. */
function pickRows(many: usize, source: i32): void {
  for (let i: usize = 0; i < many; i += 1) {
    const row = <usize>load<i32>(ROWS_ASKED + (i << 2)), ms = load<f64>(TAKEN + (row << 3)), slot = <usize>load<i32>(SLOT_IDS + (i << 2));
    const chance = priority(<i64>load<f64>(OFFSET + (row << 3)), source);
    if (<u8>clz(chance) >= load<u8>(LEVELS + slot)) sample(i, slot, chance, source);
    if (load<i32>(STATUS + (row << 2)) >= FAILED_FROM || ms >= LIMITS_FROM || ms >= load<f64>(SLOW_FROM)) pick(<i32>i);
  }
}

/** Keeps a row as figures/samples.ts does. */
function sample(i: usize, slot: usize, chance: i32, source: i32): void {
  const records = SAMPLES + slot * SLOT_SAMPLES;
  let size = <u32>load<u8>(SAMPLE_SIZES + slot);
  const into = records + size * RECORD;
  store<i32>(into, chance);
  store<i32>(into, load<i32>(STATUS_IDS + (i << 2)), 4);
  store<i32>(into, load<i32>(ROUTE_IDS + (i << 2)), 8);
  store<i32>(into, load<i32>(HOST_IDS + (i << 2)), 12);
  store<i32>(into, load<i32>(CLIENT_IDS + (i << 2)), 16);
  store<i32>(into, source, 20);
  store<i32>(into, load<i32>(AGENT_IDS + (i << 2)), 24);
  size += 1;
  while (size > MOST_SAMPLED) {
    const level = load<u8>(LEVELS + slot) + 1;
    store<u8>(LEVELS + slot, level);
    size = thin(records, size, level);
  }
  store<u8>(SAMPLE_SIZES + slot, <u8>size);
}

/** Lets go of the records below a level; how many stay. */
function thin(records: usize, size: u32, level: u8): u32 {
  let to = records;
  const end = records + size * RECORD;
  for (let at = records; at < end; at += RECORD) {
    if (<u8>clz(load<i32>(at)) < level) continue;
    if (to < at) memory.copy(to, at, RECORD);
    to += RECORD;
  }
  return <u32>((to - records) / RECORD);
}

/** priorityOf() of figures/samples.ts. */
@inline
function priority(offset: i64, source: i32): i32 {
  let mixed = <i32>offset * 0x9E3779B1 ^ (<i32>(offset >> 32) + source * 0x632BE5AB) * 0x85EBCA77;
  mixed = (mixed ^ <i32>(<u32>mixed >> 16)) * 0x7FEB352D;
  mixed = (mixed ^ <i32>(<u32>mixed >> 15)) * 0x846CA68B;
  return mixed ^ <i32>(<u32>mixed >> 16);
}
