// Owns what the command line needs to dump a process of this very machine: the platform without an agent, and the process that is meant.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DiagError } from '../shared/errors.ts';
import type { ProcessInfo } from '../shared/model.ts';
import { openPlatform } from '../platform/choose.ts';
import type { Platform } from '../platform/platform.ts';
import type { Config } from './config.ts';

export { watchAndDump, type WatchEnd, type WatchOrder } from '../mitigate/dump-watch.ts';
export type { DumpRecord } from '../mitigate/dump-record.ts';
export type { Condition } from '../mitigate/triggers/index.ts';
export type { Takes } from '../mitigate/dump-take.ts';

const LOOK_EVERY_MS = 200;

/** A pid, or a name: of the program, or of the script that it runs. */
export type Wanted = { readonly pid: number } | { readonly name: string; readonly wait: boolean };

/** Runs the work on the process, found now or when it starts. The home is used where there is one, and none is made. */
export async function withTarget<T>(config: Pick<Config, 'home' | 'env'>, wanted: Wanted, signal: AbortSignal, work: (platform: Platform, target: ProcessInfo) => Promise<T>): Promise<T> {
  const own = existsSync(config.home) ? undefined : await mkdtemp(join(tmpdir(), 'diag-dump-'));
  try {
    const platform = await openPlatform({ home: own ?? config.home, env: config.env, processes: 'pid' in wanted ? { pids: [wanted.pid] } : 'all' });
    try {
      return await work(platform, await find(platform, wanted, signal));
    } finally {
      platform.close();
    }
  } finally {
    if (own !== undefined) await rm(own, { recursive: true, force: true });
  }
}

async function find(platform: Platform, wanted: Wanted, signal: AbortSignal): Promise<ProcessInfo> {
  for (;;) {
    const all = await platform.processes(signal);
    const found = 'pid' in wanted ? all.filter(({ pid }) => pid === wanted.pid) : all.filter((one) => one.ours !== true && isNamed(one, wanted.name));
    const [first] = found;
    if (first !== undefined && found.length === 1) return first;
    if ('pid' in wanted) throw new DiagError('PROCESS_GONE', { pid: wanted.pid });
    if (first !== undefined) throw new DiagError('BAD_INPUT', { why: `${found.length} processes are named ${wanted.name} (${found.map(({ pid }) => pid).join(', ')}); give the pid of one` });
    if (!wanted.wait) throw new DiagError('BAD_INPUT', { why: `no process is named ${wanted.name}; --wait (-w) waits for its start` });
    await platform.clock.wait(LOOK_EVERY_MS, signal);
  }
}

/** By program, with or without .exe, as it was called or titles itself, or by the file of the script that it runs. */
export function isNamed({ name, commandLine }: Pick<ProcessInfo, 'name' | 'commandLine'>, wanted: string): boolean {
  const bare = (text: string): string => text.toLowerCase().replace(/\.exe$/, '');
  const words = (commandLine ?? '').split(/\s+/);
  const script = words.slice(1).find((word) => !word.startsWith('-')) ?? '';
  return [name, words[0] ?? '', script].some((word) => bare(basename(word.replaceAll('\\', '/'))) === bare(wanted));
}
