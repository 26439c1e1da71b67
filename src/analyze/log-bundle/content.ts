// Owns what of one file goes into the diagnostic dump: the part of the time that is asked for, masked by the kind of its text, or the reason why it cannot.
import { isUtf8 } from 'node:buffer';
import { open, readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { bytes, plural } from '../../shared/units.ts';
import { maskedRowText } from '../http-rows.ts';
import { windowOf } from '../log-window.ts';
import type { MaskedText, Masker } from '../masker.ts';
import { masked, newTally, readSpan, type Tally } from '../masked-text.ts';
import { readAt, tailStart } from '../seek-time.ts';
import { maskTrace } from '../trace-mask.ts';
import type { Found } from './providers.ts';

export interface Content { readonly source: Readable; readonly tally: Tally; /** Read when all was sent. */ notes(): readonly string[] }
export type Taken = Content | { readonly why: string };

export interface Wanted { readonly from?: number | undefined; readonly to?: number | undefined; /** What may still be taken. */ readonly leftBytes: number }

/** A trace is masked as a whole: its secrets are known by their neighbours. IIS ends one long before. */
const MAX_TRACE_BYTES = 32 * 1024 * 1024;
const PROBE_BYTES = 8 * 1024;
/** Less of a cut log than this tells nobody anything. */
const MIN_CUT_BYTES = 16 * 1024;
/** Files whose lines carry times, so that a part of them is still what it was. */
const LINES = /\.(?:log|txt|out|csv)$/i;

/** @throws what the disk says */
export async function contentOf(file: Found, wanted: Wanted, masker: Masker, signal: AbortSignal): Promise<Taken> {
  if (file.sizeBytes > 0 && await isBinary(file.path)) return { why: 'it is no text, so that secrets in it cannot be masked: fetch it by itself' };
  if (file.provider === 'failed-request-traces' && /\.xml$/i.test(file.name)) return trace(file, wanted, masker, signal);
  const span = await spanOf(file, wanted, signal);
  if ('why' in span) return span;
  const tally = newTally();
  const chunks = masked(readSpan(file.path, span.start, span.end, signal), file.provider === 'http-log' ? rows(masker) : (text) => masker.text(text), tally);
  return { source: Readable.from(chunks), tally, notes: () => [...span.notes, ...cutNotes(tally)] };
}

/** Neither a text of one byte a sign nor UTF-16. */
async function isBinary(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const head = await readAt(file, 0, PROBE_BYTES);
    if (!head.includes(0)) return !isUtf8(head) && head.some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27));
    const zeros = [0, 1].map((side) => head.filter((byte, i) => byte === 0 && i % 2 === side).length);
    return !(Math.min(...zeros) < head.length * 0.05 && Math.max(...zeros) > head.length * 0.3);
  } finally {
    await file.close();
  }
}

async function trace(file: Found, { leftBytes }: Wanted, masker: Masker, signal: AbortSignal): Promise<Taken> {
  if (file.sizeBytes > MAX_TRACE_BYTES) return { why: `a trace of more than ${bytes(MAX_TRACE_BYTES)} is not masked` };
  if (file.sizeBytes > leftBytes) return { why: 'the size that was asked for is reached' };
  const { text, count } = maskTrace(await readFile(file.path, { encoding: 'utf8', signal }), masker);
  const tally = { ...newTally(), masked: count };
  return { source: Readable.from([Buffer.from(text)]), tally, notes: () => [] };
}

type Span = { readonly start: number; readonly end: number; readonly notes: readonly string[] } | { readonly why: string };

async function spanOf(file: Found, { from, to, leftBytes }: Wanted, signal: AbortSignal): Promise<Span> {
  const { path, sizeBytes } = file;
  const notes: string[] = [];
  let start = 0;
  let end = sizeBytes;
  if (LINES.test(file.name) && sizeBytes > 0 && (from !== undefined || to !== undefined)) {
    const first = from === undefined ? { start: 0, timed: true } : await windowOf(path, sizeBytes, from, signal);
    const last = to === undefined ? undefined : await windowOf(path, sizeBytes, to + 1, signal);
    ({ start } = first);
    // What changed within the window and is wholly older ends with lines that carry no time.
    if (last?.timed === true && last.start > start && file.changedAt > (to ?? 0)) end = last.start;
    if (!first.timed) notes.push(start > 0 ? `no times in it: the last ${bytes(sizeBytes - start)}` : 'no times in it: all of it');
    else if (start > 0 || end < sizeBytes) notes.push(`the time that was asked for: bytes ${start} to ${end} of ${sizeBytes}`);
  }
  if (end - start > leftBytes) {
    if (!LINES.test(file.name) || leftBytes < MIN_CUT_BYTES) return { why: 'the size that was asked for is reached' };
    const cut = await tailStart(path, end, leftBytes);
    notes.push(`cut: the last ${bytes(end - cut)} of ${bytes(end - start)}`);
    start = cut;
  }
  return { start, end, notes };
}

/** In a row of the HTTP log a secret stands under a name that only its column makes one. */
function rows(masker: Masker): (text: string) => MaskedText {
  return (text) => {
    let count = 0;
    const lines = text.split('\n').map((line) => {
      const shown = maskedRowText(line.replace(/\r$/, ''));
      if (shown === undefined || shown === line.replace(/\r$/, '')) return line;
      count += 1;
      return line.endsWith('\r') ? `${shown}\r` : shown;
    });
    const rest = masker.text(lines.join('\n'));
    return { text: rest.text, count: rest.count + count };
  };
}

function cutNotes({ cutBytes, foreign }: Tally): string[] {
  return [...(cutBytes > 0 ? [`${plural(cutBytes, 'byte')} of very long lines left out`] : []), ...(foreign === undefined ? [] : [`was ${foreign}, written as UTF-8`])];
}
