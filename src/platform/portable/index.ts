// Owns the platform everywhere else: pidusage and systeminformation, with a reason for each thing they cannot do.
import { existsSync } from 'node:fs';
import { cpus, freemem, release, totalmem, type as osType } from 'node:os';
import { join } from 'node:path';
import { DiagError } from '../../shared/errors.ts';
import type { Capability, Offer } from '../../shared/model.ts';
import type { Clock } from '../clock.ts';
import { diskOf, type Disk } from '../disk.ts';
import { endTree, type Population } from '../end.ts';
import { eventLogFile } from '../event-log-file.ts';
import { appInfo, type Env } from '../identity.ts';
import type { Folders, HostUsage, Platform, Usage } from '../platform.ts';
import { surroundings } from '../surroundings.ts';
import { shellsOf } from '../shell/index.ts';
import { ProcessList, type Selection } from './list.ts';

export interface PortableSettings {
  readonly env: Env;
  readonly folders: Folders;
  readonly clock: Clock;
  readonly processes: Selection;
  readonly listEveryMs?: number;
  /** Default: asked of systeminformation. */
  readonly osName?: string;
}

/** pidusage counts the age of a process in other ways than the listing does; a larger difference is another process under the same pid. */
const SAME_START_MS = 3_000;

const MISSING: Partial<Record<Capability, string>> = {
  'private-bytes': 'only the working set can be read on this system',
  handles: 'open handles cannot be counted on this system',
  'open-files': 'open files of other processes cannot be read on this system',
  connections: 'the connections of other processes cannot be listed on this system',
  environment: 'the environment of other processes cannot be read on this system',
  'memory-dump': 'there is no way to take a dump on this system yet',
  'node-report': 'a running Node process cannot be asked for its report on this system yet',
  modules: 'the program files of other processes cannot be listed on this system',
  threads: 'the threads of other processes cannot be listed on this system',
};

export async function openPortable(settings: PortableSettings): Promise<Platform> {
  const { env, folders, clock } = settings;
  const list = new ProcessList(process.pid, settings.processes, settings.listEveryMs);
  const disk = diskOf(folders.home);
  const events = eventLogFile(folders.logs);
  const startedAt = Math.round(performance.timeOrigin);
  const population: Population = {
    self: process.pid,
    everyone: () => list.everyone(),
    startOf: async (pid) => (await list.everyone()).get(pid)?.startedAt,
  };
  return {
    host: { app: appInfo(env, folders.home, settings.osName ?? await osName()), folders },
    clock,
    can: (what) => ability(what, folders),
    processes: async (signal) => { signal.throwIfAborted(); return await list.recent(); },
    usage: async (pids, signal) => { signal.throwIfAborted(); return await readUsage(list, pids); },
    hostUsage: async (signal) => { signal.throwIfAborted(); return hostNow(await disk()); },
    ownUsage: () => ownNow(startedAt),
    openFiles: () => refuse('open-files', 'A list of open files'),
    connections: () => refuse('connections', 'A list of connections'),
    environment: () => refuse('environment', 'Reading an environment'),
    modules: () => refuse('modules', 'A list of program files'),
    threads: () => refuse('threads', 'A list of threads'),
    counters: () => [],
    ...surroundings({ env, windows: osType() === 'Windows_NT' }),
    dumpKinds: [],
    dumpEstimate: () => refuse('memory-dump', 'A memory dump'),
    dump: () => refuse('memory-dump', 'A memory dump'),
    dumpPause: () => refuse('memory-dump', 'A memory dump'),
    faultsOffered: () => ability('memory-dump', folders),
    dumpAtFault: () => refuse('memory-dump', 'A dump at a fault'),
    inspect: () => refuse('node-report', 'The inspector of another process'),
    memoryLeft: async () => undefined,
    nodeReportOffered: () => ability('node-report', folders),
    nodeReport: () => refuse('node-report', 'A diagnostic report'),
    end: (target, graceMs, signal) => endTree(population, target, graceMs, signal),
    eventLog: (signal) => events.rows(signal),
    shells: shellsOf(population, env, { windows: osType() === 'Windows_NT' }),
    close: () => { void forgetPidusage(); },
  };
}

function ability(what: Capability, folders: Folders): Offer {
  const because = MISSING[what];
  if (because !== undefined) return { yes: false, because };
  if (what === 'event-log' && !existsSync(join(folders.logs, 'eventlog.xml'))) return { yes: false, because: 'there is no LogFiles/eventlog.xml' };
  return { yes: true };
}

async function refuse(what: Capability, words: string): Promise<never> {
  throw new DiagError('CAPABILITY_MISSING', { what: words, because: MISSING[what] });
}

async function osName(): Promise<string> {
  const { default: systeminformation } = await import('systeminformation');
  const { distro, release: version } = await systeminformation.osInfo();
  return distro === '' ? `${osType()} ${release()}` : `${distro} ${version}`.trim();
}

/** pidusage fails as a whole when none of the pids lives, so its error then means "none". */
async function readUsage(list: ProcessList, pids: readonly number[]): Promise<Map<number, Usage>> {
  const found = new Map<number, Usage>();
  if (pids.length === 0) return found;
  await list.recent();
  for (const [pid, one] of Object.entries(await askPidusage(pids))) {
    const startedAt = list.startedAt(Number(pid));
    if (one === null || one === undefined || startedAt === undefined) continue;
    if (Math.abs(one.timestamp - one.elapsed - startedAt) > SAME_START_MS) continue;
    found.set(Number(pid), { startedAt, cpuMs: one.ctime, workingSetBytes: one.memory });
  }
  return found;
}

type Pidusage = Record<string, { ctime: number; memory: number; elapsed: number; timestamp: number } | null | undefined>;

async function askPidusage(pids: readonly number[]): Promise<Pidusage> {
  const { default: pidusage } = await import('pidusage');
  try {
    return await pidusage([...pids]);
  } catch (error) {
    if (error instanceof Error && (error.message.includes('No matching pid') || error.message.includes('No maching pid') || ('code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')))) return {};
    throw error;
  }
}

async function forgetPidusage(): Promise<void> {
  const { default: pidusage } = await import('pidusage');
  pidusage.clear();
}

function hostNow(disk: Disk): HostUsage {
  const cores = cpus();
  let busyMs = 0;
  let idleMs = 0;
  for (const { times } of cores) {
    busyMs += times.user + times.nice + times.sys + times.irq;
    idleMs += times.idle;
  }
  const total = totalmem();
  return { cores: cores.length, busyMs, totalMs: busyMs + idleMs, memoryTotalBytes: total, memoryUsedBytes: total - freemem(), ...disk };
}

function ownNow(startedAt: number): Usage {
  const { user, system } = process.cpuUsage();
  return { startedAt, cpuMs: (user + system) / 1_000, workingSetBytes: process.memoryUsage.rss() };
}
