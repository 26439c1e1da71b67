// Owns the pipe on which the agent asks the front end for an overlapped restart: one order a connection, a line of JSON for each step.
import { rm } from 'node:fs/promises';
import { type Socket, createServer } from 'node:net';
import type { ReplaceStep } from './overlap.ts';

/** One order has some thirty letters. */
const MAX_ORDER = 1_000;

export interface RestartPipe { close(): Promise<void> }

/** Listens at the path; what a dead front end left there is taken away first. */
export async function startRestartPipe(path: string, replace: (pid: number, tell: (step: ReplaceStep) => void) => Promise<void>): Promise<RestartPipe> {
  if (process.platform !== 'win32') await rm(path, { force: true });
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy()); // whoever asked has gone: what is begun goes on without him
    let text = '';
    let begun = false;
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      const end = text.indexOf('\n');
      if (begun || (end < 0 && text.length <= MAX_ORDER)) return;
      begun = true;
      const say = (line: object): void => { if (socket.writable) socket.write(`${JSON.stringify(line)}\n`); };
      const pid = pidIn(text.slice(0, Math.max(0, end)));
      const work = pid === undefined ? Promise.reject(new Error('the order cannot be read')) : replace(pid, say);
      work.then(() => say({ is: 'done' }), (error: Error) => say({ is: 'refused', why: error.message })).finally(() => socket.end());
    });
  });
  await new Promise<void>((resolve, reject) => { server.once('error', reject).listen(path, resolve); });
  return {
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      if (process.platform !== 'win32') await rm(path, { force: true });
    },
  };
}

function pidIn(line: string): number | undefined {
  try {
    const order: unknown = JSON.parse(line);
    if (typeof order !== 'object' || order === null || !('do' in order) || order.do !== 'replace' || !('pid' in order)) return undefined;
    return typeof order.pid === 'number' && Number.isSafeInteger(order.pid) ? order.pid : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}
