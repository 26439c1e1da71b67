// Owns the platform on Linux: /proc read by ourselves, our own dump writer, signals for the rest.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DiagError } from '../../shared/errors.ts';
import type { Capability, Offer, ProcessKey } from '../../shared/model.ts';
import type { Clock } from '../clock.ts';
import { diskOf } from '../disk.ts';
import { endTree, refuseOurs, refuseReused, type Population } from '../end.ts';
import { eventLogFile } from '../event-log-file.ts';
import { appInfo, type Env } from '../identity.ts';
import { inspectThrough } from '../node-inspector.ts';
import { takeNodeReport } from '../node-report.ts';
import { parseEnviron } from '../parse/proc-text.ts';
import type { Folders, Platform, Usage, Variable } from '../platform.ts';
import { siteMark } from '../site-mark.ts';
import { surroundings } from '../surroundings.ts';
import { readConnections } from './connections.ts';
import { dumpOffer, estimateCore, takeDump } from './dump/index.ts';
import { headroomBytes } from './dump/room.ts';
import { predictPause } from './dump-pause.ts';
import { waitForFault } from './fault/index.ts';
import { bootAt, osName, ownMemoryGroups, readHost, startsEarlyMs } from './host.ts';
import { heapDensity } from './heap-pages.ts';
import { readAccount, readModules, readThreads } from './inside.ts';
import { inspectorDoor, nodeReportOffer } from './node-report.ts';
import { readOpenFiles } from './open-files.ts';
import { DENIED, GONE, ProcReader, readWhole } from './read.ts';
import { shellsOf } from '../shell/index.ts';
import type { Selection } from './members.ts';
import { ProcessTable } from './table.ts';
import { UsageReader } from './usage.ts';

export interface LinuxSettings { readonly env: Env; readonly folders: Folders; readonly clock: Clock; readonly processes: Selection }

/** @throws when /proc is not readable; the caller falls back then */
export function openLinux(settings: LinuxSettings): Platform {
  const { env, folders, clock } = settings;
  const reader = new ProcReader();
  const boot = bootAt();
  const table = new ProcessTable(reader, { self: process.pid, uid: process.geteuid?.() ?? 0, bootAt: boot, mark: siteMark(env), select: settings.processes });
  const usage = new UsageReader(reader, table);
  const groups = ownMemoryGroups();
  const disk = diskOf(folders.home);
  const events = eventLogFile(folders.logs);
  const reach = new Reach(table);
  return {
    host: { app: appInfo(env, folders.home, osName()), folders, startsEarlyMs: startsEarlyMs(boot, clock.now()) },
    clock,
    can: (what) => ability(what, env, folders),
    processes: async (signal) => { signal.throwIfAborted(); return table.scan(); },
    usage: async (pids, signal) => { signal.throwIfAborted(); return usage.read(pids); },
    hostUsage: async (signal) => { signal.throwIfAborted(); return readHost(groups, await disk()); },
    ownUsage: () => own(usage),
    openFiles: async (pid, signal) => { signal.throwIfAborted(); return readOpenFiles(pid); },
    connections: async (pids, signal) => { signal.throwIfAborted(); return readConnections(pids); },
    environment: async (pid, signal) => { signal.throwIfAborted(); return readEnvironment(pid); },
    modules: async (pid, signal) => { signal.throwIfAborted(); return readModules(pid); },
    account: async (pid, signal) => { signal.throwIfAborted(); return readAccount(pid); },
    threads: async (pid, signal) => { signal.throwIfAborted(); return readThreads(pid, (ticks) => table.startOf(ticks)); },
    counters: () => [],
    ...surroundings({ env, windows: false }),
    dumpKinds: ['full'],
    dumpEstimate: async (target, signal) => { signal.throwIfAborted(); reach.check(target); return demand(estimateCore(target.pid), target.pid); },
    dump: async (target, file, signal, _kind, progress) => {
      if (signal.aborted) throw new DiagError('CANCELLED', { what: 'The dump' });
      reach.checkNotOurs(target);
      return await takeDump({ target, file, env, stateOf: (key) => reach.state(key), signal, progress: progress ?? (() => undefined) });
    },
    dumpPause: async (target, signal) => { signal.throwIfAborted(); reach.check(target); return predictPause(target.pid); },
    memoryLeft: async (pid, signal) => { signal.throwIfAborted(); return headroomBytes(pid); },
    heapDensity,
    inspect: async (target, signal, work) => {
      if (signal.aborted) throw new DiagError('CANCELLED', { what: 'The talk with it' });
      const offer = nodeReportOffer(reach.info(target));
      if (!offer.yes) throw new DiagError('INSPECTOR_FAILED', { pid: target.pid, why: offer.because });
      return await inspectThrough(inspectorDoor, target.pid, signal, work);
    },
    faultsOffered: () => faultOffer(env),
    dumpAtFault: async (target, order, signal) => {
      const offer = faultOffer(env);
      if (!offer.yes) throw new DiagError('CAPABILITY_MISSING', { what: 'A dump at a fault', because: offer.because });
      reach.checkNotOurs(target);
      return await waitForFault(target, order, signal);
    },
    nodeReportOffered: (target) => nodeReportOffer(target),
    nodeReport: async (target, signal) => {
      if (signal.aborted) throw new DiagError('CANCELLED', { what: 'The report' });
      const offer = nodeReportOffer(reach.info(target));
      if (!offer.yes) throw new DiagError('NODE_REPORT_FAILED', { pid: target.pid, why: offer.because });
      return await takeNodeReport(inspectorDoor, target.pid, signal);
    },
    end: (target, graceMs, signal) => endTree(reach, target, graceMs, signal),
    eventLog: (signal) => events.rows(signal),
    shells: shellsOf(reach, env, { windows: false }),
    close: () => { reader.close(); },
  };
}

/** Finds the process that is meant by pid and start, and refuses every other one. */
class Reach implements Population {
  readonly self = process.pid;
  readonly #table: ProcessTable;

  constructor(table: ProcessTable) {
    this.#table = table;
  }

  async everyone(): Promise<ReturnType<ProcessTable['everyone']>> { return this.#table.everyone(); }
  async startOf(pid: number): Promise<number | undefined> { return this.#start(pid); }

  /** @throws PROCESS_GONE, PROCESS_REUSED */
  check(target: ProcessKey): void {
    const startedAt = this.#start(target.pid);
    if (startedAt === undefined) throw new DiagError('PROCESS_GONE', { pid: target.pid });
    refuseReused(target, startedAt);
  }

  /** @throws as check, PROCESS_OURS */
  checkNotOurs(target: ProcessKey): void {
    refuseOurs(this.#table.everyone(), this.self, target.pid);
    this.check(target);
  }

  state(target: ProcessKey): string | undefined {
    const stat = this.#table.stat(target.pid);
    return stat !== undefined && this.#table.startedAt(stat) === target.startedAt ? stat.state : undefined;
  }

  /** What the list says of it. @throws as checkNotOurs */
  info(target: ProcessKey): ReturnType<ProcessTable['one']> {
    this.checkNotOurs(target);
    return this.#table.one(target.pid);
  }

  #start(pid: number): number | undefined {
    const stat = this.#table.stat(pid);
    return stat === undefined ? undefined : this.#table.startedAt(stat);
  }
}

function own(usage: UsageReader): Usage {
  const now = usage.one(process.pid);
  if (now === undefined) throw new Error('/proc does not show this very process');
  return now;
}

function demand(bytes: number | undefined, pid: number): number {
  if (bytes === undefined) throw new DiagError('PROCESS_DENIED', { pid, what: 'read the memory map of', why: 'it belongs to another user or has just ended' });
  return bytes;
}

/** @throws PROCESS_GONE, PROCESS_DENIED */
function readEnvironment(pid: number): Variable[] {
  const block = readWhole(`/proc/${pid}/environ`);
  if (block === GONE) throw new DiagError('PROCESS_GONE', { pid });
  if (block === DENIED) throw new DiagError('PROCESS_DENIED', { pid, what: 'read the environment of', why: 'it belongs to another user' });
  return parseEnviron(block as Buffer);
}

function faultOffer(env: Env): Offer {
  if (process.arch !== 'x64') return { yes: false, because: `our own dump writer knows x64 only; this is ${process.arch}` };
  return dumpOffer(env);
}

function ability(what: Capability, env: Env, folders: Folders): Offer {
  if (what === 'memory-dump') return dumpOffer(env);
  if (what === 'event-log' && !existsSync(join(folders.logs, 'eventlog.xml'))) return { yes: false, because: 'there is no LogFiles/eventlog.xml; App Service writes it on Windows only' };
  return { yes: true };
}

/** Is this a Linux whose /proc shows us. */
export function hasProc(): boolean {
  try {
    return readFileSync('/proc/self/stat').length > 0;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES')) return false;
    throw error;
  }
}
