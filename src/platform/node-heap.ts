// Owns what V8 is asked through an inspector: the size of its heap, a heap snapshot streamed to disk, and profiles over a time.
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { systemClock } from './clock.ts';
import type { Inspector } from './inspector.ts';

/** Chunks of a snapshot (about 100 KB each) that wait for the disk; at more the target is not listened to until they are written. */
const WAITING_BYTES = 4 * 1024 * 1024;
const PROGRESS_EVERY_MS = 200;
const HEAD_BYTES = 16 * 1024;
const TAIL_BYTES = 64;
/** Microseconds between samples of a CPU profile: within the noise of the app's own work. */
const CPU_EVERY_US = 1_000;
/** Bytes allocated between samples of a heap profile: V8's own default, some thousand samples of a busy app. */
const HEAP_EVERY_BYTES = 32_768;

export interface LiveHeap { readonly usedBytes: number; readonly largeBytes: number; readonly limitBytes: number; readonly unusedBytes?: number; readonly version?: string }

const HEAP = `(() => {
  const v8 = process.getBuiltinModule ? process.getBuiltinModule('v8') : require('v8');
  const heap = v8.getHeapStatistics();
  return { used: heap.used_heap_size, held: heap.total_physical_size, version: process.versions.v8, limit: heap.heap_size_limit, spaces: v8.getHeapSpaceStatistics().map((one) => [one.space_name, one.space_used_size]) };
})()`;

/** With `collect` garbage is collected first: a stop of about 1 ms per MB, which a snapshot begins with anyway. */
export async function liveHeap(inspector: Inspector, collect: boolean): Promise<LiveHeap> {
  if (collect) await inspector.send('HeapProfiler.collectGarbage');
  const value = await inspector.evaluate(HEAP) as { used?: unknown; held?: unknown; version?: unknown; limit?: unknown; spaces?: unknown } | null | undefined;
  if (typeof value?.used !== 'number' || typeof value.limit !== 'number' || !Array.isArray(value.spaces)) throw new Error('it does not tell the size of its heap');
  const large = (value.spaces as [unknown, unknown][]).filter(([name]) => typeof name === 'string' && name.includes('large_object')).map(([, size]) => Number(size));
  return {
    usedBytes: value.used, largeBytes: large.reduce((sum, one) => sum + one, 0), limitBytes: value.limit,
    ...(typeof value.held === 'number' ? { unusedBytes: Math.max(0, value.held - value.used) } : {}),
    ...(typeof value.version === 'string' ? { version: value.version } : {}),
  };
}

/** The first V8 that finds the lines of a script once for a snapshot. */
const LINES_ONCE_FROM = 12;

/** A snapshot says of each object of a class in which line the class stands. V8 before 12 (Node 20) counts the lines from the script's beginning for each of them, which was five sixths of the stop
 *  where a parser's tree filled the heap, unless they are known; a debugger wants to know them of all scripts. Stops the app for some milliseconds for each MB of source. */
export async function findLines(inspector: Inspector, version: string | undefined): Promise<void> {
  if (Number.parseInt(version ?? '', 10) >= LINES_ONCE_FROM) return;
  await inspector.send('Debugger.enable');
  await inspector.send('Debugger.disable');
}

export interface SnapshotFile { readonly bytes: number; readonly nodes: number; readonly edges: number; readonly stoppedMs: number }

export interface SnapshotPlace {
  /** V8 writes the file itself: it need not keep the text until we have read it, which is shorter and takes less memory. Else it comes through the inspector. */
  readonly direct: boolean;
  /** V8 cannot be told to stop: after an abort the file is gone at once, and the target goes on when it is ready. @throws when the conversation or the disk fails, or the file is not whole */
  take(progress: (writtenBytes: number) => void): Promise<SnapshotFile>;
  /** Nothing is left but what has come under its name. */
  discard(): Promise<void>;
}

/** Makes the file, under a temp name, and finds out whether the target can write into it. */
export async function placeForSnapshot(inspector: Inspector, file: string): Promise<SnapshotPlace> {
  const part = `${file}.part`;
  const out = await open(part, 'wx+', 0o600);
  const discard = async (): Promise<void> => { await out.close(); await rm(part, { force: true }); };
  try {
    const direct = await inspector.evaluate(canWrite(part)) === await identity(out);
    return {
      direct, discard,
      async take(progress) {
        const began = systemClock.monotonic();
        const sent = direct ? await writtenThere(inspector, part, out, progress) : await streamed(inspector, out, progress);
        const stoppedMs = Math.round(systemClock.monotonic() - began);
        const bytes = await sent();
        await out.sync();
        const counted = await wholeSnapshot(out, bytes);
        await rename(part, file);
        return { bytes, stoppedMs, ...counted };
      },
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

const BUILT_IN = `const built = (name) => (process.getBuiltinModule ? process.getBuiltinModule(name) : require(name));`;

/** The target in another container, or as another user, sees another file or none. */
function canWrite(path: string): string {
  return `(() => { ${BUILT_IN} const fs = built('fs'); try { const fd = fs.openSync(${JSON.stringify(path)}, 'r+'); try { const { dev, ino } = fs.fstatSync(fd, { bigint: true }); return dev + ':' + ino; } finally { fs.closeSync(fd); } } catch { return ''; } })()`;
}

async function identity(out: FileHandle): Promise<string> {
  const { dev, ino } = await out.stat({ bigint: true });
  return `${dev}:${ino}`;
}

async function writtenThere(inspector: Inspector, part: string, out: FileHandle, progress: (bytes: number) => void): Promise<() => Promise<number>> {
  const over = new AbortController();
  const watching = (async () => { for await (const _ of systemClock.every(PROGRESS_EVERY_MS, over.signal)) { void _; progress((await out.stat()).size); } })();
  try {
    await inspector.evaluate(`(() => { ${BUILT_IN} built('v8').writeHeapSnapshot(${JSON.stringify(part)}); return true; })()`);
  } finally {
    over.abort();
    await watching;
  }
  return async () => (await out.stat()).size;
}

async function streamed(inspector: Inspector, out: FileHandle, progress: (bytes: number) => void): Promise<() => Promise<number>> {
  const writer = new Writer(out, inspector, progress);
  inspector.on('HeapProfiler.addHeapSnapshotChunk', (params) => { writer.take((params as { chunk: string }).chunk); });
  await inspector.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  return () => writer.end();
}

/** Writes one chunk after the other; while too many wait the inspector is not read. */
class Writer {
  readonly #out: FileHandle;
  readonly #inspector: Inspector;
  readonly #progress: (bytes: number) => void;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #written = 0;
  #fault: unknown;

  constructor(out: FileHandle, inspector: Inspector, progress: (bytes: number) => void) {
    this.#out = out;
    this.#inspector = inspector;
    this.#progress = progress;
  }

  take(chunk: string): void {
    const bytes = Buffer.from(chunk, 'utf8');
    this.#waiting += bytes.length;
    if (this.#waiting > WAITING_BYTES) this.#inspector.hold(true);
    this.#last = this.#last.then(async () => { await this.#write(bytes); });
  }

  /** All that was taken is on its way to the disk. @throws the first fault of the disk */
  async end(): Promise<number> {
    await this.#last;
    if (this.#fault !== undefined) throw this.#fault;
    return this.#written;
  }

  async #write(bytes: Buffer): Promise<void> {
    try {
      if (this.#fault === undefined) await this.#out.writeFile(bytes);
      this.#written += bytes.length;
      this.#progress(this.#written);
    } catch (error) {
      // Told by end(), once; the inspector is hung up so that its answer is not waited for.
      this.#fault = error;
      void this.#inspector.hangUp();
    }
    this.#waiting -= bytes.length;
    if (this.#waiting <= WAITING_BYTES / 2) this.#inspector.hold(false);
  }
}

/** Counts of nodes and edges when the file begins and ends as a snapshot does and has the size that was sent. @throws what is wrong with it */
async function wholeSnapshot(out: FileHandle, bytes: number): Promise<{ nodes: number; edges: number }> {
  const { size } = await out.stat();
  if (size !== bytes) throw new Error(`${size} of ${bytes} bytes are on the disk`);
  return snapshotShape(await pieceOf(out, 0, Math.min(size, HEAD_BYTES)), await pieceOf(out, Math.max(0, size - TAIL_BYTES), Math.min(size, TAIL_BYTES)));
}

/** @throws when these are not the two ends of a heap snapshot */
export function snapshotShape(head: string, tail: string): { nodes: number; edges: number } {
  const [, nodes, edges] = /^\{"snapshot":\{"meta":\{.*?\},\s*"node_count":(\d+),\s*"edge_count":(\d+)/s.exec(head) ?? [];
  if (nodes === undefined || edges === undefined) throw new Error('the file does not begin as a heap snapshot');
  if (!/"\]\s*\}\s*$/.test(tail)) throw new Error('the file is cut: its end is missing');
  return { nodes: Number(nodes), edges: Number(edges) };
}

async function pieceOf(out: FileHandle, at: number, size: number): Promise<string> {
  const { buffer, bytesRead } = await out.read(Buffer.alloc(size), 0, size, at);
  return buffer.subarray(0, bytesRead).toString('utf8');
}

/** A .cpuprofile as JSON text. */
export async function cpuProfile(inspector: Inspector, forMs: number, signal: AbortSignal): Promise<string> {
  return await cpuProfileUntil(inspector, () => systemClock.wait(forMs, signal));
}

/** The same for as long as `until`, which is called when the sampling has begun, takes. */
export async function cpuProfileUntil(inspector: Inspector, until: () => Promise<void>): Promise<string> {
  await inspector.send('Profiler.enable');
  await inspector.send('Profiler.setSamplingInterval', { interval: CPU_EVERY_US });
  await inspector.send('Profiler.start');
  await until();
  const { profile } = await inspector.send('Profiler.stop') as { profile?: { nodes?: unknown } };
  if (!Array.isArray(profile?.nodes)) throw new Error('it gave no profile');
  await inspector.send('Profiler.disable');
  return JSON.stringify(profile);
}

/** A .heapprofile as JSON text: who allocated, by sampling, what is still alive at the end. */
export async function heapProfile(inspector: Inspector, forMs: number, signal: AbortSignal): Promise<string> {
  await inspector.send('HeapProfiler.startSampling', { samplingInterval: HEAP_EVERY_BYTES });
  await systemClock.wait(forMs, signal);
  const { profile } = await inspector.send('HeapProfiler.stopSampling') as { profile?: { head?: unknown } };
  if (typeof profile?.head !== 'object') throw new Error('it gave no profile');
  return JSON.stringify(profile);
}
