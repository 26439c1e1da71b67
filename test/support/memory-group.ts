// Owns a memory group of the kernel for one test, and what is tried in it: dumps and heap snapshots near its limit, after each of which the app must live.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { guardedSnapshot, type SnapshotTaken } from '../../src/analyze/heap-snapshot.ts';
import type { Platform } from '../../src/platform/platform.ts';
import { DiagError } from '../../src/shared/errors.ts';
import type { Victim } from './victim.ts';
import { waitFor } from './wait.ts';

const GROUPS = '/sys/fs/cgroup/memory';
const MIB = 2 ** 20;
const never = new AbortController().signal;

export interface MemoryGroup {
  /** Its folder below the kernel's own. */
  readonly path: string;
  add(pid: number): void;
  limit(bytes: number): void;
  usedBytes(): number;
  /** Processes that the kernel ended in it for want of memory. */
  killed(): number;
  remove(): Promise<void>;
}

/** Of version 1, as in many containers; undefined where none can be made. */
export function makeMemoryGroup(name: string): MemoryGroup | undefined {
  const path = join(GROUPS, `diag-${name}-${process.pid}`);
  try {
    if (!existsSync(join(GROUPS, 'memory.limit_in_bytes'))) return undefined;
    mkdirSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['EACCES', 'EPERM', 'EROFS'].includes(String(error.code))) return undefined;
    throw error;
  }
  const text = (file: string): string => readFileSync(join(path, file), 'utf8');
  return {
    path,
    add: (pid) => { writeFileSync(join(path, 'cgroup.procs'), String(pid)); },
    limit: (bytes) => { writeFileSync(join(path, 'memory.limit_in_bytes'), String(Math.round(bytes))); },
    usedBytes: () => Number(text('memory.usage_in_bytes')),
    killed: () => Number(/oom_kill (\d+)/.exec(text('memory.oom_control'))?.[1] ?? 0),
    async remove() {
      await waitFor('the group to be empty', () => text('cgroup.procs') === '');
      rmdirSync(path);
    },
  };
}

export type Outcomes = Readonly<Record<string, number>>;

/** An app that writes into all of its memory all the time, with less and less room above it. */
export async function dumpsNearLimit(platform: Platform, victim: Victim, group: MemoryGroup, attempts: number, mib = 160): Promise<Outcomes> {
  group.add(victim.pid);
  await victim.do('leak', { mb: mib, buffers: true });
  await victim.do('rewrite');
  const target = await waitFor('the victim in the list', async () => (await platform.processes(never)).find(({ pid }) => pid === victim.pid));
  const outcomes: Record<string, number> = {};
  const file = join(platform.host.folders.temp, 'limit.core');
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    // From room for all of it twice down to 12 MiB.
    group.limit(group.usedBytes() + (12 + (mib + 100) * (1 - (attempt + 1) / attempts)) * MIB);
    const how = await platform.dump(target, file, never).then((made) => made.engine, codeOf('DUMP_FAILED'));
    outcomes[how] = (outcomes[how] ?? 0) + 1;
    await rm(file, { force: true });
    assert.equal((await victim.do('print')).did, 'print', `the process after attempt ${attempt}`);
    group.limit(4_096 * MIB);
  }
  return outcomes;
}

/** An app whose heap grows until no snapshot of it fits any more. */
export async function snapshotsNearLimit(platform: Platform, victim: Victim, group: MemoryGroup, attempts: number, seen: (taken: SnapshotTaken, cpuMs: number) => void = () => undefined): Promise<Outcomes> {
  group.add(victim.pid);
  group.limit(400 * MIB);
  const target = await waitFor('the victim in the list', async () => (await platform.processes(never)).find(({ pid }) => pid === victim.pid));
  const outcomes: Record<string, number> = {};
  const cpuMs = async (): Promise<number> => (await platform.usage([victim.pid], never)).get(victim.pid)?.cpuMs ?? NaN;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    await victim.do('objects', { count: Math.round(300_000 / attempts) });
    const before = await cpuMs();
    const how = await guardedSnapshot({ platform, target, file: join(platform.host.folders.temp, `${attempt}.heapsnapshot`), signal: never, demand: async () => undefined, progress: () => undefined }).then(async (taken) => { seen(taken, await cpuMs() - before); return 'taken'; }, codeOf('HEAP_SNAPSHOT_REFUSED'));
    outcomes[how] = (outcomes[how] ?? 0) + 1;
    assert.equal((await victim.do('print')).did, 'print', `the process after attempt ${attempt}`);
  }
  return outcomes;
}

function codeOf(allowed: string): (error: unknown) => string {
  return (error) => {
    assert.equal(error instanceof DiagError ? error.code : error, allowed);
    return 'refused';
  };
}
