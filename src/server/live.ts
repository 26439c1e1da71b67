// Owns the live socket: one a page, many subscriptions; each bounded, resumable, and counted where it loses.
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { DiagError, codeOf, sayError, type ErrorCode } from '../shared/errors.ts';
import { FromPage, type ToPage } from '../shared/live.ts';
import { jsonAs } from '../shared/json-as.ts';
import type { Clock } from '../platform/clock.ts';
import type { Agent } from '../agent/agent.ts';
import type { Guard } from './guard.ts';
import { LogSinks } from './log-sink.ts';
import { MAX_SHELL_SOCKETS, type ShellSockets } from './shell-socket.ts';
import { subscribe } from './topics.ts';
import { problemOf } from './problem.ts';

/** Sockets at once; a page has one. A hundred pages and the tools beside them. */
export const MAX_SOCKETS = 128;
/** Subscriptions of one socket: every chart topic and a dozen logs. */
export const MAX_SUBSCRIPTIONS = 24;
/** Longest message a page may send. */
const MAX_MESSAGE_BYTES = 16 * 1024;
/** The front end drops quiet sockets after about four minutes (appservice.md). */
export const PING_MS = 30_000;
/** Above this a socket is slow: its subscriptions wait, and their feeds count what they lose. */
export const HIGH_WATER_BYTES = 1024 * 1024;
const DRAIN_LOOK_MS = 20;
/** A page answers our close at once; one that does not is cut off after this. */
export const CLOSE_GRACE_MS = 1_000;

export interface Live {
  readonly sockets: number;
  /** Says goodbye to every page and takes no new one. The sockets are gone within CLOSE_GRACE_MS; the server's own close waits for them. */
  close(): void;
}

/** `shells`: takes the sockets at `<base>/shell`. */
export function attachLive(server: Server, agent: Agent, guard: Guard, base: string, shells?: ShellSockets): Live {
  const wss = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  server.on('upgrade', (req, socket, head) => {
    const place = (req.url ?? '').split('?')[0];
    const isShell = shells !== undefined && place === `${base}/shell`;
    let who;
    try {
      guard.checkHost(req);
      if (!isShell && place !== `${base}/live`) throw new DiagError('NOT_FOUND', { path: 'this socket address' });
      who = admit(req, guard);
      if (isShell ? shells.sockets >= MAX_SHELL_SOCKETS : wss.clients.size >= MAX_SOCKETS) throw new DiagError('TOO_MANY', { what: isShell ? 'terminals' : 'live sockets', limit: isShell ? MAX_SHELL_SOCKETS : MAX_SOCKETS });
    } catch (error) {
      refuse(socket, error);
      return;
    }
    if (isShell) { shells.take(req, socket, head, who); return; }
    wss.handleUpgrade(req, socket, head, (ws) => { serve(ws, req.socket, agent).catch((error: unknown) => { agent.log.error('live socket failed', {}, error); ws.terminate(); }); });
  });
  return {
    get sockets() { return wss.clients.size; },
    close() { closeAll(wss, agent.platform.clock).catch((error: unknown) => { agent.log.error('the live sockets did not close', {}, error); }); },
  };
}

export async function closeAll(wss: WebSocketServer, clock: Clock): Promise<void> {
  const closed = new AbortController();
  wss.close(() => { closed.abort(); });                        // called when the last socket is gone
  for (const ws of wss.clients) ws.close(1001, 'the agent ends');
  try {
    await clock.wait(CLOSE_GRACE_MS, closed.signal);
  } catch (error) {
    if (!closed.signal.aborted) throw error;
  }
  for (const ws of wss.clients) ws.terminate();
}

function admit(req: IncomingMessage, guard: Guard): string {
  guard.checkHost(req);
  const who = guard.who(req);
  guard.checkSocket(req);
  return who;
}

/** A problem as for every refused request; then our end of the connection goes too: the server no longer counts a socket that asked for an upgrade. */
function refuse(socket: Duplex, error: unknown): void {
  const problem = problemOf(error);
  const body = JSON.stringify(problem);
  const wants = problem.status === 401 ? 'WWW-Authenticate: Bearer realm="diag"\r\n' : '';
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\nContent-Type: application/problem+json\r\n${wants}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}

/** Sends when the socket has room; a subscription awaits this, so that a slow page stops pulling instead of filling memory. */
export type Send = (message: ToPage) => Promise<void>;

async function serve(ws: WebSocket, socket: Socket, agent: Agent): Promise<void> {
  const gone = new AbortController();
  const open = new Map<string, AbortController>();
  const sinks = new LogSinks(ws, socket);
  ws.on('close', () => { gone.abort(); });
  ws.on('error', () => { gone.abort(); });                     // ws itself closes then, with the code that says why
  ws.on('message', (raw, isBinary) => {
    const message = isBinary ? undefined : jsonAs(FromPage, String(raw));
    if (!message) { sendRefusal(ws, 'BAD_INPUT', 'The message is not one of ours.'); return; }
    open.get(message.id)?.abort();
    open.delete(message.id);
    if (message.type === 'leave') return;
    if (open.size >= MAX_SUBSCRIPTIONS) { sendRefusal(ws, 'TOO_MANY', `At most ${MAX_SUBSCRIPTIONS} subscriptions.`, message.id); return; }
    const left = new AbortController();
    open.set(message.id, left);
    void run(message, agent, ws, sinks, AbortSignal.any([gone.signal, left.signal])).finally(() => { if (open.get(message.id) === left) open.delete(message.id); });
  });
  const { app } = agent.platform.host;
  await sender(ws, agent.platform.clock, gone.signal)({ type: 'hello', version: agent.version, instance: app.instance, at: agent.platform.clock.now(), app, health: agent.health() });
  await keepAlive(ws, agent.platform.clock, gone.signal);
}

async function run(message: Exclude<FromPage, { type: 'leave' }>, agent: Agent, ws: WebSocket, sinks: LogSinks, signal: AbortSignal): Promise<void> {
  try {
    await subscribe(message, agent, sender(ws, agent.platform.clock, signal), sinks, signal);
  } catch (error) {
    if (signal.aborted) return;
    const code = codeOf(error);
    if (code === 'INTERNAL') agent.log.error('subscription failed', {}, error);
    sendRefusal(ws, code, code === 'INTERNAL' ? 'Something failed inside the agent.' : sayError(error), message.id);
  }
}

/** A refusal waits for nobody: who asks again and again without reading the answers is cut off instead of filling memory. */
function sendRefusal(ws: WebSocket, code: ErrorCode, detail: string, id?: string): void {
  if (ws.bufferedAmount > HIGH_WATER_BYTES) { ws.terminate(); return; }
  if (ws.readyState === ws.OPEN) ws.send(JSON.stringify({ type: 'refused', code, detail, ...(id === undefined ? {} : { id }) } satisfies ToPage));
}

/** Waits for room first: what lies in the socket is at most the high water and one message. After the signal nothing is sent any more. */
function sender(ws: WebSocket, clock: Clock, signal: AbortSignal): Send {
  return async (message) => {
    if (ws.bufferedAmount > HIGH_WATER_BYTES) {
      for await (const _ of clock.every(DRAIN_LOOK_MS, signal)) {
        void _;
        if (ws.bufferedAmount <= HIGH_WATER_BYTES / 2) break;
      }
    }
    if (!signal.aborted && ws.readyState === ws.OPEN) ws.send(JSON.stringify(message));
  };
}

/** A ping every 30 s; a socket that answered none since the last is gone. */
export async function keepAlive(ws: WebSocket, clock: Clock, gone: AbortSignal): Promise<void> {
  let answered = true;
  ws.on('pong', () => { answered = true; });
  for await (const _ of clock.every(PING_MS, gone)) {
    void _;
    if (!answered) { ws.terminate(); return; }
    answered = false;
    ws.ping();
  }
}
