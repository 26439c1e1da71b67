// Owns the platform on Windows: Win32 through koffi, no child program but the one that writes a dump, and no WMI.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DiagError } from '../../shared/errors.ts';
import type { Capability, Offer, ProcessInfo, ProcessKey } from '../../shared/model.ts';
import type { Clock } from '../clock.ts';
import { diskOf } from '../disk.ts';
import { endTree, refuseOurs, refuseReused, type Population } from '../end.ts';
import { eventLogFile } from '../event-log-file.ts';
import { appInfo, type Env } from '../identity.ts';
import { inspectThrough } from '../node-inspector.ts';
import { takeNodeReport } from '../node-report.ts';
import type { DumpKind, Folders, Platform, Usage } from '../platform.ts';
import { shellsOf } from '../shell/index.ts';
import { siteMark } from '../site-mark.ts';
import { surroundings } from '../surroundings.ts';
import { readConnections } from './connections.ts';
import { readCounters } from './counters.ts';
import { DUMP_KINDS, dumpOffer, takeMinidump } from './dump.ts';
import { coresOf, osName, readHost } from './host.ts';
import { estimateDump, readEnvironment, readModules, type Asked } from './inside.ts';
import { inspectorDoor, inspectorOffer } from './inspector.ts';
import { killProcess } from './kill.ts';
import { createLetGo } from './let-go.ts';
import { Snapshots } from './snapshot.ts';
import { ProcessTable, type Selection } from './table.ts';
import { openWin32, type Win32 } from './win32.ts';

export interface WindowsSettings { readonly env: Env; readonly folders: Folders; readonly clock: Clock; readonly processes: Selection }

/** Handles name what they belong to only through calls that wait for ever on a pipe that somebody reads (NtQueryObject): a tool may risk that, an agent may not. */
const NO_OPEN_FILES = 'Windows names what another process has open only through calls that can hang';

const NO_FAULTS = 'on Windows only a debugger can wait for a fault of another process, and a debugger ends the app when it is ended; use the worker\'s own procdump -e';

/** @throws when koffi or a call that everything needs does not work; the caller falls back then and tells why */
export async function openWindows(settings: WindowsSettings): Promise<Platform> {
  const { env, folders, clock } = settings;
  const win32 = await openWin32();
  const snapshots = new Snapshots(win32);
  const table = new ProcessTable(win32, snapshots, { self: process.pid, mark: siteMark(env), select: settings.processes });
  const reach = new Reach(win32, table);
  const asked: Asked = { win32, lives: (pid) => table.now(pid) !== undefined };
  // The first pass shows whether this Windows, or its sandbox, lets us see processes at all.
  table.scan();
  const disk = diskOf(folders.home);
  const events = eventLogFile(folders.logs);
  const cores = coresOf();
  return {
    host: { app: appInfo(env, folders.home, osName()), folders },
    clock,
    can: (what) => ability(what, env, folders),
    processes: async (signal) => { signal.throwIfAborted(); return table.scan(); },
    usage: async (pids, signal) => { signal.throwIfAborted(); return table.usage(pids); },
    hostUsage: async (signal) => { signal.throwIfAborted(); return readHost(win32, cores, await disk()); },
    ownUsage: () => own(table),
    openFiles: async () => { throw new DiagError('CAPABILITY_MISSING', { what: 'A list of open files', because: NO_OPEN_FILES }); },
    connections: async (pids, signal) => { signal.throwIfAborted(); return readConnections(win32, pids); },
    environment: async (pid, signal) => { signal.throwIfAborted(); return readEnvironment(asked, pid); },
    modules: async (pid, signal, versions) => { signal.throwIfAborted(); return readModules(asked, pid, versions === true ? win32.fileVersion : undefined); },
    account: async (pid, signal) => { signal.throwIfAborted(); return table.account(pid); },
    threads: async (pid, signal) => { signal.throwIfAborted(); return table.threads(pid); },
    counters: () => readCounters(env),
    ...surroundings({ env, windows: true }),
    eventLog: (signal) => events.rows(signal),
    shells: shellsOf(reach, env, { windows: true, nameOf: (pid) => table.now(pid)?.name }),
    ...acting(asked, table, reach, settings),
    close: () => undefined,
  };
}

/** MiniDumpWriteDump reads and writes while the process stands still: 1 to 7 s per GiB were seen, a copy of it included where there is one. */
const WRITE_MS_PER_GIB = 3_000;
const START_MS = 100;

type Acting = Pick<Platform, 'dumpPause' | 'faultsOffered' | 'dumpAtFault' | 'inspect' | 'memoryLeft' | 'dumpKinds' | 'dumpEstimate' | 'dump' | 'nodeReportOffered' | 'nodeReport' | 'end'>;

function acting(asked: Asked, table: ProcessTable, reach: Reach, { env, clock }: WindowsSettings): Acting {
  const door = inspectorDoor(asked.win32);
  const threads = createLetGo(asked.win32, clock, ({ pid, startedAt }) => (table.now(pid)?.startedAt === startedAt ? table.threads(pid).map(({ id }) => id) : []));
  return {
    dumpKinds: DUMP_KINDS,
    dumpPause: async (target, signal, kind = 'full') => {
      signal.throwIfAborted();
      reach.check(target);
      const estimate = estimateDump(asked, target.pid, kind, table.now(target.pid)?.threads ?? 1);
      return { engine: 'MiniDumpWriteDump', pauseMs: Math.round(START_MS + (estimate / 2 ** 30) * WRITE_MS_PER_GIB) };
    },
    faultsOffered: () => ({ yes: false, because: NO_FAULTS }),
    dumpAtFault: async () => { throw new DiagError('CAPABILITY_MISSING', { what: 'A dump at a fault', because: NO_FAULTS }); },
    memoryLeft: async (_pid, signal) => { signal.throwIfAborted(); return leftFor(asked.win32, env); },
    inspect: async (target, signal, work) => {
      if (signal.aborted) throw new DiagError('CANCELLED', { what: 'The talk with it' });
      const offer = inspectorOffer(reach.info(target));
      if (!offer.yes) throw new DiagError('INSPECTOR_FAILED', { pid: target.pid, why: offer.because });
      return await inspectThrough(door, target.pid, signal, work);
    },
    dumpEstimate: async (target, signal, kind = 'full') => {
      signal.throwIfAborted();
      reach.check(target);
      return estimateDump(asked, target.pid, kind, table.now(target.pid)?.threads ?? 1);
    },
    dump: async (target, file, signal, kind: DumpKind = 'full') => {
      if (signal.aborted) throw new DiagError('CANCELLED', { what: 'The dump' });
      const info = reach.info(target);
      const offer = dumpOffer(env);
      if (!offer.yes) throw new DiagError('CAPABILITY_MISSING', { what: 'A memory dump', because: offer.because });
      return await takeMinidump({ target: info, kind, file, env, threads }, signal);
    },
    nodeReportOffered: (target) => inspectorOffer(target),
    nodeReport: async (target, signal) => {
      if (signal.aborted) throw new DiagError('CANCELLED', { what: 'The report' });
      const offer = inspectorOffer(reach.info(target));
      if (!offer.yes) throw new DiagError('NODE_REPORT_FAILED', { pid: target.pid, why: offer.because });
      return await takeNodeReport(door, target.pid, signal);
    },
    end: (target, graceMs, signal) => endTree(reach, target, graceMs, signal),
  };
}

/** Finds the process that is meant by pid and start, and refuses every other one. */
class Reach implements Population {
  readonly self = process.pid;
  readonly #win32: Win32;
  readonly #table: ProcessTable;

  constructor(win32: Win32, table: ProcessTable) {
    this.#win32 = win32;
    this.#table = table;
  }

  async everyone(): Promise<ReturnType<ProcessTable['everyone']>> { return this.#table.everyone(); }
  async startOf(pid: number): Promise<number | undefined> { return this.#table.now(pid)?.startedAt; }
  kill(target: ProcessKey): void { killProcess(this.#win32, target, () => this.#table.now(target.pid)?.startedAt === target.startedAt); }

  /** @throws PROCESS_GONE, PROCESS_REUSED */
  check(target: ProcessKey): void {
    const startedAt = this.#table.now(target.pid)?.startedAt;
    if (startedAt === undefined) throw new DiagError('PROCESS_GONE', { pid: target.pid });
    refuseReused(target, startedAt);
  }

  /** What the list says of it. @throws as check, PROCESS_OURS */
  info(target: ProcessKey): ProcessInfo {
    refuseOurs(this.#table.everyone(), this.self, target.pid);
    this.check(target);
    return this.#table.one(target.pid);
  }
}

/** What the machine has free, or the sandbox's own limit where the platform counts one: there it ends the whole site. */
function leftFor(win32: Win32, env: Env): number {
  const limits = readCounters(env).filter(({ limit, name }) => limit !== undefined && /bytes/i.test(name) && /private/i.test(name));
  return Math.min(win32.memory().freeBytes, ...limits.map(({ value, limit = value }) => limit - value));
}

function own(table: ProcessTable): Usage {
  const now = table.usage([process.pid]).get(process.pid);
  if (now === undefined) throw new Error('Windows does not show this very process');
  return now;
}

function ability(what: Capability, env: Env, folders: Folders): Offer {
  if (what === 'open-files') return { yes: false, because: NO_OPEN_FILES };
  if (what === 'memory-dump') return dumpOffer(env);
  if (what === 'event-log' && !existsSync(join(folders.logs, 'eventlog.xml'))) return { yes: false, because: 'there is no LogFiles/eventlog.xml yet' };
  return { yes: true };
}
