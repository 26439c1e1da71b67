// Owns one track of history: its rows that wait for the disk, and the file they go to.
import { rm } from 'node:fs/promises';
import type { MetricId } from '../shared/metrics.ts';
import type { ProcessKey, Sample } from '../shared/model.ts';
import { CHUNK_ROWS, makeHistory, newestIn, openForWriting, openHistory, setAside, type HistoryFile } from './history-file.ts';
import { encodeRow, positionOf, slotAt, valueAt, wantedHeader, type TierLayout } from './history-layout.ts';
import type { Losses } from './losses.ts';
import { createTurns } from './turns.ts';

/** How far the file's own word about its newest row may lag: one small write a minute instead of one per flush. */
const LAG_MS = 60_000;
/** A row of the future beyond this was written while the clock was wrong: it may be replaced. */
const FUTURE_MS = 60_000;
/** Damaged rows are told apart up to this many, so that reading one twice does not count it twice. */
const KNOWN_DAMAGED = 1_000;
const DAMAGED_FILES = 'files of history that were damaged';

export interface Track {
  readonly process: ProcessKey | undefined;
  /** Newest instant written or found. 0: none yet. */
  readonly lastAt: number;
  /** Rows that wait for the disk. */
  readonly waiting: number;
  /** Merges values into the row of a slot. */
  put(tier: number, slot: number, values: Sample['values']): void;
  /** Whether this slot already waits: merging into it costs no new row. */
  holds(tier: number, slot: number): boolean;
  /** Puts the waiting rows on disk. On failure they wait on. */
  flush(now: number): Promise<void>;
  /** Rows of the slots in [from, to], oldest first, disk and waiting ones merged; `values` is reused between calls, NaN = missing. */
  rows(stepMs: number, from: number, to: number, metrics: readonly MetricId[], visit: (slot: number, values: Float64Array) => void): Promise<void>;
  /** Lets go of the file, and writes down its newest instant unless another agent is its writer now; a later write opens it again. */
  rest(writes?: boolean): Promise<void>;
  /** Lets go of the file and deletes it; what waits is lost. */
  remove(): Promise<void>;
}

type Rows = Map<number, Float64Array>;

interface State {
  readonly path: string;
  readonly losses: Losses;
  readonly wanted: ReturnType<typeof wantedHeader>;
  readonly columns: ReadonlyMap<string, number>;
  pending: Rows[];
  flushing: Rows[];
  file: HistoryFile | undefined;
  lastAt: number;
  /** What the file says; rows on disk are at most LAG_MS newer. */
  saidAt: number;
  /** Per tier: no row on disk is newer, so a newer one needs no look at what is there. */
  readonly newest: number[];
  readonly damaged: Set<string>;
}

/** lastAt: as found on disk; absent for a new track. */
export function createTrack(path: string, instance: string, process: ProcessKey | undefined, losses: Losses, lastAt = 0): Track {
  const wanted = wantedHeader(instance, process);
  const none = (): Rows[] => wanted.tiers.map(() => new Map<number, Float64Array>());
  const state: State = { path, losses, wanted, columns: new Map(wanted.metrics.map((id, i) => [id, i])), pending: none(), flushing: none(), file: undefined, lastAt, saidAt: 0, newest: wanted.tiers.map(() => 0), damaged: new Set() };
  const turns = createTurns();
  return {
    process,
    get lastAt() { return state.lastAt; },
    get waiting() { return state.pending.reduce((n, rows) => n + rows.size, 0); },
    put: (tier, slot, values) => { put(state, tier, slot, values); },
    holds: (tier, slot) => state.pending[tier]?.has(slot) ?? false,
    flush: (now) => turns.take(async () => {
      if (state.pending.every((rows) => rows.size === 0)) return;
      [state.flushing, state.pending] = [state.pending, none()];
      try {
        await flushRows(state, now);
      } catch (error) {
        state.flushing.forEach((rows, tier) => { giveBack(rows, state.pending[tier] ?? new Map()); });
        throw error;
      } finally {
        state.flushing = none();
      }
    }),
    rows: (stepMs, from, to, metrics, visit) => turns.take(() => readRows(state, { stepMs, from, to, metrics, visit })),
    rest: (writes = true) => turns.take(() => rest(state, writes)),
    remove: () => turns.take(async () => {
      await state.file?.close();
      state.file = undefined;
      await rm(path, { force: true });
    }),
  };
}

function put(state: State, tier: number, slot: number, values: Sample['values']): void {
  const rows = state.pending[tier];
  if (!rows) return;
  let row = rows.get(slot);
  if (!row) { row = new Float64Array(state.columns.size).fill(NaN); rows.set(slot, row); }
  for (const id in values) {
    const column = state.columns.get(id);
    const value = values[id as MetricId];
    if (column !== undefined && value !== undefined && Number.isFinite(value)) row[column] = value;
  }
  state.lastAt = Math.max(state.lastAt, slot);
}

/** Rows whose write failed wait on; what came for them since is newer. */
function giveBack(rows: Rows, pending: Rows): void {
  for (const [slot, row] of rows) {
    const newer = pending.get(slot);
    if (newer) merge(row, newer);
    pending.set(slot, row);
  }
}

function merge(into: Float64Array, newer: Float64Array): void {
  newer.forEach((value, i) => { if (!Number.isNaN(value)) into[i] = value; });
}

async function flushRows(state: State, now: number): Promise<void> {
  const file = state.file ??= await openOrMake(state);
  if (state.lastAt > state.saidAt + LAG_MS) {
    await file.setLastAt(state.lastAt);                        // before the rows: the word may be too new for a moment, never too old
    state.saidAt = state.lastAt;
  }
  for (const [index, rows] of state.flushing.entries()) {
    const tier = file.layout.tiers[index];
    if (!tier) continue;
    for (const run of runsOf(tier, [...rows.keys()].sort((a, b) => a - b))) await writeRun(state, file, { index, tier, run, rows, now });
  }
}

/** Slots that lie beside each other in the ring, in pieces. */
function runsOf(tier: TierLayout, slots: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const slot of slots) {
    const run = runs.at(-1);
    const next = run && (run.at(-1) ?? 0) + tier.stepMs === slot && positionOf(tier, slot) > 0 && run.length < CHUNK_ROWS;
    if (next) run.push(slot); else runs.push([slot]);
  }
  return runs;
}

async function writeRun(state: State, file: HistoryFile, { index, tier, run, rows, now }: { index: number; tier: TierLayout; run: readonly number[]; rows: Rows; now: number }): Promise<void> {
  const { rowBytes } = file.layout;
  const first = run[0] ?? 0;
  const last = run.at(-1) ?? 0;
  const position = positionOf(tier, first);
  const buffer = Buffer.alloc(run.length * rowBytes);
  if (first <= (state.newest[index] ?? Infinity)) await file.read(tier, position, buffer);
  run.forEach((slot, i) => { mergeRow(state, file, { tier, buffer, offset: i * rowBytes, slot, row: rows.get(slot), now }); });
  await file.write(tier, position, buffer);
  state.newest[index] = Math.max(state.newest[index] ?? 0, last);
}

/** Puts one row into the buffer over what the disk has there: the same slot is added to, an older lap is overwritten, a newer one stays. */
function mergeRow(state: State, file: HistoryFile, { tier, buffer, offset, slot, row, now }: { tier: TierLayout; buffer: Buffer; offset: number; slot: number; row: Float64Array | undefined; now: number }): void {
  const { layout } = file;
  const there = slotAt(buffer, offset, layout.rowBytes);
  if (there === undefined) countDamaged(state, tier.stepMs, slot);
  if (there !== undefined && there > slot && there <= now + FUTURE_MS) { state.losses.add('rows too old for their tier of history'); return; }
  const whole = new Float64Array(layout.header.metrics.length).fill(NaN);
  if (there === slot) whole.forEach((_, column) => { whole[column] = valueAt(buffer, offset, column); });
  state.wanted.metrics.forEach((id, i) => {
    const value = row?.[i] ?? NaN;
    const column = layout.columns.get(id);
    if (column !== undefined && !Number.isNaN(value)) whole[column] = value;
  });
  encodeRow(buffer, offset, slot, whole);
}

function countDamaged(state: State, stepMs: number, slot: number): void {
  const row = `${stepMs} ${slot}`;
  if (state.damaged.has(row)) return;
  if (state.damaged.size < KNOWN_DAMAGED) state.damaged.add(row);
  state.losses.add('rows of history that were damaged');
}

async function openOrMake(state: State): Promise<HistoryFile> {
  const found = await openForWriting(state.path, state.wanted);
  if (typeof found !== 'string') {
    const saidAt = await found.lastAt();
    state.saidAt = saidAt ?? 0;
    // How new its rows can be: what the file does not say is taken as very new, which costs reads but loses nothing.
    state.newest.forEach((at, i) => { state.newest[i] = Math.max(at, saidAt === undefined ? Infinity : saidAt + LAG_MS); });
    return found;
  }
  if (found === 'damaged') {
    await setAside(state.path);
    state.losses.add(DAMAGED_FILES);
  }
  await makeHistory(state.path, state.wanted);
  const made = await openHistory(state.path, 'r+');
  if (typeof made === 'string') throw new Error(`${state.path} is ${made} after it was made`);
  state.saidAt = 0;
  state.newest.fill(0);
  return made;
}

async function rest(state: State, writes: boolean): Promise<void> {
  const { file } = state;
  if (!file) return;
  state.file = undefined;
  try {
    if (writes && state.lastAt > state.saidAt) { await file.setLastAt(state.lastAt); state.saidAt = state.lastAt; }
  } finally {
    await file.close();
  }
}

interface Reading { readonly stepMs: number; readonly from: number; readonly to: number; readonly metrics: readonly MetricId[]; visit(slot: number, values: Float64Array): void }

async function readRows(state: State, reading: Reading): Promise<void> {
  const opened = state.file ?? await openHistory(state.path, 'r');
  const file = typeof opened === 'string' ? undefined : opened;
  try {
    const tier = file?.layout.tiers.find((t) => t.stepMs === reading.stepMs);
    const rows = tier?.rows ?? CHUNK_ROWS;
    for (let slot = reading.from; slot <= reading.to;) {
      const left = (reading.to - slot) / reading.stepMs + 1;
      const count = Math.min(CHUNK_ROWS, left, tier ? rows - positionOf(tier, slot) : CHUNK_ROWS);
      await readChunk(state, reading, { slot, count, file, tier });
      slot += count * reading.stepMs;
    }
  } finally {
    if (file && file !== state.file) await file.close();
  }
}

async function readChunk(state: State, reading: Reading, { slot, count, file, tier }: { slot: number; count: number; file: HistoryFile | undefined; tier: TierLayout | undefined }): Promise<void> {
  const index = state.wanted.tiers.findIndex((t) => t.stepMs === reading.stepMs);
  const overlays = [state.flushing[index], state.pending[index]];
  const rowBytes = file?.layout.rowBytes ?? 0;
  const buffer = Buffer.alloc(file && tier ? count * rowBytes : 0);
  if (file && tier) await file.read(tier, positionOf(tier, slot), buffer);
  const onDisk = reading.metrics.map((id) => file?.layout.columns.get(id));
  const waiting = reading.metrics.map((id) => state.columns.get(id));
  const values = new Float64Array(reading.metrics.length);
  for (let i = 0; i < count; i += 1) {
    const at = slot + i * reading.stepMs;
    const there = buffer.length > 0 ? slotAt(buffer, i * rowBytes, rowBytes) : 0;
    if (there === undefined) countDamaged(state, reading.stepMs, at);
    const rows = overlays.map((rowsOf) => rowsOf?.get(at));
    if (there !== at && rows.every((row) => row === undefined)) continue;
    state.lastAt = Math.max(state.lastAt, at);                 // another agent may be the writer
    onDisk.forEach((column, m) => { values[m] = there === at && column !== undefined ? valueAt(buffer, i * rowBytes, column) : NaN; });
    for (const row of rows) waiting.forEach((column, m) => { const value = column === undefined ? NaN : row?.[column] ?? NaN; if (!Number.isNaN(value)) values[m] = value; });
    reading.visit(at, values);
  }
}

/** A track as it lies on disk; undefined when there is none, or it was damaged (and set aside, by the one that writes here). */
export async function findTrack(path: string, losses: Losses, writes: boolean): Promise<Track | undefined> {
  const file = await openHistory(path, 'r');
  if (file === 'missing') return undefined;
  if (file === 'damaged') {
    if (writes) await setAside(path);
    losses.add(DAMAGED_FILES);
    return undefined;
  }
  try {
    const { header } = file.layout;
    return createTrack(path, header.instance, header.process, losses, await newestIn(file, LAG_MS));
  } finally {
    await file.close();
  }
}
