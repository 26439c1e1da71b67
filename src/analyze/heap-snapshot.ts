// Owns one guarded heap snapshot: predicted from the live heap, refused where it could kill the app, taken, verified, and compared with what was predicted.
import { DiagError, sayError } from '../shared/errors.ts';
import type { ProcessKey } from '../shared/model.ts';
import { bytes, duration } from '../shared/units.ts';
import { findLines, liveHeap, placeForSnapshot, type SnapshotPlace } from '../platform/node-heap.ts';
import type { Inspector } from '../platform/inspector.ts';
import type { Platform } from '../platform/platform.ts';
import { predictSnapshot, refusal, sayPrediction, type SnapshotPrediction } from './heap-guard.ts';

/** How often the memory of the target is looked at while V8 works: its peak is that of the highest look. */
const LOOK_EVERY_MS = 50;

export interface SnapshotTaken {
  readonly bytes: number;
  readonly nodes: number;
  readonly engine: string;
  readonly predicted: SnapshotPrediction;
  readonly actual: { readonly stopMs: number; readonly peakBytes?: number };
}

export interface SnapshotOrder {
  readonly platform: Platform;
  readonly target: ProcessKey;
  /** Final name; its folder is looked at for room. */
  readonly file: string;
  /** Above it the snapshot is refused. */
  readonly maxStopMs?: number | undefined;
  readonly signal: AbortSignal;
  /** Room for so many bytes, or a throw. */
  demand(what: string, needBytes: number): Promise<void>;
  progress(note: string): void;
}

/** What a snapshot would cost now; looks only. @throws INSPECTOR_FAILED */
export async function previewSnapshot(platform: Platform, target: ProcessKey, signal: AbortSignal): Promise<{ readonly prediction: SnapshotPrediction; readonly refused: string | undefined }> {
  const heap = await platform.inspect(target, signal, (inspector) => liveHeap(inspector, false));
  const prediction = predictSnapshot({ ...heap, density: await platform.heapDensity?.(target.pid, signal) }, true);
  return { prediction, refused: refusal(prediction, await platform.memoryLeft(target.pid, signal)) };
}

/** @throws HEAP_SNAPSHOT_REFUSED, PAUSE_TOO_LONG, HEAP_SNAPSHOT_FAILED, INSPECTOR_FAILED, CANCELLED, NO_ROOM; then no file is left */
export async function guardedSnapshot(order: SnapshotOrder): Promise<SnapshotTaken> {
  const { platform, target, signal } = order;
  return await platform.inspect(target, signal, async (inspector) => {
    // Looked at twice: a heap that cannot be allowed even without its garbage is not even collected.
    const rough = predictSnapshot(await liveHeap(inspector, false), true);
    if (rough.stopMs > (order.maxStopMs ?? Infinity) * 4) tooLong(order, rough);
    const place = await placeForSnapshot(inspector, order.file);
    try {
      return await taken(order, inspector, place);
    } finally {
      await place.discard();
    }
  });
}

async function taken(order: SnapshotOrder, inspector: Inspector, place: SnapshotPlace): Promise<SnapshotTaken> {
  const { platform, target, signal } = order;
  const heap = await liveHeap(inspector, true);
  const predicted = predictSnapshot({ ...heap, density: await platform.heapDensity?.(target.pid, signal) }, place.direct);
  await admit(order, predicted);
  order.progress(sayPrediction(predicted));
  await findLines(inspector, heap.version);
  const peak = watchPeak(platform, target.pid, signal);
  try {
    const made = await place.take((written) => { order.progress(`${bytes(written)} of about ${bytes(Math.max(written, predicted.fileBytes))} written`); });
    const peakBytes = await peak.end();
    return { bytes: made.bytes, nodes: made.nodes, engine: place.direct ? 'V8' : 'V8 through the inspector', predicted, actual: { stopMs: made.stoppedMs, ...(peakBytes === undefined ? {} : { peakBytes }) } };
  } catch (error) {
    if (signal.aborted) throw error;
    throw new DiagError('HEAP_SNAPSHOT_FAILED', { pid: target.pid, why: sayError(error) }, { cause: error });
  } finally {
    await peak.end();
  }
}

function tooLong({ target, maxStopMs = 0 }: SnapshotOrder, { stopAtMostMs }: SnapshotPrediction): never {
  throw new DiagError('PAUSE_TOO_LONG', { what: 'A heap snapshot', pid: target.pid, predicted: duration(stopAtMostMs), limit: duration(maxStopMs) });
}

/** @throws PAUSE_TOO_LONG, HEAP_SNAPSHOT_REFUSED, NO_ROOM */
export async function admit(order: SnapshotOrder, predicted: SnapshotPrediction): Promise<void> {
  const { platform, target, signal } = order;
  if (order.maxStopMs !== undefined && predicted.stopAtMostMs > order.maxStopMs) tooLong(order, predicted);
  const why = refusal(predicted, await platform.memoryLeft(target.pid, signal));
  if (why !== undefined) throw new DiagError('HEAP_SNAPSHOT_REFUSED', { pid: target.pid, why });
  await order.demand('A heap snapshot', predicted.fileBytes);
}

/** The most that the process took beside what it had at the first look; undefined where its memory cannot be read. */
export function watchPeak(platform: Platform, pid: number, signal: AbortSignal): { end(): Promise<number | undefined> } {
  const over = new AbortController();
  const both = AbortSignal.any([over.signal, signal]);
  let first: number | undefined;
  let most: number | undefined;
  const look = async (): Promise<void> => {
    const now = (await platform.usage([pid], both)).get(pid)?.workingSetBytes;
    first ??= now;
    if (now !== undefined) most = Math.max(most ?? now, now);
  };
  const watching = (async () => {
    try {
      await look();
      for await (const _ of platform.clock.every(LOOK_EVERY_MS, both)) { void _; await look(); }
    } catch (error) {
      if (!both.aborted) throw error;
    }
  })();
  return {
    async end() {
      over.abort();
      await watching;
      return first === undefined || most === undefined ? undefined : most - first;
    },
  };
}
