// Owns the ways in: a snapshot from a file, chunk by chunk, or from a stream without a copy on disk.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { HeapGraph } from './graph.ts';
import { SnapshotParser } from './parse.ts';
import { fileBytes, keptBytes } from './strings.ts';

/** Larger chunks are no faster; smaller ones cost calls. */
export const CHUNK_BYTES = 1 << 20;

export interface HeapReading {
  readonly signal?: AbortSignal;
  /** Share of the file that is read. */
  progress?(fraction: number): void;
}

/** Blocks its thread while it reads: call it in a worker. The graph keeps the file open for its strings: close them at the end. @throws HEAP_UNREADABLE */
export function readHeapFile(path: string, reading: HeapReading = {}): HeapGraph {
  const file = openSync(path, 'r');
  try {
    const size = fstatSync(file).size;
    const parser = new SnapshotParser(size);
    for (const chunk of chunksOf(file, size, reading)) parser.push(chunk);
    const bytes = fileBytes(path);
    try {
      return parser.done(bytes);
    } catch (error) {
      bytes.close();
      throw error;
    }
  } finally {
    closeSync(file);
  }
}

/** Each is valid until the next. */
export function* chunksOf(file: number, size: number, { signal, progress }: HeapReading): Generator<Uint8Array> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let at = 0; ;) {
    signal?.throwIfAborted();
    const count = readSync(file, chunk, 0, CHUNK_BYTES, at);
    if (count === 0) return;
    yield chunk.subarray(0, count);
    at += count;
    progress?.(Math.min(1, at / Math.max(size, 1)));
  }
}

/** From the inspector's stream; `mostBytes` bounds what its header may claim. Keeps the bytes of the strings. @throws HEAP_UNREADABLE */
export async function readHeapStream(chunks: AsyncIterable<Uint8Array>, mostBytes: number, signal?: AbortSignal): Promise<HeapGraph> {
  const parser = new SnapshotParser(mostBytes);
  const kept: Uint8Array[] = [];
  let from: number | undefined;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    const before = parser.at;
    parser.push(chunk);
    if (parser.stringsFrom === undefined) continue;
    const cut = from === undefined ? parser.stringsFrom - before : 0;
    from ??= parser.stringsFrom;
    kept.push(Uint8Array.prototype.slice.call(chunk, cut));
  }
  return parser.done(keptBytes(from ?? 0, kept));
}
