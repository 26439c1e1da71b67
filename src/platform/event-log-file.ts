// Owns the event log of the home: reads eventlog.xml again only when it changed.
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventLogRow } from './platform.ts';

/** 1,000 events of 4 KiB on average; of a larger file the newest part is read. */
const READ_BYTES = 8 * 1024 * 1024;

interface Mark { readonly size: number; readonly changedAt: number }

/** A reader for the `LogFiles` folder. The rows are shared between calls: treat them as frozen. */
export function eventLogFile(logs: string): { rows(signal: AbortSignal): Promise<readonly EventLogRow[]> } {
  // The predecessor's name is not verified on a live app; where it is missing nothing is lost.
  const paths = [join(logs, 'eventlog.prev.xml'), join(logs, 'eventlog.xml')];
  let marks: readonly (Mark | undefined)[] = [];
  let rows: readonly EventLogRow[] = [];
  return {
    rows: async (signal) => {
      signal.throwIfAborted();
      const now = await Promise.all(paths.map(mark));
      if (now.length === marks.length && now.every((one, i) => same(one, marks[i]))) return rows;
      const texts: string[] = [];
      for (const [i, path] of paths.entries()) if (now[i] !== undefined) texts.push(await read(path, signal));
      // The XML parser is loaded only where there is such a file.
      const { parseEventLog } = await import('./parse/event-log.ts');
      rows = parseEventLog(texts.join('\n')).rows;
      marks = now;
      return rows;
    },
  };
}

async function mark(path: string): Promise<Mark | undefined> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { size, changedAt: mtimeMs };
  } catch (error) {
    if (missing(error)) return undefined;
    throw error;
  }
}

function same(a: Mark | undefined, b: Mark | undefined): boolean {
  return a?.size === b?.size && a?.changedAt === b?.changedAt;
}

async function read(path: string, signal: AbortSignal): Promise<string> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (missing(error)) return '';
    throw error;
  }
  try {
    signal.throwIfAborted();
    const { size } = await file.stat();
    const from = Math.max(0, size - READ_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    return decode(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

function decode(bytes: Buffer): string {
  return bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.subarray(2).toString('utf16le') : bytes.toString('utf8');
}

function missing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
