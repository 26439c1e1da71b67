// Owns the whole reading of HTTP logs: inputs over threads, what each read put together, one report of it.
import { stat } from 'node:fs/promises';
import { sayError } from '../../../shared/errors.ts';
import { parseHttpFilter } from '../../../shared/http-filter.ts';
import type { HttpSource } from '../../../shared/http-report.ts';
import { MAX_MALFORMED_PLACES } from '../columns.ts';
import type { Figures } from '../figures/figures.ts';
import { instanceOf } from '../figures/names.ts';
import { formatOf } from '../formats/index.ts';
import { HELP_ALONE_BELOW_BYTES, THREADS } from './contract.ts';
import type { Piece, PieceRead, ScanInput, ScanOptions, Scanned } from './contract.ts';
import { PieceReader, notRead } from './pieces.ts';
import { plan, wholeOf } from './plan.ts';
import type { Sized } from './plan.ts';

/** What one thread reads in less time than another one takes to start. */
const ALONE_BELOW_BYTES = 16 * 1024 * 1024;

/** Reads all inputs once. A file that cannot be read is told in its source's note. @throws the signal's reason, HTTP_FILTER_BAD, LOG_FORMAT_BAD, HTTP_SCAN_FAILED */
export async function scan(options: ScanOptions): Promise<Scanned> {
  const { inputs, signal } = options;
  const threads = options.threads ?? THREADS;
  // What cannot be used is said before a file is opened.
  if (options.filter !== undefined) parseHttpFilter(options.filter);
  for (const { format } of inputs) formatOf(format.id, format.pattern);
  const { sized, failed } = await sizesOf(inputs);
  const total = sized.reduce((sum, { from, to }) => sum + to - from, 0);
  const alone = threads < 1 || total < (options.aloneBelowBytes ?? (options.help === true ? HELP_ALONE_BELOW_BYTES : ALONE_BELOW_BYTES));
  const uncut = new Set<number>();
  for (;;) {
    signal.throwIfAborted();
    const pieces = alone ? sized.map(wholeOf) : await plan(sized, threads, uncut, signal);
    const told = teller(options, total);
    // What starts threads is loaded where there are any: it costs the start.
    const { read, figures } = alone ? await readAlone(options, pieces, told) : await (await import('./threads.ts')).readInThreads(options, pieces, Math.min(threads, pieces.length), told);
    // Fields that changed long before a cut were not known to the piece behind it: such a file is read again in one piece.
    const wrong = wrongHeads(pieces, read).filter((input) => !uncut.has(input));
    if (wrong.length === 0) return put(options, { pieces, read, failed }, figures);
    for (const input of wrong) uncut.add(input);
  }
}

async function sizesOf(inputs: readonly ScanInput[]): Promise<{ sized: Sized[]; failed: Map<number, string> }> {
  const sized: Sized[] = [];
  const failed = new Map<number, string>();
  for (const [index, input] of inputs.entries()) {
    try {
      const { size } = await stat(input.path);
      const to = Math.min(size, input.to ?? size);
      sized.push({ input, index, from: Math.min(input.from ?? 0, to), to });
    } catch (error) {
      failed.set(index, `It could not be read: ${sayError(error)}`);
    }
  }
  return { sized, failed };
}

function teller(options: ScanOptions, total: number): (readBytes: number) => void {
  let sum = 0;
  return (readBytes) => {
    sum += readBytes;
    options.progress?.(Math.min(sum, total), total);
  };
}

async function readAlone(options: ScanOptions, pieces: readonly Piece[], told: (readBytes: number) => void): Promise<{ read: PieceRead[]; figures: Figures }> {
  const reader = new PieceReader(options.inputs, options, told);
  const read: PieceRead[] = [];
  for (const piece of pieces) {
    try {
      read.push(await (options.help === true ? reader.readBeside(piece, options.signal) : reader.readOften(piece, options.signal)));
    } catch (error) {
      options.signal.throwIfAborted();
      read.push(notRead(error));
    }
  }
  return { read, figures: reader.figures };
}

/** Inputs of which a piece began with another head than the piece before ended with. */
function wrongHeads(pieces: readonly Piece[], read: readonly PieceRead[]): number[] {
  const wrong = new Set<number>();
  pieces.forEach((piece, i) => {
    const before = pieces[i - 1];
    if (before?.input === piece.input && !sameHead(read[i - 1]?.head, piece.head)) wrong.add(piece.input);
  });
  return [...wrong];
}

/** Equal lines; no `#Date:` line on one side matters only where rows have no date of their own. */
function sameHead(a: string | undefined, b: string | undefined): boolean {
  const fieldsOf = (head: string | undefined): string => /^#fields:.*/im.exec(head ?? '')?.[0].trim() ?? '';
  const dateOf = (head: string | undefined): string => /^#date:\s*\S+/im.exec(head ?? '')?.[0] ?? '';
  return fieldsOf(a) === fieldsOf(b) && (/[\s:]date(\s|$)/i.test(fieldsOf(a)) || dateOf(a) === dateOf(b));
}

function put(options: ScanOptions, { pieces, read, failed }: { pieces: readonly Piece[]; read: readonly PieceRead[]; failed: ReadonlyMap<number, string> }, figures: Figures): Scanned {
  const sources = options.inputs.map((input, index) => sourceOf(input, read.filter((_, i) => pieces[i]?.input === index), failed.get(index)));
  const learned = pieces.flatMap((piece, i) => { const one = read[i]?.learned; return one === undefined ? [] : [[piece.input, one] as const]; });
  return { figures, sources, learned, get report() { return figures.report(sources); }, get state() { return figures.state(); } };
}

function sourceOf(input: ScanInput, read: readonly PieceRead[], failed: string | undefined): HttpSource {
  const sum = (what: keyof PieceRead['counts']): number => read.reduce((total, { counts }) => total + counts[what], 0);
  const firstAt = Math.min(...read.map((one) => one.firstAt)), lastAt = Math.max(...read.map((one) => one.lastAt));
  const instance = input.instance ?? instanceOf(input.source);
  const notes = [input.note, failed, ...new Set(read.map(({ note }) => note))].filter((note) => note !== undefined);
  return {
    source: input.source, ...(instance === undefined ? {} : { instance }), format: input.format.id, confidence: input.confidence ?? 1,
    bytes: sum('bytes'), lines: sum('lines'), rows: sum('rows'), comments: sum('comments'), malformed: sum('malformed'),
    malformedAt: read.flatMap((one) => one.malformedAt).sort((a, b) => a - b).slice(0, MAX_MALFORMED_PLACES),
    ...(firstAt <= lastAt ? { from: firstAt, to: lastAt } : {}),
    ...(notes.length > 0 ? { note: notes.join(' ') } : {}),
  };
}
