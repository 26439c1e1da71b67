// Owns the load of the preload's benches: requests over kept connections, as fast as they are answered or so many a second, with each one's time.
import { connect, type Socket } from 'node:net';

export interface Load {
  readonly port: number;
  readonly requests: number;
  readonly urls: number;
  readonly connections: number;
  /** Absent: as fast as answers come. */
  readonly perSecond?: number;
  /** Requests of one connection on their way together. */
  readonly pipelined?: number;
}

const ANSWER = Buffer.from('HTTP/1.1 200');
const STEP_MS = 5;

/** The time of each request in ms; those of a pipeline are not timed. */
export async function load({ port, requests, urls, connections, perSecond, pipelined = 1 }: Load): Promise<Float64Array> {
  const times = new Float64Array(pipelined === 1 ? requests : 0);
  let sent = 0;
  let answered = 0;
  const ask = (count: number): string => { let text = ''; for (let i = 0; i < count && sent < requests; i += 1) text += `GET /item/${sent++ % urls} HTTP/1.1\r\nHost: bench\r\n\r\n`; return text; };
  const sockets = await Promise.all(Array.from({ length: connections }, () => opened(port)));
  await new Promise<void>((done, fail) => {
    const begin = performance.now();
    const waiting: (() => void)[] = [];
    for (const socket of sockets) {
      let asked = 0;
      let open = 0;
      const next = (): void => { const from = sent; const text = ask(pipelined); open = sent - from; if (open > 0) { asked = performance.now(); socket.write(text); } };
      socket.on('data', (bytes: Buffer) => {
        const seen = pipelined === 1 ? 1 : answersIn(bytes);
        if (pipelined === 1) times[answered] = performance.now() - asked;
        answered += seen;
        open -= seen;
        if (answered >= requests) done();
        else if (open <= 0) { if (perSecond === undefined) next(); else waiting.push(next); }
      }).on('error', fail);
      if (perSecond === undefined) next(); else waiting.push(next);
    }
    if (perSecond === undefined) return;
    const pace = setInterval(() => {
      const due = Math.min(requests, (performance.now() - begin) / 1_000 * perSecond);
      while (sent < due && waiting.length > 0) waiting.shift()?.();
      if (sent >= requests) clearInterval(pace);
    }, STEP_MS);
  });
  for (const socket of sockets) socket.destroy();
  return times;
}

function opened(port: number): Promise<Socket> {
  return new Promise((done, fail) => { const socket = connect(port, '127.0.0.1', () => { done(socket); }).setNoDelay(true); socket.once('error', fail); });
}

function answersIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(ANSWER); at >= 0; at = bytes.indexOf(ANSWER, at + 1)) count += 1;
  return count;
}

export function quantile(times: Float64Array, share: number): number {
  const sorted = Float64Array.from(times).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
