// Owns the cutting of large inputs into pieces at line begins, so that several threads can read one file.
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { formatOf } from '../formats/index.ts';
import { iisW3c } from '../w3c.ts';
import type { Piece, ScanInput } from './contract.ts';

/** A smaller piece is not worth its message. */
const LEAST_PIECE_BYTES = 8 * 1024 * 1024;
/** The newest piece of each thread when there is much more: once the newest failures are known, older ones are not kept for a while. */
const NEWEST_BYTES = 32 * 1024 * 1024, MUCH = 8;
/** Where a line's begin is looked for: lines are a thousandth of it. */
const PROBE_BYTES = 64 * 1024;
const LF = 10;

export interface Sized { readonly input: ScanInput; readonly index: number; readonly from: number; readonly to: number }

/**
 * Pieces in the order of the inputs. They are read from the last one on (see untaken()): the larger first, so that no thread waits long for the end,
 * and the newest rows first, so that of older failures it is known that none is kept. `whole`: inputs that must not be cut.
 * The head of a piece is a guess (the `#Fields:` line shortly before it, else that of the file's head): the scan checks it against what the piece before ended with.
 */
export async function plan(inputs: readonly Sized[], threads: number, whole: ReadonlySet<number>, signal: AbortSignal): Promise<Piece[]> {
  const pieces: Piece[][] = [];
  let left = inputs.reduce((sum, { from, to }) => sum + to - from, 0);
  for (const sized of [...inputs].reverse()) {
    const bytes = sized.to - sized.from;
    if (threads < 2 || bytes < 2 * LEAST_PIECE_BYTES || whole.has(sized.index) || formatOf(sized.input.format.id, sized.input.format.pattern).fromStart === true) pieces.push([wholeOf(sized)]);
    else pieces.push(await cut(sized, left, threads, signal));
    left -= bytes;
  }
  return pieces.reverse().flat();
}

export function wholeOf({ input, index, from, to }: Sized): Piece {
  return { input: index, from, to, head: input.head, last: true };
}

async function cut(sized: Sized, left: number, threads: number, signal: AbortSignal): Promise<Piece[]> {
  const { input, index } = sized;
  const file = await open(input.path, 'r');
  try {
    const headed = formatOf(input.format.id, input.format.pattern).id === iisW3c.id;
    const atBegin = headed ? input.head ?? directives(await probe(file, sized.from, PROBE_BYTES), 'first') : undefined;
    const pieces: Piece[] = [];
    let to = sized.to;
    while (to - sized.from >= 2 * LEAST_PIECE_BYTES) {
      signal.throwIfAborted();
      const size = Math.max(LEAST_PIECE_BYTES, Math.floor((left - (sized.to - to)) / (2 * threads)));
      const wanted = to - (pieces.length < threads && size >= MUCH * NEWEST_BYTES / threads ? NEWEST_BYTES : size);
      const begin = wanted - sized.from < LEAST_PIECE_BYTES ? undefined : await lineBegin(file, wanted, Math.min(to, wanted + LEAST_PIECE_BYTES));
      if (begin === undefined) break;
      const head = headed ? directives(await probe(file, Math.max(sized.from, begin - PROBE_BYTES), Math.min(PROBE_BYTES, begin - sized.from)), 'last') ?? atBegin : undefined;
      pieces.push({ input: index, from: begin, to, head, last: to === sized.to });
      to = begin;
    }
    pieces.push({ input: index, from: sized.from, to, head: input.head, last: to === sized.to });
    return pieces.reverse();
  } finally {
    await file.close();
  }
}

async function probe(file: FileHandle, at: number, size: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(size), 0, size, at);
  return buffer.subarray(0, bytesRead);
}

/** The first line begin at or after `at`; undefined when none comes before `to`. */
async function lineBegin(file: FileHandle, at: number, to: number): Promise<number | undefined> {
  for (let from = at - 1; from < to - 1; from += PROBE_BYTES) {
    const lf = (await probe(file, from, Math.min(PROBE_BYTES, to - 1 - from))).indexOf(LF);
    if (lf >= 0) return from + lf + 1;
  }
  return undefined;
}

/** The `#Fields:` line and `#Date:` line that are first or last in these bytes, as a head; undefined without a `#Fields:` line. */
function directives(bytes: Buffer, which: 'first' | 'last'): string | undefined {
  const lines = bytes.toString('latin1').split('\n').slice(0, -1);
  if (which === 'last') lines.reverse();
  const find = (name: RegExp): string | undefined => lines.find((line) => name.test(line))?.replace(/\r$/, '');
  const fields = find(/^#fields:/i), date = find(/^#date:/i);
  return fields === undefined ? undefined : date === undefined ? fields : `${date}\n${fields}`;
}
