// Owns the live socket: one a page, many subscriptions; each bounded, resumable, and counted where it loses.
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { DiagError, codeOf, sayError } from '../shared/errors.ts';
import { FromPage, type ToPage } from '../shared/live.ts';
import type { Agent } from '../agent/agent.ts';
import type { Guard } from './guard.ts';
import { subscribe } from './topics.ts';
import { problemOf } from './problem.ts';

/** Sockets at once; a page has one. */
const MAX_SOCKETS = 64;
/** Subscriptions of one socket: every chart topic and a dozen logs. */
const MAX_SUBSCRIPTIONS = 24;
/** Longest message a page may send. */
const MAX_MESSAGE_BYTES = 16 * 1024;
/** The front end drops quiet sockets after about four minutes (appservice.md). */
const PING_MS = 30_000;
/** Above this a socket is slow: its subscriptions wait, and their feeds count what they lose. */
const HIGH_WATER_BYTES = 1024 * 1024;
const DRAIN_LOOK_MS = 20;

export interface Live { close(): void; readonly sockets: number }

export function attachLive(server: Server, agent: Agent, guard: Guard, base: string): Live {
  const wss = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  server.on('upgrade', (req, socket, head) => {
    try {
      admit(req, guard, base, wss.clients.size);
    } catch (error) {
      refuse(socket, error);
      return;
    }
    wss.handleUpgrade(req, socket, head, (ws) => { serve(ws, agent).catch((error: unknown) => { agent.log.error('live socket failed', {}, error); ws.terminate(); }); });
  });
  return {
    get sockets() { return wss.clients.size; },
    close() { for (const ws of wss.clients) ws.close(1001, 'the agent ends'); wss.close(); for (const ws of wss.clients) ws.terminate(); },
  };
}

function admit(req: IncomingMessage, guard: Guard, base: string, open: number): void {
  guard.checkHost(req);
  if ((req.url ?? '').split('?')[0] !== `${base}/live`) throw new DiagError('NOT_FOUND', { path: 'this socket address' });
  guard.who(req);
  guard.checkSocket(req);
  if (open >= MAX_SOCKETS) throw new DiagError('TOO_MANY', { what: 'live sockets', limit: MAX_SOCKETS });
}

function refuse(socket: Duplex, error: unknown): void {
  const problem = problemOf(error);
  const body = JSON.stringify(problem);
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}

/** Sends when the socket has room; a subscription awaits this, so that a slow page stops pulling instead of filling memory. */
export type Send = (message: ToPage) => Promise<void>;

async function serve(ws: WebSocket, agent: Agent): Promise<void> {
  const gone = new AbortController();
  const open = new Map<string, AbortController>();
  ws.on('close', () => { gone.abort(); });
  ws.on('error', () => { gone.abort(); ws.terminate(); });
  const send = sender(ws, agent, gone.signal);
  ws.on('message', (raw, isBinary) => {
    const message = isBinary ? undefined : parse(String(raw));
    if (!message) { void send({ type: 'refused', code: 'BAD_INPUT', detail: 'The message is not one of ours.' }); return; }
    open.get(message.id)?.abort();
    open.delete(message.id);
    if (message.type === 'leave') return;
    if (open.size >= MAX_SUBSCRIPTIONS) { void send({ type: 'refused', id: message.id, code: 'TOO_MANY', detail: `At most ${MAX_SUBSCRIPTIONS} subscriptions.` }); return; }
    const left = new AbortController();
    open.set(message.id, left);
    void run(message, agent, send, AbortSignal.any([gone.signal, left.signal]));
  });
  const { app } = agent.platform.host;
  await send({ type: 'hello', version: agent.version, instance: app.instance, at: agent.platform.clock.now(), app, health: agent.health() });
  await keepAlive(ws, agent, gone.signal);
}

function parse(text: string): FromPage | undefined {
  try {
    const parsed = FromPage.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function run(message: Exclude<FromPage, { type: 'leave' }>, agent: Agent, send: Send, signal: AbortSignal): Promise<void> {
  try {
    await subscribe(message, agent, send, signal);
  } catch (error) {
    if (signal.aborted) return;
    if (codeOf(error) === 'INTERNAL') agent.log.error('subscription failed', {}, error);
    await send({ type: 'refused', id: message.id, code: codeOf(error), detail: codeOf(error) === 'INTERNAL' ? 'Something failed inside the agent.' : sayError(error) });
  }
}

function sender(ws: WebSocket, agent: Agent, gone: AbortSignal): Send {
  return async (message) => {
    if (gone.aborted) return;
    ws.send(JSON.stringify(message));
    if (ws.bufferedAmount <= HIGH_WATER_BYTES) return;
    for await (const _ of agent.platform.clock.every(DRAIN_LOOK_MS, gone)) {
      void _;
      if (ws.bufferedAmount <= HIGH_WATER_BYTES / 2) return;
    }
  };
}

/** A ping every 30 s; a socket that answered none since the last is gone. */
async function keepAlive(ws: WebSocket, agent: Agent, gone: AbortSignal): Promise<void> {
  let answered = true;
  ws.on('pong', () => { answered = true; });
  for await (const _ of agent.platform.clock.every(PING_MS, gone)) {
    void _;
    if (!answered) { ws.terminate(); return; }
    answered = false;
    ws.ping();
  }
}
