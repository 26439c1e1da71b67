// Owns taking what a trigger asks for: names, room, allowed pause, the files themselves, and a record beside each.
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DiagError } from '../shared/errors.ts';
import type { ProcessInfo } from '../shared/model.ts';
import { bytes, duration } from '../shared/units.ts';
import { guardedSnapshot } from '../analyze/heap-snapshot.ts';
import { diskOf } from '../platform/disk.ts';
import { cpuProfile, heapProfile } from '../platform/node-heap.ts';
import type { DumpKind, DumpResult, Platform } from '../platform/platform.ts';
import { writeAtomic } from '../store/atomic.ts';
import { keepRecord, notesOf, type DumpRecord, type TakenKind } from './dump-record.ts';

/** What to take each time, in this order: the cheap first, what stops the app last. */
export interface Takes {
  readonly report?: boolean;
  readonly cpuProfileMs?: number;
  readonly heapProfileMs?: number;
  readonly heapSnapshot?: boolean;
  readonly memory?: { readonly kind?: DumpKind };
}

export interface TakeOrder {
  readonly platform: Platform;
  readonly target: ProcessInfo;
  readonly folder: string;
  readonly takes: Takes;
  readonly comment?: string;
  /** Above it a dump is refused before anything is touched. */
  readonly maxPauseMs?: number;
  readonly signal: AbortSignal;
  progress(note: string): void;
}

export interface Why { readonly trigger: string; readonly reason: string }

/** The estimate is of the moment it was made; a growing process may write more. */
const MARGIN = 1.1;
const PROFILE_BYTES = 32 * 1024 * 1024;
const MAX_NAMES = 1_000;

const ENDINGS: Readonly<Record<TakenKind, string>> = { 'core-dump': 'core', minidump: 'dmp', 'heap-snapshot': 'heapsnapshot', 'heap-profile': 'heapprofile', 'cpu-profile': 'cpuprofile', 'node-report': 'report.json' };

/** Takes all that is asked for. @throws what the first that fails throws; its file is not left, those before it are */
export async function take(order: TakeOrder, why: Why, kept: (record: DumpRecord) => void): Promise<void> {
  const { takes } = order;
  if (takes.report === true) kept(await report(order, why));
  if (takes.cpuProfileMs !== undefined) kept(await profile(order, why, 'cpu-profile', takes.cpuProfileMs));
  if (takes.heapProfileMs !== undefined) kept(await profile(order, why, 'heap-profile', takes.heapProfileMs));
  if (takes.heapSnapshot === true) kept(await snapshot(order, why));
  if (takes.memory !== undefined) kept(await memoryDump(order, why, takes.memory.kind));
}

const keyOf = ({ target }: TakeOrder): { pid: number; startedAt: number } => ({ pid: target.pid, startedAt: target.startedAt });

/** "node-4711-20261121-101500.core", free in the folder, which is made. */
export async function nameFor({ folder, target, platform }: Pick<TakeOrder, 'folder' | 'target' | 'platform'>, kind: TakenKind): Promise<string> {
  await mkdir(folder, { recursive: true });
  const stamp = new Date(platform.clock.now()).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  const stem = `${target.name.replace(/\.exe$/i, '').replace(/[^A-Za-z0-9]+/g, '_').slice(0, 40) || 'process'}-${target.pid}-${stamp}`;
  for (let n = 1; n <= MAX_NAMES; n += 1) {
    const path = join(folder, `${stem}${n === 1 ? '' : `-${n}`}.${ENDINGS[kind]}`);
    if (!existsSync(path) && !existsSync(`${path}.json`)) return path;
  }
  throw new DiagError('BAD_INPUT', { why: `${folder} is full of dumps of this second` });
}

/** @throws NO_ROOM; where the file system does not tell, it is tried */
export async function demandRoom(folder: string, what: string, needBytes: number): Promise<void> {
  const { diskFreeBytes } = await diskOf(folder)();
  if (diskFreeBytes !== undefined && diskFreeBytes < needBytes) throw new DiagError('NO_ROOM', { what, needBytes, freeBytes: diskFreeBytes });
}

type Found = Pick<DumpRecord, 'kind' | 'bytes' | 'engine'> & Partial<DumpRecord>;

/** @throws what the disk says; then the file is not left either */
export async function recordOf(order: Pick<TakeOrder, 'platform' | 'target' | 'comment'>, why: Why, path: string, found: Found): Promise<DumpRecord> {
  const { pid, startedAt, name, commandLine } = order.target;
  const record: DumpRecord = {
    version: 1, at: order.platform.clock.now(), file: basename(path), ...why, missing: [], notes: [],
    ...(order.comment === undefined ? {} : { comment: order.comment }),
    target: { pid, startedAt, name, ...(commandLine === undefined ? {} : { commandLine }) },
    ...found,
  };
  try {
    await keepRecord(path, record);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return record;
}

async function memoryDump(order: TakeOrder, why: Why, kind: DumpKind | undefined): Promise<DumpRecord> {
  const { platform, target, folder, maxPauseMs, signal } = order;
  if (kind !== undefined && !platform.dumpKinds.includes(kind)) throw new DiagError('CAPABILITY_MISSING', { what: `A ${kind} dump`, because: `on this system it is one of: ${platform.dumpKinds.join(', ') || 'none'}` });
  const predicted = await platform.dumpPause(keyOf(order), signal, kind);
  if (maxPauseMs !== undefined && predicted.pauseMs > maxPauseMs) throw new DiagError('PAUSE_TOO_LONG', { what: `A memory dump (${predicted.engine})`, pid: target.pid, predicted: duration(predicted.pauseMs), limit: duration(maxPauseMs) });
  const path = await nameFor(order, platform.dumpKinds.includes('mini') ? 'minidump' : 'core-dump');
  const needBytes = Math.ceil(await platform.dumpEstimate(keyOf(order), signal, kind) * MARGIN);
  await demandRoom(folder, 'A memory dump', needBytes);
  order.progress(`dumping up to ${bytes(needBytes)}, which stops the app for about ${duration(predicted.pauseMs)}`);
  const made = await platform.dump(keyOf(order), path, signal, kind, (done, of) => { order.progress(`${bytes(done)} of about ${bytes(Math.max(done, of))} written`); });
  return await recordOf(order, why, path, { ...dumped(made), predictedPauseMs: predicted.pauseMs });
}

/** The words of the platform's result in those of the record. */
export function dumped({ kind, bytes: size, engine, pausedMs, note }: DumpResult): Found {
  return { kind, bytes: size, engine, ...(pausedMs === undefined ? {} : { pausedMs }), ...notesOf(note) };
}

async function snapshot(order: TakeOrder, why: Why): Promise<DumpRecord> {
  const { platform, folder, maxPauseMs, signal } = order;
  const path = await nameFor(order, 'heap-snapshot');
  const { bytes: size, nodes, engine, predicted, actual } = await guardedSnapshot({
    platform, target: keyOf(order), file: path, maxStopMs: maxPauseMs, signal,
    demand: (what, needBytes) => demandRoom(folder, what, needBytes),
    progress: (note) => { order.progress(note); },
  });
  return await recordOf(order, why, path, { kind: 'heap-snapshot', bytes: size, engine, pausedMs: actual.stopMs, predictedPauseMs: predicted.stopMs, snapshot: { predicted, actual, nodes } });
}

async function profile(order: TakeOrder, why: Why, kind: 'cpu-profile' | 'heap-profile', forMs: number): Promise<DumpRecord> {
  const { platform, folder, signal } = order;
  const path = await nameFor(order, kind);
  await demandRoom(folder, 'A profile', PROFILE_BYTES);
  order.progress(`profiling for ${duration(forMs)}`);
  const text = await platform.inspect(keyOf(order), signal, (inspector) => (kind === 'cpu-profile' ? cpuProfile : heapProfile)(inspector, forMs, signal));
  return await written(order, why, path, kind, text);
}

async function report(order: TakeOrder, why: Why): Promise<DumpRecord> {
  const path = await nameFor(order, 'node-report');
  const text = await order.platform.nodeReport(keyOf(order), order.signal);
  return await written(order, why, path, 'node-report', text);
}

async function written(order: TakeOrder, why: Why, path: string, kind: TakenKind, text: string): Promise<DumpRecord> {
  await writeAtomic(path, text);
  return await recordOf(order, why, path, { kind, bytes: Buffer.byteLength(text), engine: 'V8' });
}
