// Owns the threads of a scan: they take piece by piece from one list; what they counted is collected, and they are ended.
import type { Worker } from 'node:worker_threads';
import { DiagError } from '../../../shared/errors.ts';
import { Figures } from '../figures/figures.ts';
import type { FiguresState } from '../figures/figures.ts';
import type { FromThread, Piece, PieceRead, ScanOptions, ThreadGiven } from './contract.ts';
import { PieceReader, figuresOptions, notRead, untaken, windowOf } from './pieces.ts';
import { startThread } from './spare.ts';

/** What was read of each piece, in their order, and the figures of all of them. */
export async function readInThreads(options: ScanOptions, pieces: readonly Piece[], threads: number, told: (readBytes: number) => void): Promise<{ read: PieceRead[]; figures: Figures }> {
  const { inputs, help, spare, signal } = options;
  const read: PieceRead[] = [];
  const given: ThreadGiven = { inputs, window: windowOf(options), pieces, taken: new Int32Array(new SharedArrayBuffer(4)) };
  signal.throwIfAborted();
  const workers = Array.from({ length: help === true ? threads - 1 : Math.max(1, threads) }, () => spare?.take() ?? startThread());
  try {
    const others = Promise.all(workers.map((worker) => runThread(worker, given, signal, { read: (id, one) => { read[id] = one; }, told })));
    // Should the own part fail first, the others' failure is nobody's any more.
    others.catch(() => undefined);
    const figures = help === true ? await helpOut(options, given, read, told) : new Figures(figuresOptions(options));
    // While the others make their states.
    figures.settle();
    options.waits?.();
    for (const state of await others) figures.merge(state);
    return { read, figures };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** The caller's part of the work. */
async function helpOut(options: ScanOptions, given: ThreadGiven, read: PieceRead[], told: (readBytes: number) => void): Promise<Figures> {
  const reader = new PieceReader(options.inputs, options, told);
  for (const [id, piece] of untaken(given)) {
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
  read(id: number, one: PieceRead): void;
  told(readBytes: number): void;
}

/** @throws HTTP_SCAN_FAILED when the thread died; the signal's reason when it aborted */
async function runThread(worker: Worker, given: ThreadGiven, signal: AbortSignal, work: Work): Promise<FiguresState> {
  worker.stdout.resume();
  worker.stderr.resume();
  let stop: (() => void) | undefined;
  try {
    return await new Promise<FiguresState>((resolve, reject) => {
      const fail = (why: string, cause?: unknown): void => { reject(new DiagError('HTTP_SCAN_FAILED', { why }, { cause })); };
      stop = () => { reject(signal.reason as Error); };
      signal.addEventListener('abort', stop, { once: true });
      worker.on('message', (said: FromThread) => {
        if ('readBytes' in said) work.told(said.readBytes);
        else if ('read' in said) work.read(said.id, said.read);
        else resolve(said.state);
      });
      worker.once('error', (error) => { fail(error instanceof Error ? error.message : String(error), error); });
      worker.once('exit', (code) => { fail(`its thread ended with ${code}`); });
      worker.postMessage(given);
    });
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}
