// Owns the requests of the lab: one by one or at even pauses; their outcome is a number, whatever the site does.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Asked } from './fault.ts';

const PATIENCE_MS = 30_000;
const shared = new Agent({ keepAlive: true, maxSockets: 256 });

export function get(url: URL, { method = 'GET', body, headers, giveUpMs = PATIENCE_MS, fresh }: Asked = {}): Promise<number> {
  return new Promise((resolve) => {
    const asked = request(url, { method, agent: fresh ? false : shared, headers: { ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) } }, (answer) => {
      answer.on('error', () => resolve(0)).on('close', () => resolve(answer.complete ? answer.statusCode ?? 0 : 0)).resume();
    });
    const limit = setTimeout(() => asked.destroy(), giveUpMs);
    asked.on('error', () => resolve(0)).on('close', () => { clearTimeout(limit); });
    asked.end(body);
  });
}

/** The n-th request is sent at its time, not after the one before: a slow site does not slow its visitors. */
export async function load(root: string, { paths, everyMs, forMs, ...asked }: { readonly paths: readonly string[]; readonly everyMs: number; readonly forMs: number } & Asked, until?: AbortSignal): Promise<void> {
  const began = performance.now();
  const open: Promise<number>[] = [];
  for (let n = 0; n * everyMs < forMs && until?.aborted !== true; n += 1) {
    const waitMs = began + n * everyMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    open.push(get(new URL(paths[n % paths.length] ?? '/', root), asked));
  }
  await Promise.all(open);
}
