// Owns the sending of a file that the door opened: whole, in a range, or not at all when the client has it.
import type { Request, Response } from 'express';
import { pipeline } from 'node:stream/promises';
import { DiagError } from '../shared/errors.ts';
import type { Opened } from '../platform/files/index.ts';

/** A range of the header, or undefined where the whole file is meant. @throws RANGE_BAD */
export function rangeOf(header: string | undefined, sizeBytes: number): { readonly start: number; readonly end: number } | undefined {
  const given = /^bytes=(\d{0,16})-(\d{0,16})$/.exec(header?.trim() ?? '');
  if (given === null) return undefined;                        // several ranges, or another unit: the whole, as HTTP allows
  const [, first = '', last = ''] = given;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (start >= sizeBytes || (first === '' && Number(last) === 0)) throw new DiagError('RANGE_BAD');
  return start > end ? undefined : { start, end };
}

const named = (list: string | undefined, etag: string): boolean => list !== undefined && list.split(',').some((one) => one.trim() === etag || one.trim() === '*');

/** Closes the file. Resolves when it is sent or the client has gone. @throws RANGE_BAD */
export async function sendOpened(req: Request, res: Response, file: Opened, answer: { readonly type: string; readonly name?: string }, signal: AbortSignal): Promise<void> {
  try {
    const { etag, sizeBytes, modifiedAt } = file.entry;
    res.setHeader('etag', etag);
    res.setHeader('last-modified', new Date(modifiedAt).toUTCString());
    res.setHeader('accept-ranges', 'bytes');
    res.setHeader('cache-control', 'private, no-cache');
    if (named(req.headers['if-none-match'], etag)) { res.status(304).end(); return; }
    if (answer.name !== undefined) res.attachment(answer.name);
    res.setHeader('content-type', answer.type);
    const range = ifRange(req, file) ? ranged(req, res, sizeBytes) : undefined;
    if (range !== undefined) { res.status(206); res.setHeader('content-range', `bytes ${range.start}-${range.end}/${sizeBytes}`); }
    res.setHeader('content-length', range === undefined ? sizeBytes : range.end - range.start + 1);
    if (req.method === 'HEAD' || sizeBytes === 0) { res.end(); return; }
    await pipeline(file.stream(range ?? { start: 0, end: sizeBytes - 1 }), res, { signal });   // a log that grows is sent as long as it was
  } catch (error) {
    if (!res.headersSent) throw error;                         // the client went away in the middle, or the disk did
    res.destroy();
  } finally {
    await file.close();
  }
}

function ranged(req: Request, res: Response, sizeBytes: number): ReturnType<typeof rangeOf> {
  try {
    return rangeOf(req.headers.range, sizeBytes);
  } catch (error) {
    res.setHeader('content-range', `bytes */${sizeBytes}`);
    throw error;
  }
}

/** A range is for the version that the client has; of another one it gets the whole. */
function ifRange(req: Request, { entry }: Opened): boolean {
  const given = req.headers['if-range'];
  if (given === undefined) return true;
  return typeof given === 'string' && (given === entry.etag || Date.parse(given) === Math.floor(entry.modifiedAt / 1_000) * 1_000);
}
