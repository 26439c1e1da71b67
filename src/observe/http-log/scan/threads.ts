// Owns the threads of a scan: hands each the next piece when it is done with one, collects what they counted, ends them.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { DiagError } from '../../../shared/errors.ts';
import { Figures } from '../figures/figures.ts';
import type { FiguresState } from '../figures/figures.ts';
import type { FromThread, Piece, PieceRead, ScanOptions, ThreadGiven, ToThread } from './contract.ts';
import { PieceReader, figuresOptions, notRead, windowOf } from './pieces.ts';

/** Most of a thread's memory are typed arrays, which lie outside of it. */
const HEAP_MB = 256;
/** Figures make little garbage; a small young generation keeps three isolates within the memory we promise. */
const YOUNG_MB = 4;

/** Built: the entry beside the program. From source (tests): this folder's, for which the thread wants the loader that the process has. */
function startThread(given: ThreadGiven): Worker {
  const options = { workerData: given, execArgv: [], env: {}, stdout: true, stderr: true, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: YOUNG_MB } };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./http-log-thread.js', import.meta.url), options);
  const loader = createRequire(import.meta.url).resolve('tsx/cjs/api');
  const main = fileURLToPath(new URL('./thread-main.ts', import.meta.url));
  return new Worker(`require(${JSON.stringify(loader)}).register(); require(${JSON.stringify(main)});`, { ...options, eval: true });
}

/** What was read of each piece, in their order, and the figures of all of them. */
export async function readInThreads(options: ScanOptions, pieces: readonly Piece[], threads: number, told: (readBytes: number) => void): Promise<{ read: PieceRead[]; figures: Figures }> {
  const { inputs, signal } = options;
  const read: PieceRead[] = [];
  const given: ThreadGiven = { inputs, window: windowOf(options) };
  const next = pieces.entries();
  const serve = (): Promise<FiguresState> => runThread(given, signal, { next: () => next.next().value, read: (id, one) => { read[id] = one; }, told });
  const others = Promise.all(Array.from({ length: options.help === true ? threads - 1 : Math.max(1, threads) }, serve));
  // Should the own part fail first, the others' failure is nobody's any more.
  others.catch(() => undefined);
  const figures = options.help === true ? await helpOut(options, next, read, told) : new Figures(figuresOptions(options));
  for (const state of await others) figures.merge(state);
  return { read, figures };
}

/** The caller's part of the work. */
async function helpOut(options: ScanOptions, pieces: Iterable<[number, Piece]>, read: PieceRead[], told: (readBytes: number) => void): Promise<Figures> {
  const reader = new PieceReader(options.inputs, options, told);
  for (const [id, piece] of pieces) {
    try {
      read[id] = await reader.readBeside(piece, options.signal);
    } catch (error) {
      options.signal.throwIfAborted();
      read[id] = notRead(error);
    }
  }
  return reader.figures;
}

interface Work {
  next(): readonly [number, Piece] | undefined;
  read(id: number, one: PieceRead): void;
  told(readBytes: number): void;
}

/** @throws HTTP_SCAN_FAILED when the thread died; the signal's reason when it aborted */
async function runThread(given: ThreadGiven, signal: AbortSignal, work: Work): Promise<FiguresState> {
  signal.throwIfAborted();
  const worker = startThread(given);
  worker.stdout.resume();
  worker.stderr.resume();
  let stop: (() => void) | undefined;
  try {
    return await new Promise<FiguresState>((resolve, reject) => {
      const fail = (why: string, cause?: unknown): void => { reject(new DiagError('HTTP_SCAN_FAILED', { why }, { cause })); };
      stop = () => { reject(signal.reason as Error); };
      signal.addEventListener('abort', stop, { once: true });
      const say = (what: ToThread): void => { worker.postMessage(what); };
      const more = (): void => {
        const piece = work.next();
        say(piece === undefined ? { finish: true } : { id: piece[0], piece: piece[1] });
      };
      worker.on('message', (said: FromThread) => {
        if ('readBytes' in said) work.told(said.readBytes);
        else if ('read' in said) { work.read(said.id, said.read); more(); }
        else resolve(said.state);
      });
      worker.once('error', (error) => { fail(error instanceof Error ? error.message : String(error), error); });
      worker.once('exit', (code) => { fail(`its thread ended with ${code}`); });
      more();
    });
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
