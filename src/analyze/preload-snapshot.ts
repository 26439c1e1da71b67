// Owns the heap snapshot that an app's own preload makes: predicted from what it told of its heap, guarded as any other, streamed to disk, and checked to be whole.
import { open, rename, rm } from 'node:fs/promises';
import { DiagError, sayError } from '../shared/errors.ts';
import { bytes } from '../shared/units.ts';
import type { LinkedApp } from '../platform/app-link.ts';
import { snapshotShape } from '../platform/node-heap.ts';
import { askIntoFile } from './by-preload.ts';
import type { Collecting } from './contracts.ts';
import { predictSnapshot, sayPrediction, type HeapFacts } from './heap-guard.ts';
import { admit, watchPeak, type SnapshotOrder, type SnapshotTaken } from './heap-snapshot.ts';

/** What is used includes garbage: the lowest of so many seconds is nearer to what lives. */
const LOOK_BACK_TICKS = 10;
const HEAD_BYTES = 16 * 1024;
const TAIL_BYTES = 64;

/** @throws APP_UNREACHABLE, APP_REFUSED, HEAP_SNAPSHOT_REFUSED, PAUSE_TOO_LONG, NO_ROOM, HEAP_SNAPSHOT_FAILED, CANCELLED; then no file is left */
export async function snapshotByPreload(run: Collecting<unknown>, app: LinkedApp, order: SnapshotOrder): Promise<SnapshotTaken> {
  const { pid } = app.process;
  const density = await order.platform.heapDensity?.(pid, order.signal);
  const predicted = predictSnapshot({ ...heapOf(app), density }, false);       // the app keeps the text until we have it, as through the inspector
  await admit(order, predicted);
  order.progress(sayPrediction(predicted));
  const part = `${order.file}.part`;
  const peak = watchPeak(order.platform, pid, order.signal);
  try {
    const { sizeBytes, firstAfterMs } = await askIntoFile(run, { what: 'heap-snapshot' }, part, order.signal, (written) => { order.progress(`${bytes(written)} of about ${bytes(Math.max(written, predicted.fileBytes))} written`); });
    const peakBytes = await peak.end();
    const { nodes } = await shapeOf(part, sizeBytes, pid);
    await rename(part, order.file);
    return { bytes: sizeBytes, nodes, engine: 'V8 by the preload', predicted, actual: { stopMs: Math.round(firstAfterMs ?? 0), ...(peakBytes === undefined ? {} : { peakBytes }) } };
  } finally {
    await peak.end();
    await rm(part, { force: true });
  }
}

/** @throws APP_UNREACHABLE before its first second is over */
function heapOf({ ticks, process }: LinkedApp): HeapFacts {
  const heaps = ticks.slice(-LOOK_BACK_TICKS).flatMap(({ heap }) => (heap === undefined ? [] : [heap]));
  const [first] = heaps;
  if (first === undefined) throw new DiagError('APP_UNREACHABLE', { pid: process.pid, why: 'it has not told its heap yet' });
  const spaces = [...ticks].reverse().find((tick) => tick.spaces !== undefined)?.spaces ?? [];
  return { usedBytes: Math.min(...heaps.map(({ used }) => used)), largeBytes: spaces.reduce((sum, [name, used]) => sum + (name.includes('large_object') ? used : 0), 0), limitBytes: first.limit };
}

async function shapeOf(path: string, size: number, pid: number): Promise<{ readonly nodes: number }> {
  const file = await open(path, 'r');
  try {
    const piece = async (at: number, length: number): Promise<string> => { const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at); return buffer.subarray(0, bytesRead).toString('utf8'); };
    return snapshotShape(await piece(0, Math.min(size, HEAD_BYTES)), await piece(Math.max(0, size - TAIL_BYTES), Math.min(size, TAIL_BYTES)));
  } catch (cause) {
    throw new DiagError('HEAP_SNAPSHOT_FAILED', { pid, why: sayError(cause) }, { cause });
  } finally {
    await file.close();
  }
}
