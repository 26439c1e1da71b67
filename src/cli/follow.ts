// Owns the CLI's end of the live socket: one followed log as a stream of batches.
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { ApiProblem } from '../shared/connect.ts';
import { Problem } from '../shared/api.ts';
import { DiagError } from '../shared/errors.ts';
import type { LogFilter } from '../shared/model.ts';
import { ToPage } from '../shared/live.ts';
import { LogChannels } from '../shared/log-channels.ts';
import { jsonAs } from '../shared/json-as.ts';
import { systemClock } from '../platform/clock.ts';
import type { Reached } from './reach.ts';

export type LogBatch = Extract<ToPage, { type: 'log' }>;
export interface Wanted { readonly source: string; readonly cursor?: string; readonly last?: number; readonly filter: LogFilter }

/** The agent pings every 30 s: a socket that is silent for longer than two of them is dead, whatever TCP says. */
const SILENT_MS = 75_000;
const LOOK_MS = 15_000;
const HANDSHAKE_MS = 15_000;
/** Batches that may wait for a slow terminal; then the socket is not read, and the agent counts what we lose. */
const MAX_WAITING = 16;
const MAX_REFUSAL_BYTES = 64 * 1024;

/** Batches until the connection breaks or the signal aborts; the caller resumes with the last cursor. @throws what the agent refused */
export async function* followLog(reached: Reached, wanted: Wanted, signal: AbortSignal): AsyncGenerator<LogBatch> {
  const over = new AbortController();
  const wire = new Wire(reached, { type: 'follow-log', id: 'log', ...wanted }, wanted.source);
  const end = (): void => { wire.close(); };
  signal.addEventListener('abort', end, { once: true });
  void watch(wire, AbortSignal.any([signal, over.signal]));
  try {
    if (signal.aborted) return;
    for (let message = await wire.next(); message; message = await wire.next()) if (message.type === 'log') yield message;
  } finally {
    signal.removeEventListener('abort', end);
    over.abort();
    wire.close();
  }
}

async function watch(wire: Wire, signal: AbortSignal): Promise<void> {
  for await (const _ of systemClock.every(LOOK_MS, signal)) {
    void _;
    if (systemClock.monotonic() - wire.heardAt > SILENT_MS) wire.close();
  }
}

/** The socket as a queue of messages. */
class Wire {
  heardAt = systemClock.monotonic();
  readonly #socket: WebSocket;
  readonly #waiting: ToPage[] = [];
  readonly #channels = new LogChannels();
  readonly #source: string;
  #refusal: Error | undefined;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(reached: Reached, ask: object, source: string) {
    this.#source = source;
    const { url, headers } = reached;
    // Behind the SCM site the agent tells programs from pages of other sites by the Origin only.
    this.#socket = new WebSocket(`${url.replace(/^http/, 'ws')}/live`, { headers: { ...headers, origin: new URL(url).origin }, handshakeTimeout: HANDSHAKE_MS, perMessageDeflate: false });
    this.#socket.on('open', () => { this.#socket.send(JSON.stringify(ask)); });
    this.#socket.on('ping', () => { this.heardAt = systemClock.monotonic(); });
    this.#socket.binaryType = 'nodebuffer';
    this.#socket.on('message', (raw, isBinary) => { if (isBinary) this.#frame(raw as Buffer); else this.#take(String(raw)); });
    this.#socket.on('unexpected-response', (_req, res) => { void this.#refused(url, res); });
    this.#socket.on('close', () => { this.#end(); });
    this.#socket.on('error', () => { this.#end(); });            // 'close' may not follow when it never opened
  }

  /** The next message; undefined when the connection is over. @throws what the agent refused */
  async next(): Promise<ToPage | undefined> {
    while (this.#waiting.length === 0 && !this.#closed) await new Promise<void>((done) => { this.#wake = done; });
    const message = this.#waiting.shift();
    if (this.#waiting.length === 0 && this.#socket.isPaused) this.#socket.resume();
    if (message === undefined && this.#refusal) throw this.#refusal;
    return message;
  }

  close(): void { this.#end(); this.#socket.terminate(); }

  #take(text: string): void {
    this.heardAt = systemClock.monotonic();
    const message = ToPage.safeParse(JSON.parse(text));
    if (!message.success) return;                              // a newer agent may say more
    if (message.data.type === 'refused') { const { code, detail } = message.data; this.#refusal = problem(code, detail); this.#end(); return; }
    if (message.data.type === 'log') this.#channels.heard(message.data, this.#source);
    this.#push(message.data);
  }

  #frame(bytes: Buffer): void {
    this.heardAt = systemClock.monotonic();
    const message = this.#channels.read(bytes, systemClock.now());
    if (message !== undefined) this.#push(message);
  }

  #push(message: ToPage): void {
    this.#waiting.push(message);
    if (this.#waiting.length >= MAX_WAITING) this.#socket.pause();
    this.#wake?.();
  }

  /** A refusal that stays one is told; that of an agent which is just starting, or is full, is a broken connection. */
  async #refused(url: string, res: IncomingMessage): Promise<void> {
    let body = '';
    res.setEncoding('utf8').on('data', (text: string) => { if (body.length < MAX_REFUSAL_BYTES) body += text; });
    await new Promise<void>((done) => { res.on('close', () => { done(); }); });
    const status = res.statusCode ?? 0;
    if (status !== 429 && status < 500) this.#refusal = refusalOf(body) ?? new DiagError('UNREACHABLE', { url, why: `its live address answered ${status}` });
    this.close();
  }

  #end(): void { this.#closed = true; this.#wake?.(); }
}

function refusalOf(body: string): ApiProblem | undefined {
  const problem = jsonAs(Problem, body);
  return problem && new ApiProblem(problem);
}

function problem(code: string, detail: string): ApiProblem {
  return new ApiProblem({ type: 'about:blank', title: code, status: 0, code, detail });
}
