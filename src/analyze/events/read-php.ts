// Owns the reading of PHP's process report: which pools have no process free, since when at least, and what holds them.
import type { PhpStatusFile } from '../../shared/artifacts.ts';
import { oneLine } from '../parse/words.ts';

export interface PhpPoolEvent {
  readonly at: number; readonly since: number; readonly pool: string; readonly full: boolean;
  readonly active: number | undefined; readonly limit: number | undefined; readonly queue: number; readonly limitReached: number;
  readonly scripts: readonly { readonly script: string; readonly workers: number; readonly longestMs: number }[];
  readonly where: string;
}

const MAX_SCRIPTS = 5;

export function phpPoolsOf(file: PhpStatusFile): PhpPoolEvent[] {
  return file.pools.filter((pool) => pool.answered !== 'no').map((pool): PhpPoolEvent => {
    const busy = pool.workers.filter((worker) => !/idle/i.test(worker.state));
    const { status } = pool;
    const full = pool.answered === 'waited' || (status !== undefined && status.idle === 0 && (status.queue > 0 || (pool.limit !== undefined && status.active >= pool.limit)));
    // Each of them is at its request since then at the latest.
    const forMs = busy.length === 0 ? 0 : Math.min(...busy.map((worker) => worker.forMs));
    return { at: file.at, since: file.at - forMs, pool: oneLine(pool.name, 60), full, active: status?.active, limit: pool.limit, queue: status?.queue ?? 0, limitReached: status?.limitReached ?? 0, scripts: scriptsOf(busy), where: 'php-status.json' };
  });
}

function scriptsOf(busy: PhpStatusFile['pools'][number]['workers']): PhpPoolEvent['scripts'] {
  const scripts = new Map<string, { script: string; workers: number; longestMs: number }>();
  for (const { script, uri, forMs } of busy) {
    const name = oneLine(script === '' || script === '-' ? uri : script, 160);
    const known = scripts.get(name);
    scripts.set(name, { script: name, workers: (known?.workers ?? 0) + 1, longestMs: Math.max(known?.longestMs ?? 0, forMs) });
  }
  return [...scripts.values()].sort((a, b) => b.workers - a.workers || (a.script < b.script ? -1 : 1)).slice(0, MAX_SCRIPTS);
}
