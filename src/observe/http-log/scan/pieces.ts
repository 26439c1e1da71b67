// Owns the reading of one piece of a log into figures: in a thread without waiting, or in the caller's thread without holding it up.
import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sayError } from '../../../shared/errors.ts';
import { parseHttpFilter } from '../../../shared/http-filter.ts';
import type { Columns, LogReader, Sink } from '../columns.ts';
import { Figures } from '../figures/figures.ts';
import type { FiguresOptions } from '../figures/figures.ts';
import { compileHttpFilter } from '../filter.ts';
import type { RowTest } from '../filter.ts';
import { formatOf } from '../formats/index.ts';
import { PieceLearner } from '../index/learn.ts';
import type { Piece, PieceRead, ScanInput, ScanWindow, ThreadGiven } from './contract.ts';

const CHUNK_BYTES = 256 * 1024;
/** Bytes between two words about the progress: some milliseconds. */
const STEP_BYTES = 8 * 1024 * 1024;

/** What of the options says which rows count. */
export function windowOf({ from, to, filter, keepFailed, keepSlowest, everything }: ScanWindow): ScanWindow {
  const given = { from, to, filter, keepFailed, keepSlowest, everything };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as ScanWindow;
}

/** The filter is the thread's own affair: what is merged and told needs none. */
export function figuresOptions(window: ScanWindow): FiguresOptions {
  const { filter: _, ...options } = windowOf(window);
  return options;
}

/** The pieces that this thread is the first to take, from the last one on. */
export function* untaken({ pieces, taken }: ThreadGiven): Generator<readonly [id: number, piece: Piece]> {
  for (;;) {
    const id = pieces.length - 1 - Atomics.add(taken, 0, 1), piece = pieces[id];
    if (piece === undefined) return;
    yield [id, piece];
  }
}

/** Reads pieces of the inputs into one set of figures. */
export class PieceReader {
  readonly figures: Figures;
  readonly #inputs: readonly ScanInput[];
  readonly #filter: ReturnType<typeof parseHttpFilter> | undefined;
  readonly #tell: (readBytes: number) => void;
  #select: RowTest = () => true;

  /** @throws HTTP_FILTER_BAD */
  constructor(inputs: readonly ScanInput[], window: ScanWindow, tell: (readBytes: number) => void) {
    this.#inputs = inputs;
    this.#tell = tell;
    this.#filter = window.filter === undefined || window.filter.trim() === '' ? undefined : parseHttpFilter(window.filter);
    const select: RowTest = (columns, row) => this.#select(columns, row);
    this.figures = new Figures({ ...figuresOptions(window), ...(this.#filter === undefined ? {} : { select }) });
  }

  /** Without waiting, for a thread of its own. */
  readNow(piece: Piece): PieceRead {
    const steps = this.#steps(piece);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }

  /** Beside other threads, in one that must answer now and then. */
  async readBeside(piece: Piece, signal: AbortSignal): Promise<PieceRead> {
    const steps = this.#steps(piece);
    try {
      for (;;) {
        signal.throwIfAborted();
        const step = steps.next();
        if (step.done === true) return step.value;
        await nextTurn();
      }
    } finally {
      steps.return(notRead(undefined));
    }
  }

  /** Stops after each STEP_BYTES. */
  *#steps(piece: Piece): Generator<void, PieceRead, void> {
    const { reader, done } = this.#begin(piece);
    const file = openSync(this.#pathOf(piece), 'r');
    try {
      let at = piece.from, told = at, failure: unknown;
      const buffer = reader.fill === undefined ? Buffer.allocUnsafe(CHUNK_BYTES) : undefined;
      // What was read until then counts: a share that fails in the middle ends one file.
      const more = (into: Uint8Array): number => {
        try { return readSync(file, into, 0, Math.min(into.length, piece.to - at), at); } catch (error) { failure = error; return 0; }
      };
      while (at < piece.to) {
        const size = buffer === undefined ? reader.fill?.(more) ?? 0 : writeTo(reader, buffer, more(buffer));
        if (size === 0) break;
        at += size;
        if (at - told >= STEP_BYTES) { this.#tell(at - told); told = at; yield; }
      }
      this.#tell(at - told);
      return done(at, failure);
    } finally {
      closeSync(file);
    }
  }

  /** In pieces between which others have their turn. */
  async readOften(piece: Piece, signal: AbortSignal): Promise<PieceRead> {
    const { reader, done } = this.#begin(piece);
    const file = await open(this.#pathOf(piece), 'r');
    try {
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(1, piece.to - piece.from)));
      let at = piece.from, failure: unknown;
      while (at < piece.to) {
        signal.throwIfAborted();
        const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, piece.to - at), at).catch((error: unknown) => { failure = error; return { bytesRead: 0 }; });
        if (bytesRead === 0) break;
        reader.write(buffer.subarray(0, bytesRead));
        at += bytesRead;
        this.#tell(bytesRead);
      }
      return done(at, failure);
    } finally {
      await file.close();
    }
  }

  #pathOf(piece: Piece): string { return this.#input(piece).path; }
  #input(piece: Piece): ScanInput { return this.#inputs[piece.input] as ScanInput; }

  #begin(piece: Piece): { reader: LogReader; done(at: number, failure: unknown): PieceRead } {
    const input = this.#input(piece);
    const format = formatOf(input.format.id, input.format.pattern);
    if (this.#filter !== undefined) this.#select = compileHttpFilter(this.#filter, { format: format.id, source: input.source, ...(input.instance === undefined ? {} : { instance: input.instance }) });
    const span = { firstAt: Infinity, lastAt: -Infinity };
    const learner = input.learn === true ? new PieceLearner(piece.from) : undefined;
    const sink: Sink = (columns) => { widen(span, columns); this.figures.add(columns, piece.input); learner?.add(columns, reader.head); };
    const reader = format.reader({
      sink, baseOffset: piece.from, ...(piece.head === undefined ? {} : { head: piece.head }), ...(input.dropPartial === undefined ? {} : { dropPartial: input.dropPartial }),
    });
    const done = (at: number, failure: unknown): PieceRead => {
      if (piece.last) reader.end(); else reader.flush();
      const learned = at < piece.to ? undefined : learner?.learned(piece.to, reader.head);
      return {
        counts: { ...reader.counts }, malformedAt: [...reader.malformedAt], head: reader.head, ...span, ...(learned === undefined ? {} : { learned }),
        ...(at < piece.to ? { note: failure === undefined ? 'The file became shorter while it was read.' : `It could not be read to its end: ${sayError(failure)}` } : {}),
      };
    };
    return { reader, done };
  }
}

function writeTo(reader: LogReader, buffer: Uint8Array, size: number): number {
  if (size > 0) reader.write(buffer.subarray(0, size));
  return size;
}

function widen(span: { firstAt: number; lastAt: number }, { at, rows }: Columns): void {
  let { firstAt, lastAt } = span;
  for (let row = 0; row < rows; row += 1) {
    const time = at[row] as number;
    if (time < firstAt) firstAt = time;
    if (time > lastAt) lastAt = time;
  }
  span.firstAt = firstAt;
  span.lastAt = lastAt;
}

/** A piece of which nothing was read. */
export function notRead(error: unknown): PieceRead {
  return { counts: { bytes: 0, lines: 0, rows: 0, comments: 0, malformed: 0 }, malformedAt: [], head: undefined, firstAt: Infinity, lastAt: -Infinity, note: `It could not be read: ${sayError(error)}` };
}
