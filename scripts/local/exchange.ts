// Owns one request's way through the front end: to the worker and back, or to the signature of how it failed.
import { type Agent, type ClientRequest, type IncomingMessage, type ServerResponse, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { endToEnd, toWorker } from './headers.ts';
import type { Limits } from './limits.ts';
import { quiet } from './quiet.ts';
import { type RequestRecord, beginRecord } from './record.ts';
import { type Signature, afterHead, errorPage, signatureOf, signatures, win32 } from './signature.ts';
import { tunnel } from './tunnel.ts';
import type { Row } from './w3c.ts';

/** What every exchange of one front end shares. */
export interface Desk {
  readonly site: string;
  readonly defaultHostname: string;
  readonly port: number;
  readonly limits: Limits;
  readonly agent: Agent;
  /** The worker's port, `stopped` after rapid-fail, or nothing between two workers. */
  worker(): number | 'stopped' | undefined;
  write(row: Row): void;
}

/** WinHTTP takes a response head of 64 KB; a larger one is an invalid response. */
const RESPONSE_HEAD_BYTES = 64 * 1024;

/** Carries one request; every outcome, the client's leaving included, ends in exactly one row. */
export function exchange(req: IncomingMessage, res: ServerResponse, desk: Desk, upgradeHead?: Buffer): void {
  const record = beginRecord(req, desk.port, (row) => desk.write(row));
  let decided: Signature | undefined;
  let upstream: ClientRequest | undefined;
  let orphaned = false;
  let tunnelled = false;

  function fail(signature: Signature, reasonAfterHead: number = signature.win32): void {
    if (decided !== undefined || res.writableEnded || res.destroyed) return;
    decided = res.headersSent ? afterHead(res.statusCode, reasonAfterHead) : signature;
    if (res.headersSent) res.destroy();
    else answerPage(req, res, signature.status);
  }

  function waitsForClient(): boolean {
    const bodyMissing = !req.complete && upstream !== undefined && !upstream.writableNeedDrain;
    return bodyMissing || res.writableNeedDrain;
  }

  const handlerLimit = quiet(desk.limits.handlerLimitMs, () => {
    if (waitsForClient()) return; // not the worker's silence
    fail(signatures.handlerLimit);
    upstream?.destroy();
  });
  const requestLimit = quiet(desk.limits.requestLimitMs, () => {
    if (waitsForClient()) {
      fail(signatures.clientStalled);
      upstream?.destroy();
      return;
    }
    orphaned = true; // the platform answers the client, the app keeps working: only the handler's limit can still end that
    fail(signatures.requestLimit, win32.semaphoreTimeout);
  });
  const touch = (): void => {
    handlerLimit.touch();
    requestLimit.touch();
  };

  res.once('close', () => {
    if (tunnelled) return;
    requestLimit.stop();
    if (orphaned && upstream?.destroyed === false) upstream.once('close', () => handlerLimit.stop());
    else handlerLimit.stop();
    if (!orphaned && !res.writableFinished) upstream?.destroy();
    record.end(decided ?? plainEnd(res));
  });

  const port = desk.worker();
  if (port === 'stopped') return fail(signatures.rapidFail);
  if (port === undefined) return fail(signatures.notListening);
  if (upgradeHead !== undefined && !isWebSocket(req) && hasBody(req)) return fail(signatures.upgradeWithBody);

  upstream = open(req, record, desk, port, upgradeHead !== undefined && isWebSocket(req));
  upstream.on('error', (error) => fail(signatureOf(error)));
  upstream.on('response', (answer) => {
    if (decided !== undefined) answer.resume();
    else relay(answer, res, { fail, touch, end: () => endUpload(req, upstream) });
  });
  upstream.on('upgrade', (answer: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (upgradeHead === undefined || decided !== undefined) return void socket.destroy();
    tunnelled = true;
    handlerLimit.stop();
    requestLimit.stop();
    tunnel({ answer, worker: socket, workerHead: head, res, clientHead: upgradeHead, quietMs: desk.limits.requestLimitMs })
      .then((signature) => record.end(signature), () => record.end(afterHead(101, win32.connectionEnded)));
  });
  upstream.on('drain', touch);
  res.on('drain', touch);
  req.on('data', touch);
  req.on('error', () => upstream?.destroy()); // an upload cut off; the row is written when the response closes
  if (upgradeHead === undefined) req.pipe(upstream);
  else upstream.end();
}

function open(req: IncomingMessage, record: RequestRecord, desk: Desk, port: number, upgrade: boolean): ClientRequest {
  const passing = {
    ...record, url: record.target, host: req.headers.host, defaultHostname: desk.defaultHostname, site: desk.site,
  };
  return request({
    host: '127.0.0.1',
    port,
    // A tunnel takes its connection out of the pool for good, so it gets one of its own.
    agent: upgrade ? false : desk.agent,
    method: req.method ?? 'GET',
    path: record.target,
    headers: toWorker(req.rawHeaders, passing, upgrade ? ['Connection', 'Upgrade', 'Upgrade', 'websocket'] : framing(req)),
    setHost: false,
    maxHeaderSize: RESPONSE_HEAD_BYTES,
  });
}

/** The body's framing for the worker. A POST without a body says so, else Node would announce chunks. */
function framing(req: IncomingMessage): string[] {
  if (req.headers['transfer-encoding'] !== undefined) return ['Transfer-Encoding', 'chunked'];
  const bodyless = req.method === 'GET' || req.method === 'HEAD' || req.headers['content-length'] !== undefined;
  return bodyless ? [] : ['Content-Length', '0'];
}

function hasBody(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
}

function isWebSocket(req: IncomingMessage): boolean {
  return req.headers.upgrade?.toLowerCase() === 'websocket';
}

interface Relaying {
  fail(signature: Signature): void;
  touch(): void;
  end(): void;
}

function relay(answer: IncomingMessage, res: ServerResponse, { fail, touch, end }: Relaying): void {
  touch();
  if (answer.headers.date !== undefined) res.sendDate = false;
  try {
    res.writeHead(answer.statusCode ?? 0, answer.statusMessage, endToEnd(answer.rawHeaders));
  } catch (error) {
    answer.destroy();
    return fail(signatureOf(error as NodeJS.ErrnoException));
  }
  res.flushHeaders(); // an event stream may be silent for minutes after its head
  answer.on('data', touch);
  answer.on('error', (error: NodeJS.ErrnoException) => fail(signatureOf(error)));
  answer.on('close', () => {
    if (!answer.complete) fail(signatures.connectionEnded);
  });
  answer.on('end', end);
  answer.pipe(res);
}

/** The answer is whole; what the client still uploads is read and forgotten, so that its connection can be kept. */
function endUpload(req: IncomingMessage, upstream: ClientRequest | undefined): void {
  if (req.complete) return;
  if (upstream !== undefined) req.unpipe(upstream);
  req.resume();
}

function answerPage(req: IncomingMessage, res: ServerResponse, status: number): void {
  const page = errorPage(status);
  req.unpipe();
  req.resume();
  res.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(page),
    'Cache-Control': 'no-store',
    ...(req.complete || !hasBody(req) ? {} : { Connection: 'close' }),
  });
  res.end(page);
}

/** Nobody decided: either all went well, or the client left. */
function plainEnd(res: ServerResponse): Signature {
  if (res.writableFinished) return { status: res.statusCode, substatus: 0, win32: win32.none };
  return res.headersSent ? afterHead(res.statusCode, win32.networkNameGone) : signatures.clientGone;
}
