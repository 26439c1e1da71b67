// Owns how long a request's body may take: a small one to its end, a file as long as it keeps coming.
import type { Request, RequestHandler } from 'express';
import type { Clock } from '../platform/clock.ts';

/** A body of JSON has at most some megabytes: who is slower does not mean to finish. */
const WHOLE_MS = 60_000;
/** Of a file that is sent: without a byte for so long it is over. */
const SILENT_MS = 60_000;

/** Files come by PUT, and are not JSON. */
const isFile = (req: Request): boolean => req.method === 'PUT' && !/json/i.test(req.headers['content-type'] ?? '');
const hasBody = (req: Request): boolean => req.headers['transfer-encoding'] !== undefined || (req.headers['content-length'] ?? '0') !== '0';

/** Node's own limit knows no difference between requests: it is off, and this stands in its place (listen.ts). */
export function bodyTime(clock: Clock, wholeMs = WHOLE_MS, silentMs = SILENT_MS): RequestHandler {
  return (req, res, next) => {
    next();
    if (req.complete || !hasBody(req)) return;
    const over = new AbortController();
    const { socket } = req;
    const end = (): void => { over.abort(); socket.off('close', end); };
    req.once('end', end);
    req.once('close', end);
    // Node forgets a request that was answered unread: when its connection ends, the request itself is not told.
    socket.once('close', end);
    // What is answered before it came is only drained, so that the client gets to read the answer.
    res.once('finish', () => { if (!req.complete) { req.resume(); void cutAfter(req, clock, wholeMs, over.signal); } });
    if (isFile(req)) void cutWhenSilent(req, clock, silentMs, over.signal);
    else void cutAfter(req, clock, wholeMs, over.signal);
  };
}

async function cutAfter(req: Request, clock: Clock, ms: number, over: AbortSignal): Promise<void> {
  try {
    await clock.wait(ms, over);
    req.socket.destroy();
  } catch (error) {
    if (!over.aborted) throw error;
  }
}

async function cutWhenSilent(req: Request, clock: Clock, ms: number, over: AbortSignal): Promise<void> {
  let read = -1;
  try {
    // What waits in us (a slow disk) is not the client's silence: only a socket that brings nothing while there is room for it.
    while (read !== req.socket.bytesRead || req.readableLength >= req.readableHighWaterMark) { read = req.socket.bytesRead; await clock.wait(ms, over); }
    req.socket.destroy();
  } catch (error) {
    if (!over.aborted) throw error;
  }
}
