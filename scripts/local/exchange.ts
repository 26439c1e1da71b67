// Owns one request's way through the front end: to the worker and back, or to the signature of how it failed.
import { type Agent, type ClientRequest, type IncomingMessage, type ServerResponse, request } from 'node:http';
import type { Socket } from 'node:net';
import { endToEnd, toWorker } from './headers.ts';
import type { Limits } from './limits.ts';
import { type Quiet, quiet } from './quiet.ts';
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
  /** Counts a request that goes to the worker on this port, until what it answers is called. */
  opened(port: number): () => void;
  write(row: Row): void;
}

/** WinHTTP takes a response head of 64 KB; a larger one is an invalid response. */
const RESPONSE_HEAD_BYTES = 64 * 1024;

/** Sends a head that waits for its body. Not `flushHeaders()`: that one encodes the head as UTF-8, and Latin-1 values would change. */
const HEAD_NOW = Buffer.alloc(0);

/** Carries one request; every outcome, the client's leaving included, ends in exactly one row. */
export function exchange(req: IncomingMessage, res: ServerResponse, desk: Desk, upgradeHead?: Buffer): void {
  new Exchange(req, res, desk, upgradeHead).begin();
}

class Exchange {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #desk: Desk;
  /** Bytes behind an upgrade request; absent on a plain one. */
  readonly #upgradeHead: Buffer | undefined;
  readonly #record: RequestRecord;
  readonly #handlerLimit: Quiet;
  readonly #requestLimit: Quiet;
  #upstream: ClientRequest | undefined;
  /** What the row will say, once something other than the worker's own answer decides it. */
  #decided: Signature | undefined;
  /** The client was answered for the worker, which keeps working. */
  #orphaned = false;
  #tunnelled = false;

  constructor(req: IncomingMessage, res: ServerResponse, desk: Desk, upgradeHead: Buffer | undefined) {
    this.#req = req;
    this.#res = res;
    this.#desk = desk;
    this.#upgradeHead = upgradeHead;
    this.#record = beginRecord(req, desk.port, (row) => desk.write(row));
    this.#handlerLimit = quiet(desk.limits.handlerLimitMs, () => this.#handlerWaitedTooLong());
    this.#requestLimit = quiet(desk.limits.requestLimitMs, () => this.#requestTookTooLong());
  }

  begin(): void {
    this.#res.once('close', () => this.#closed());
    const port = this.#desk.worker();
    const webSocket = this.#upgradeHead !== undefined && isWebSocket(this.#req);
    if (port === 'stopped') return this.#fail(signatures.rapidFail);
    if (port === undefined) return this.#fail(signatures.notListening);
    if (this.#upgradeHead !== undefined && !webSocket && hasBody(this.#req)) return this.#fail(signatures.upgradeWithBody);
    const upstream = open(this.#req, this.#record, this.#desk, port, webSocket);
    upstream.once('close', this.#desk.opened(port));
    this.#forward(upstream);
  }

  #forward(upstream: ClientRequest): void {
    this.#upstream = upstream;
    upstream.on('error', (error) => this.#fail(signatureOf(error)));
    upstream.on('response', (answer) => this.#relay(answer));
    upstream.on('upgrade', (answer, socket, head) => this.#tunnel(answer, socket, head));
    upstream.on('drain', () => this.#touch());
    this.#res.on('drain', () => this.#touch());
    this.#req.on('data', () => this.#touch());
    this.#req.on('error', () => upstream.destroy()); // an upload cut off; the row is written when the response closes
    if (hasBody(this.#req)) upstream.write(HEAD_NOW); // the app may answer to the head alone
    if (this.#upgradeHead === undefined) this.#req.pipe(upstream);
    else upstream.end();
  }

  #relay(answer: IncomingMessage): void {
    if (this.#decided !== undefined) return void answer.resume();
    this.#touch();
    if (answer.headers.date !== undefined) this.#res.sendDate = false;
    try {
      this.#res.writeHead(answer.statusCode ?? 0, answer.statusMessage, endToEnd(answer.rawHeaders));
    } catch (error) {
      answer.destroy();
      return this.#fail(signatureOf(error as NodeJS.ErrnoException));
    }
    this.#res.write(HEAD_NOW); // an event stream may be silent for minutes after its head
    answer.on('data', () => this.#touch());
    answer.on('error', (error: NodeJS.ErrnoException) => this.#fail(signatureOf(error)));
    answer.on('close', () => {
      if (!answer.complete) this.#fail(signatures.connectionEnded);
    });
    answer.on('end', () => this.#endUpload());
    answer.pipe(this.#res);
  }

  #tunnel(answer: IncomingMessage, worker: Socket, workerHead: Buffer): void {
    if (this.#upgradeHead === undefined || this.#decided !== undefined) return void worker.destroy();
    this.#tunnelled = true;
    this.#stopLimits();
    tunnel({ answer, worker, workerHead, res: this.#res, clientHead: this.#upgradeHead, quietMs: this.#desk.limits.requestLimitMs })
      .then((signature) => this.#record.end(signature), () => this.#record.end(afterHead(101, win32.connectionEnded)));
  }

  /** Decides the row and answers the client with it, or cuts the answer that has begun. The first decision stands. */
  #fail(signature: Signature, reasonAfterHead: number = signature.win32): void {
    const res = this.#res;
    if (this.#decided !== undefined || res.writableEnded || res.destroyed) return;
    this.#decided = res.headersSent ? afterHead(res.statusCode, reasonAfterHead) : signature;
    if (res.headersSent) res.destroy();
    else answerPage(this.#req, res, signature.status);
  }

  #handlerWaitedTooLong(): void {
    if (this.#waitsForClient()) return; // not the worker's silence
    this.#fail(signatures.handlerLimit);
    this.#upstream?.destroy();
  }

  #requestTookTooLong(): void {
    if (this.#waitsForClient()) {
      this.#fail(signatures.clientStalled);
      this.#upstream?.destroy();
      return;
    }
    this.#orphaned = true; // only the handler's limit can still end what the app is doing
    this.#fail(signatures.requestLimit, win32.semaphoreTimeout);
  }

  /** The client owes us the rest of its body, or room for more of the answer. */
  #waitsForClient(): boolean {
    const bodyMissing = !this.#req.complete && this.#upstream !== undefined && !this.#upstream.writableNeedDrain;
    return bodyMissing || this.#res.writableNeedDrain;
  }

  #touch(): void {
    this.#handlerLimit.touch();
    this.#requestLimit.touch();
  }

  #stopLimits(): void {
    this.#handlerLimit.stop();
    this.#requestLimit.stop();
  }

  /** The answer is whole; what the client still uploads is read and forgotten, so that its connection can be kept. */
  #endUpload(): void {
    if (this.#req.complete) return;
    if (this.#upstream !== undefined) this.#req.unpipe(this.#upstream);
    this.#req.resume();
  }

  #closed(): void {
    if (this.#tunnelled) return;
    const orphan = this.#orphaned && this.#upstream?.destroyed === false ? this.#upstream : undefined;
    this.#requestLimit.stop();
    if (orphan === undefined) this.#handlerLimit.stop();
    else orphan.once('close', () => this.#handlerLimit.stop());
    if (!this.#orphaned && !this.#res.writableFinished) this.#upstream?.destroy();
    this.#record.end(this.#decided ?? plainEnd(this.#res));
  }
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
