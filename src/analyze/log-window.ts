// Owns the copying of an application or PHP log: the part of the window by the times its lines carry, else its end; masked and bounded.
import { open, stat } from 'node:fs/promises';
import { readEntries } from '../observe/logs/entries.ts';
import type { ArtifactKind, LogSourceInfo } from '../shared/model.ts';
import { bytes, count, plural } from '../shared/units.ts';
import { DiagError } from '../shared/errors.ts';
import type { Collecting } from './contracts.ts';
import { masked, newTally, readSpan } from './masked-text.ts';
import { readAt, seekTime, tailStart } from './seek-time.ts';
import { safeName, writeText } from './write.ts';

/** What is taken of a log whose lines carry no time (iisnode's stdout): enough for the last crash and what led to it. */
const UNTIMED_BYTES = 5 * 1024 * 1024;

export interface Bounds { readonly fileBytes: number; readonly totalBytes: number; readonly files: number }
export interface Copied { readonly files: number; readonly bytes: number; readonly leftOut: number }

/** Copies each of these logs that changed within the window, the newest first; what the bounds leave out is counted. */
export async function copyLogs(run: Collecting, sources: readonly LogSourceInfo[], kind: ArtifactKind, bounds: Bounds): Promise<Copied> {
  const changed = sources.filter((s) => s.changedAt >= run.window.from && s.sizeBytes > 0).sort((a, b) => b.changedAt - a.changedAt || (a.id < b.id ? -1 : 1));
  let left = bounds.totalBytes;
  let files = 0;
  let leftOut = Math.max(0, changed.length - bounds.files);
  for (const [i, source] of changed.slice(0, bounds.files).entries()) {
    run.cancel.throwIfAborted();
    if (run.enough.aborted || left <= 0) { leftOut += 1; continue; }
    run.progress(source.title, i / changed.length);
    const copied = await copyLog(run, source, kind, Math.min(left, bounds.fileBytes));
    left -= copied;
    if (copied > 0) files += 1;
  }
  return { files, bytes: bounds.totalBytes - left, leftOut };
}

/** Bytes written; 0 when the file went away meanwhile (logs rotate). */
async function copyLog(run: Collecting, source: LogSourceInfo, kind: ArtifactKind, maxBytes: number): Promise<number> {
  try {
    const path = await run.observed.logs.path(source.id);
    const { size } = await stat(path);
    const span = await windowOf(path, size, run.window.from, run.cancel);
    const start = size - span.start > maxBytes ? await tailStart(path, size, maxBytes) : span.start;
    const notes = [span.timed ? undefined : start > 0 ? `no times in it: the last ${bytes(size - start)}` : 'no times in it: all of it', start > span.start ? `cut: the last ${bytes(size - start)} of ${bytes(size - span.start)}` : undefined].filter((n) => n !== undefined);
    const tally = newTally();
    const chunks = masked(readSpan(path, start, size, run.cancel), (text) => run.mask.text(text), tally);
    await writeText(run, { kind, name: safeName(source.title), needBytes: size - start, note: () => notes.join('; ') || undefined }, chunks, tally);
    return tally.bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error instanceof DiagError && error.code === 'SOURCE_UNKNOWN')) return 0;
    throw error;
  }
}

/** Where the window begins in a file. */
export async function windowOf(path: string, sizeBytes: number, from: number, signal: AbortSignal): Promise<{ start: number; timed: boolean }> {
  const near = await seekTime(path, sizeBytes, from, (text) => timeOfEntries(text, from), signal);
  if (near === undefined) return { start: await tailStart(path, sizeBytes, UNTIMED_BYTES), timed: false };
  for await (const entry of readEntries(readSpan(path, near, sizeBytes, signal), 'file', { baseOffset: near, near: from })) {
    if (entry.at !== undefined && entry.at >= from) return { start: entry.offset, timed: true };
  }
  // The file changed within the window, yet its newest time is older: lines without time were added to the last entry.
  return { start: await tailStart(path, sizeBytes, Math.min(UNTIMED_BYTES, sizeBytes - near)), timed: false };
}

/** `near`: for times without a year. */
async function timeOfEntries(text: Buffer, near: number): Promise<number | undefined> {
  for await (const entry of readEntries(once(text), 'file', { near })) if (entry.at !== undefined) return entry.at;
  return undefined;
}

async function* once(text: Buffer): AsyncGenerator<Uint8Array> { yield text; }

/** First and last time of a file, as far as its beginning and its end say. */
export async function timesOf(path: string): Promise<{ first?: number; last?: number }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const times: number[] = [];
    for (const offset of [0, Math.max(0, size - 256 * 1024)]) {
      for await (const entry of readEntries(once(await readAt(file, offset, 256 * 1024)), 'file')) if (entry.at !== undefined) times.push(entry.at);
    }
    return times.length === 0 ? {} : { first: Math.min(...times), last: Math.max(...times) };
  } finally {
    await file.close();
  }
}

/** "3 files, 1.2 MiB" and what was left out. */
export function sayCopied(copied: Copied): string {
  const rest = copied.leftOut > 0 ? `; ${count(copied.leftOut)} more left out` : '';
  return `${plural(copied.files, 'file')}, ${bytes(copied.bytes)}${rest}`;
}
