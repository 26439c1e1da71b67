// Owns the reading of php-fpm's full status page (JSON), whatever a version leaves out or calls otherwise.
import { z } from 'zod';
import type { PhpStatusFile } from '../../shared/artifacts.ts';

type Pool = PhpStatusFile['pools'][number];

const MAX_WORKERS = 2_000;
const number = z.number().catch(0);
const text = z.string().catch('').transform((said) => said.slice(0, 500));
const Page = z.object({
  pool: z.string(), 'accepted conn': number, 'listen queue': number, 'max listen queue': number, 'idle processes': number, 'active processes': number, 'total processes': number, 'max active processes': number, 'max children reached': number, 'slow requests': number,
  processes: z.array(z.object({ pid: z.number().int(), state: text, requests: number, 'request duration': number, 'request method': text, 'request uri': text, script: text })).catch([]),
});

/** Undefined for what is no such page. `asking` is the request that fetched it: its own process is not at work for the app. */
export function parsePhpStatus(json: string, asking: string): Pick<Pool, 'status' | 'workers'> | undefined {
  let value: unknown;
  try { value = JSON.parse(json); } catch { return undefined; }
  const parsed = Page.safeParse(value);
  if (!parsed.success) return undefined;
  const page = parsed.data;
  const workers = page.processes.filter((one) => !(one['request uri'].startsWith(asking) && !/idle/i.test(one.state)));
  const ourselves = page.processes.length > workers.length ? 1 : 0;
  return {
    status: {
      accepted: page['accepted conn'], queue: page['listen queue'], maxQueue: page['max listen queue'], idle: page['idle processes'], active: Math.max(0, page['active processes'] - ourselves), total: page['total processes'],
      maxActive: page['max active processes'], limitReached: page['max children reached'], slow: page['slow requests'],
    },
    workers: workers.slice(0, MAX_WORKERS).map((one) => ({
      pid: one.pid, state: one.state, forMs: Math.max(0, one['request duration'] / 1_000), requests: one.requests, method: one['request method'], uri: one['request uri'].split('?')[0] ?? '', script: one.script,
    })),
  };
}
