// Owns the CLI's end of the live socket: one followed log as a stream of batches.
import { WebSocket } from 'ws';
import { DiagError } from '../shared/errors.ts';
import type { LogFilter } from '../shared/model.ts';
import { ToPage } from '../shared/live.ts';
import type { Reached } from './reach.ts';

type LogBatch = Extract<ToPage, { type: 'log' }>;

/** Batches until the connection breaks or the signal aborts; the caller resumes with the last cursor. @throws what the agent refused */
export async function* followLog(reached: Reached, wanted: { source: string; cursor?: string; last?: number; filter: LogFilter }, signal: AbortSignal): AsyncGenerator<LogBatch> {
  const socket = new WebSocket(`${reached.url.replace(/^http/, 'ws')}/live`, { headers: reached.headers });
  const end = (): void => { socket.close(); };
  signal.addEventListener('abort', end, { once: true });
  const waiting: ToPage[] = [];
  let wake: (() => void) | undefined;
  let closed = false;
  const push = (message?: ToPage): void => { if (message) waiting.push(message); wake?.(); };
  socket.on('open', () => { socket.send(JSON.stringify({ type: 'follow-log', id: 'log', ...wanted })); });
  socket.on('message', (raw) => { const parsed = ToPage.safeParse(JSON.parse(String(raw))); if (parsed.success) push(parsed.data); });
  socket.on('close', () => { closed = true; push(); });
  socket.on('error', () => { closed = true; push(); });
  try {
    for (;;) {
      const message = waiting.shift();
      if (message?.type === 'log') yield message;
      else if (message?.type === 'refused') throw new DiagError(message.code === 'FILTER_BAD' ? 'FILTER_BAD' : 'BAD_INPUT', { why: message.detail });
      else if (!message && closed) return;
      else if (!message) await new Promise<void>((done) => { wake = done; });
    }
  } finally {
    signal.removeEventListener('abort', end);
    socket.terminate();
  }
}
