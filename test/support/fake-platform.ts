// Owns a platform whose world is settable: processes, usage, event log and abilities; its folders are real, in a home of its own.
import { mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiagError } from '../../src/shared/errors.ts';
import type { AppInfo, Capability, Offer, ProcessInfo, ProcessKey } from '../../src/shared/model.ts';
import { ensureFolders, foldersOf } from '../../src/platform/folders.ts';
import type { Connection, Counter, DumpResult, EventLogRow, HostUsage, Platform, Usage, Variable } from '../../src/platform/platform.ts';
import { FakeClock } from './fake-clock.ts';

export interface FakePlatform extends Platform {
  readonly clock: FakeClock;
  /** Adds or replaces one process and returns it; `ours` and `parent` as given, role 'node' unless said. */
  put(process: Partial<ProcessInfo> & { pid: number }, usage?: Partial<Usage>): ProcessInfo;
  vanish(pid: number): void;
  setUsage(pid: number, usage: Partial<Usage>): void;
  setHostUsage(usage: HostUsage): void;
  setOwnUsage(usage: Partial<Usage>): void;
  setCounters(counters: readonly Counter[]): void;
  setEventLog(rows: readonly EventLogRow[]): void;
  setEnvironment(pid: number, variables: readonly Variable[]): void;
  /** With a pid: of that process; without one: in the network of all. */
  setConnections(connections: readonly Connection[]): void;
  setOpenFiles(pid: number, files: readonly string[]): void;
  /** What nodeReport gives; undefined makes it fail. */
  setNodeReport(text: string | undefined): void;
  /** What a dump holds (after its ELF magic); an error makes it fail. */
  setDump(content: Buffer | DiagError): void;
  /** Takes an ability away, with its reason. */
  refuse(what: Capability, because: string): void;
  /** Every call of end() that went through. */
  readonly ended: readonly { readonly target: ProcessKey; readonly graceMs: number }[];
  /** Removes the home. */
  remove(): Promise<void>;
}

export interface FakeSettings { readonly clock?: FakeClock; readonly app?: Partial<AppInfo>; readonly home?: string }

/** A fake site 'shop' on instance a1b2c3 with a worker (pid 4120) and the agent's own process (pid 300). Call remove() at the end. */
export async function fakePlatform(settings: FakeSettings = {}): Promise<FakePlatform> {
  const clock = settings.clock ?? new FakeClock();
  const top = await mkdtemp(join(tmpdir(), 'fake-platform-'));
  const folders = foldersOf(settings.home ?? join(top, 'home'), join(top, 'temp'));
  await ensureFolders(folders);
  const world = newWorld(clock);
  const app: AppInfo = { site: 'shop', hostName: 'shop.azurewebsites.net', instance: 'a1b2c3', machine: 'LW0SDWK0001', os: 'fake', plan: 'Standard', ...settings.app };
  const { settle, ...steer } = steering(world);
  settle();
  return {
    host: { app, folders },
    clock,
    ...steer,
    ...reading(world),
    ...acting(world),
    shells: { list: () => [], open: async ({ shell }) => { throw new DiagError('SHELL_FAILED', { shell, why: 'the fake has none' }); } },
    remove: () => rm(top, { recursive: true, force: true }),
    close: () => { world.closed = true; },
  };
}

interface World {
  readonly clock: FakeClock;
  readonly processes: Map<number, ProcessInfo>;
  readonly usage: Map<number, Usage>;
  readonly environment: Map<number, readonly Variable[]>;
  readonly openFiles: Map<number, readonly string[]>;
  connections: readonly Connection[];
  readonly refused: Map<Capability, string>;
  readonly ended: { target: ProcessKey; graceMs: number }[];
  host: HostUsage;
  own: Usage;
  events: readonly EventLogRow[];
  counters: readonly Counter[];
  report: string | undefined;
  dump: Buffer | DiagError;
  closed: boolean;
}

function newWorld(clock: FakeClock): World {
  const startedAt = clock.now() - 600_000;
  return {
    clock, processes: new Map(), usage: new Map(), environment: new Map(), openFiles: new Map(), refused: new Map(), ended: [],
    host: { cores: 2, busyMs: 1_000_000, totalMs: 8_000_000, memoryUsedBytes: 2 ** 30, memoryTotalBytes: 4 * 2 ** 30, diskFreeBytes: 9 * 2 ** 30, diskTotalBytes: 10 * 2 ** 30 },
    own: { startedAt, cpuMs: 500, workingSetBytes: 50 * 2 ** 20 },
    events: [],
    counters: [],
    connections: [],
    report: JSON.stringify({ header: { event: 'JavaScript API', trigger: 'GetReport' } }),
    dump: Buffer.alloc(4096),
    closed: false,
  };
}

type Steering = Pick<FakePlatform, 'put' | 'vanish' | 'setUsage' | 'setHostUsage' | 'setOwnUsage' | 'setCounters' | 'setEventLog' | 'setEnvironment' | 'setConnections' | 'setOpenFiles' | 'setNodeReport' | 'setDump' | 'refuse' | 'ended'>;

function steering(world: World): Steering & { settle(): void } {
  const setUsage = (pid: number, usage: Partial<Usage>): void => {
    const process = found(world, pid);
    const before = world.usage.get(pid) ?? { startedAt: process.startedAt, cpuMs: 0 };
    world.usage.set(pid, { ...before, ...usage });
  };
  const put: Steering['put'] = (given, usage) => {
    const process: ProcessInfo = { startedAt: world.clock.now(), name: 'node', role: 'node', ...given };
    if (world.processes.get(process.pid)?.startedAt !== process.startedAt) world.usage.delete(process.pid);
    world.processes.set(process.pid, process);
    setUsage(process.pid, usage ?? {});
    return process;
  };
  return {
    put,
    setUsage,
    ended: world.ended,
    vanish: (pid) => { forget(world, pid); },
    setHostUsage: (usage) => { world.host = usage; },
    setOwnUsage: (usage) => { world.own = { ...world.own, ...usage }; },
    setCounters: (counters) => { world.counters = counters; },
    setEventLog: (rows) => { world.events = rows; },
    setEnvironment: (pid, variables) => { world.environment.set(pid, variables); },
    setConnections: (connections) => { world.connections = connections; },
    setOpenFiles: (pid, files) => { world.openFiles.set(pid, files); },
    setNodeReport: (text) => { world.report = text; },
    setDump: (content) => { world.dump = content; },
    refuse: (what, because) => { world.refused.set(what, because); },
    settle: () => {
      put({ pid: 300, parent: 1, startedAt: world.clock.now() - 600_000, role: 'agent', commandLine: 'node main.js', ours: true });
      put({ pid: 4120, parent: 1, startedAt: world.clock.now() - 500_000, role: 'worker', path: '/usr/bin/node', commandLine: 'node server.js' }, { cpuMs: 1000, workingSetBytes: 80 * 2 ** 20, privateBytes: 60 * 2 ** 20, threads: 11, handles: 24 });
    },
  };
}

type Reading = Pick<Platform, 'can' | 'processes' | 'usage' | 'hostUsage' | 'ownUsage' | 'openFiles' | 'connections' | 'environment' | 'eventLog' | 'nodeReportOffered' | 'dumpEstimate' | 'dumpPause' | 'faultsOffered' | 'memoryLeft' | 'modules' | 'threads' | 'counters' | 'runtimes' | 'hostFacts' | 'dumpKinds'>;

function reading(world: World): Reading {
  const can = (what: Capability): Offer => {
    const because = world.refused.get(what);
    return because === undefined ? { yes: true } : { yes: false, because };
  };
  const demand = (what: Capability): void => {
    const offer = can(what);
    if (!offer.yes) throw new DiagError('CAPABILITY_MISSING', { what, because: offer.because });
  };
  return {
    can,
    processes: async (signal) => { signal.throwIfAborted(); return inOrder([...world.processes.values()]); },
    usage: async (pids, signal) => {
      signal.throwIfAborted();
      return new Map(pids.flatMap((pid) => { const usage = world.usage.get(pid); return usage === undefined ? [] : [[pid, usage]]; }));
    },
    hostUsage: async (signal) => { signal.throwIfAborted(); return world.host; },
    ownUsage: () => world.own,
    openFiles: async (pid) => { demand('open-files'); found(world, pid); return world.openFiles.get(pid) ?? []; },
    connections: async (pids) => { demand('connections'); for (const pid of pids) found(world, pid); return world.connections.filter((one) => one.pid === undefined || pids.includes(one.pid)); },
    environment: async (pid) => { demand('environment'); found(world, pid); return world.environment.get(pid) ?? []; },
    modules: async (pid) => { demand('modules'); const { path, name } = found(world, pid); return [{ path: path ?? name, address: '0x400000', sizeBytes: 4096 }]; },
    threads: async (pid) => { demand('threads'); return [{ id: pid, startedAt: found(world, pid).startedAt, cpuMs: world.usage.get(pid)?.cpuMs ?? 0, name: 'main', state: 'waiting' }]; },
    counters: () => world.counters,
    runtimes: async (signal) => { signal.throwIfAborted(); return [{ name: 'Node.js', path: '/usr/bin/node', version: '22.11.0' }]; },
    hostFacts: async (signal) => { signal.throwIfAborted(); return [{ id: 'os', title: 'System', value: 'a fake' }]; },
    dumpKinds: ['full'],
    eventLog: async () => [...world.events].sort((a, b) => a.at - b.at),
    dumpEstimate: async (target) => { meant(world, target); return Buffer.isBuffer(world.dump) ? world.dump.byteLength + 4 : 4096; },
    faultsOffered: () => ({ yes: false, because: 'processes of the fake do not fail by themselves' }),
    dumpPause: async (target) => { meant(world, target); return { engine: 'fake', pauseMs: 12 }; },
    memoryLeft: async () => (world.host.memoryTotalBytes === undefined || world.host.memoryUsedBytes === undefined ? undefined : world.host.memoryTotalBytes - world.host.memoryUsedBytes),
    nodeReportOffered: (target) => {
      if (target.ours === true) return { yes: false, because: 'it is the agent itself' };
      return target.role === 'node' || target.role === 'worker' ? can('node-report') : { yes: false, because: `${target.name} is not Node` };
    },
  };
}

function acting(world: World): Pick<Platform, 'dump' | 'nodeReport' | 'inspect' | 'dumpAtFault' | 'end'> {
  return {
    dump: async (target, file, signal): Promise<DumpResult> => {
      meant(world, target);
      if (!Buffer.isBuffer(world.dump)) throw world.dump;
      try {
        await writeFile(`${file}.part`, Buffer.concat([Buffer.from('\x7fELF', 'latin1'), world.dump]), { signal });
      } catch (error) {
        await rm(`${file}.part`, { force: true });
        throw signal.aborted ? new DiagError('CANCELLED', { what: 'The dump' }, { cause: error }) : error;
      }
      await rename(`${file}.part`, file);
      return { engine: 'fake', bytes: (await stat(file)).size, pausedMs: 12, kind: 'core-dump' };
    },
    nodeReport: async (target) => {
      meant(world, target);
      if (world.report === undefined) throw new DiagError('NODE_REPORT_FAILED', { pid: target.pid, why: 'the fake was told to fail' });
      return world.report;
    },
    dumpAtFault: async (target) => { meant(world, target); throw new DiagError('CAPABILITY_MISSING', { what: 'A dump at a fault', because: 'processes of the fake do not fail by themselves' }); },
    inspect: async (target) => { meant(world, target); throw new DiagError('INSPECTOR_FAILED', { pid: target.pid, why: 'a process of the fake has no inspector' }); },
    end: async (target, graceMs, signal) => {
      if (target.pid === 1) throw new DiagError('PROCESS_OURS', { pid: 1 });
      const process = meant(world, target);
      if (process.ours === true) throw new DiagError('PROCESS_OURS', { pid: target.pid });
      signal.throwIfAborted();
      world.ended.push({ target: { pid: target.pid, startedAt: target.startedAt }, graceMs });
      for (const pid of family(world, target.pid)) forget(world, pid);
    },
  };
}

function found(world: World, pid: number): ProcessInfo {
  const process = world.processes.get(pid);
  if (process === undefined) throw new DiagError('PROCESS_GONE', { pid });
  return process;
}

function meant(world: World, target: ProcessKey): ProcessInfo {
  const process = found(world, target.pid);
  if (process.startedAt !== target.startedAt) throw new DiagError('PROCESS_REUSED', { pid: target.pid, startedAt: process.startedAt, meant: target.startedAt });
  return process;
}

function forget(world: World, pid: number): void {
  world.processes.delete(pid);
  world.usage.delete(pid);
}

function family(world: World, pid: number): number[] {
  const children = [...world.processes.values()].filter((one) => one.parent === pid && one.pid !== pid);
  return [pid, ...children.flatMap((child) => family(world, child.pid))];
}

function inOrder(processes: readonly ProcessInfo[]): ProcessInfo[] {
  const known = new Set(processes.map((one) => one.pid));
  const below = (parent: number): ProcessInfo[] => processes.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return processes.filter((one) => one.parent === undefined || !known.has(one.parent)).flatMap((one) => [one, ...below(one.pid)]);
}
