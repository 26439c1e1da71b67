// Owns which files are the HTTP log of this instance, and how a piece of one is read.
import { readdir, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** Below LogFiles. */
export const HTTP_LOG_FOLDER = 'http/RawLogs';
/** One read: large enough that a share is asked seldom, small enough that its parsing (about 2 ms) does not hold up the event loop. */
export const READ_BYTES = 256 * 1024;
/** More logs than five days of hourly rotation on one instance make, ten times over; the newest names count. */
const MAX_FILES = 1_200;

/** What is asked of an open file; tests count what it reads. */
export type Readable = Pick<FileHandle, 'read'>;

export interface LogFile { readonly name: string; readonly path: string; readonly sizeBytes: number; readonly changedAt: number; readonly ino: number }

/** Names of the instance's logs in the folder: those that begin with its short id, or all when none does (the naming is the platform's). */
export async function httpLogNames(folder: string, instance: string): Promise<readonly string[]> {
  const names = (await listed(folder)).filter((name) => name.toLowerCase().endsWith('.log')).sort();
  const own = instance === '' ? [] : names.filter((name) => name.toLowerCase().startsWith(instance.toLowerCase()));
  return (own.length > 0 ? own : names).slice(-MAX_FILES);
}

async function listed(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    // No folder: HTTP logging was never on.
    if (isGone(error)) return [];
    throw error;
  }
}

/** What a file is now; undefined when it is gone. */
export async function lookAt(folder: string, name: string): Promise<LogFile | undefined> {
  const path = join(folder, name);
  try {
    const { size, mtimeMs, ino } = await stat(path);
    return { name, path, sizeBytes: size, changedAt: mtimeMs, ino };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

export function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** Reads [from, to) in pieces of at most `pieceBytes`; a piece is only valid until the next one. Stops early where the file ends. */
export async function* pieces(file: Readable, from: number, to: number, signal: AbortSignal, pieceBytes = READ_BYTES): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, Math.max(0, to - from)));
  for (let at = from; at < to;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, to - at), at);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}
