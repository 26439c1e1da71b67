// Owns the sockets of shells: one a terminal, keys in and output out as bytes, so that a flood of output never stands before the live messages of the page.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { codeOf, sayError } from '../shared/errors.ts';
import { ShellFromPage, type ShellToPage } from '../shared/shells.ts';
import { jsonAs } from '../shared/json-as.ts';
import type { Agent } from '../agent/agent.ts';
import type { Attached } from '../agent/shell/session.ts';
import { closeAll, keepAlive } from './live.ts';

/** Terminals at once: those of the shells, and those that are just taken over. */
export const MAX_SHELL_SOCKETS = 16;
/** Longest piece of a paste; the page cuts longer ones. */
const MAX_MESSAGE_BYTES = 64 * 1024;
const BAD_MESSAGE = 1008;

export interface ShellSockets {
  readonly sockets: number;
  /** The request has been let in. */
  take(req: IncomingMessage, socket: Duplex, head: Buffer, who: string): void;
  close(): void;
}

export function shellSockets(agent: Agent): ShellSockets {
  const wss = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  return {
    get sockets() { return wss.clients.size; },
    take(req, socket, head, who) {
      const id = new URLSearchParams((req.url ?? '').split('?')[1] ?? '').get('id') ?? '';
      wss.handleUpgrade(req, socket, head, (ws) => { serve(ws, id, who, agent).catch((error: unknown) => { agent.log.error('the socket of a shell failed', {}, error); ws.terminate(); }); });
    },
    close() { closeAll(wss, agent.platform.clock).catch((error: unknown) => { agent.log.error('the sockets of shells did not close', {}, error); }); },
  };
}

async function serve(ws: WebSocket, id: string, who: string, agent: Agent): Promise<void> {
  const gone = new AbortController();
  const tell = (message: ShellToPage): void => { if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(message)); };
  let attached: Attached | undefined;
  const early: { raw: Buffer; isBinary: boolean }[] = [];      // between the upgrade and the attaching lie microseconds, or a record of the audit
  ws.on('close', () => { gone.abort(); attached?.leave(); });
  ws.on('error', () => { gone.abort(); });                     // ws itself closes then
  ws.on('message', (raw, isBinary) => {
    if (attached === undefined) { if (early.length < 16) early.push({ raw: raw as Buffer, isBinary }); return; }
    hear(ws, attached, raw as Buffer, isBinary);
  });
  try {
    attached = await agent.shells.attach(id, {
      who, tell,
      output: (bytes) => { if (ws.readyState === ws.OPEN) ws.send(bytes); },
      taken: (by) => { tell({ type: 'taken', who: by }); ws.close(1000, 'taken over'); },
    });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'INTERNAL') agent.log.error('a shell could not be shown', {}, error);
    tell({ type: 'refused', code, detail: code === 'INTERNAL' ? 'Something failed inside the agent.' : sayError(error) });
    ws.close(BAD_MESSAGE, code);
    return;
  }
  if (gone.signal.aborted) { attached.leave(); return; }
  for (const { raw, isBinary } of early) hear(ws, attached, raw, isBinary);
  await keepAlive(ws, agent.platform.clock, gone.signal);
}

function hear(ws: WebSocket, attached: Attached, raw: Buffer, isBinary: boolean): void {
  if (isBinary) { attached.keys(raw); return; }
  const message = jsonAs(ShellFromPage, String(raw));
  if (message === undefined) { ws.close(BAD_MESSAGE, 'not one of our messages'); return; }
  if (message.type === 'size') attached.size(message.cols, message.rows);
  else attached.seen(message.bytes);
}
