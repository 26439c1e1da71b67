// Owns what every platform promises: the same tests run on each real door and on the fake, so that the fake stays honest.
import assert from 'node:assert/strict';
import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { codeOf, type ErrorCode } from '../../src/shared/errors.ts';
import { Capability, ProcessInfo, type ProcessKey } from '../../src/shared/model.ts';
import type { Platform } from '../../src/platform/platform.ts';
import { HostFact, Runtime } from '../../src/shared/surroundings.ts';
import { waitFor } from '../support/wait.ts';

/** One platform and the means to change its world. */
export interface World {
  readonly platform: Platform;
  /** Pid under which the platform knows the agent itself. */
  readonly self: number;
  /** A process of the site with one child, with MARK=contract in its environment. */
  start(): Promise<{ readonly pid: number; readonly child: number }>;
  /** A process that is quickly dumped, where that differs much: default is one of start(). */
  startSmall?(): Promise<number>;
  /** Ends a started process from outside. */
  kill(pid: number): Promise<void>;
  /** Puts one event into the event log, at this time with this text. */
  event(at: number, text: string): Promise<void>;
  close(): Promise<void>;
}

const never = new AbortController().signal;
const GRACE_MS = 2_000;

export function contract(name: string, open: () => Promise<World>): void {
  describe(name, () => {
    let world: World;
    let platform: Platform;
    before(async () => { world = await open(); platform = world.platform; });
    after(async () => { platform.close(); await world.close(); });

    const find = async (pid: number): Promise<ProcessInfo> => await waitFor(`process ${pid} in the list`, async () => (await platform.processes(never)).find((one) => one.pid === pid));
    const lost = async (pid: number): Promise<void> => { await waitFor(`process ${pid} to leave the list`, async () => !(await platform.processes(never)).some((one) => one.pid === pid)); };

    processesAndUsage(() => ({ world, platform, find, lost }));
    abilities(() => ({ world, platform, find, lost }));
    ending(() => ({ world, platform, find, lost }));
    hostAndEvents(() => ({ world, platform, find, lost }));
  });
}

interface Given { readonly world: World; readonly platform: Platform; find(pid: number): Promise<ProcessInfo>; lost(pid: number): Promise<void> }

function processesAndUsage(given: () => Given): void {
  test('the list shows the site\'s processes and our own, parents first, each once, all well formed', async () => {
    const { world, platform, find } = given();
    const { pid, child } = await world.start();
    await find(pid);
    const info = await find(child);
    assert.equal(info.parent, pid);
    const list = await platform.processes(never);
    const pids = list.map((one) => one.pid);
    assert.equal(new Set(pids).size, pids.length);
    assert.ok(pids.indexOf(pid) < pids.indexOf(child));
    for (const one of list) ProcessInfo.parse(one);
    assert.deepEqual(list.filter((one) => one.role === 'agent' && one.pid === world.self).map((one) => one.ours), [true]);
    for (const target of [pid, child]) assert.equal(list.find((one) => one.pid === target)?.ours, undefined);
    await world.kill(pid);
  });

  test('usage has the asked and living pids only, with the list\'s start and finite counters that do not fall', async () => {
    const { world, platform, find, lost } = given();
    const { pid, child } = await world.start();
    const info = await find(pid);
    const gone = await world.start();
    await find(gone.pid);
    await world.kill(gone.pid);
    await lost(gone.pid);
    const first = await platform.usage([pid, gone.pid], never);
    const second = await platform.usage([pid, gone.pid], never);
    assert.deepEqual([...first.keys()], [pid]);
    assert.equal(first.get(pid)?.startedAt, info.startedAt);
    assert.ok((second.get(pid)?.cpuMs ?? -1) >= (first.get(pid)?.cpuMs ?? 0));
    for (const value of Object.values(second.get(pid) ?? {})) assert.ok(Number.isFinite(value) && value >= 0);
    assert.ok((first.get(pid)?.workingSetBytes ?? 0) > 0);
    assert.equal((await platform.usage([], never)).size, 0);
    assert.equal((await platform.usage([child], never)).size, 1);
    await world.kill(pid);
  });

  test('our own counters are those of a living process', () => {
    const { platform } = given();
    const usage = platform.ownUsage();
    assert.ok(usage.startedAt > 0 && usage.cpuMs > 0 && (usage.workingSetBytes ?? 0) > 0);
  });
}

function abilities(given: () => Given): void {
  test('an ability that is missing has a reason', () => {
    const { platform } = given();
    for (const what of Capability.options) {
      const offer = platform.can(what);
      assert.ok(offer.yes ? offer.because === undefined : (offer.because ?? '').length > 10, what);
    }
  });

  test('what is offered works, what is not says so', async () => {
    const { world, platform, find } = given();
    const { pid } = await world.start();
    const target = await find(pid);
    await offered(platform.can('open-files').yes, async () => { assert.ok(Array.isArray(await platform.openFiles(pid, never))); });
    await offered(platform.can('connections').yes, async () => {
      for (const one of await platform.connections([pid], never)) assert.ok(one.localHost !== '' && one.localPort >= 0 && /^[A-Z_0-9]+$/.test(one.state) && (one.pid === undefined || one.pid === pid), JSON.stringify(one));
    });
    await offered(platform.can('environment').yes, async () => {
      assert.equal((await platform.environment(pid, never)).find((one) => one.name === 'MARK')?.value, 'contract');
    });
    await offered(platform.can('modules').yes, async () => {
      const modules = await platform.modules(pid, never);
      assert.ok(modules.length > 0 && modules.every((one) => one.path !== '' && one.sizeBytes > 0 && /^0x[0-9a-f]+$/.test(one.address)));
      assert.ok(modules.some((one) => one.path.toLowerCase().endsWith(target.name.toLowerCase())), `${target.name} among ${modules.map((one) => one.path).join(', ')}`);
    });
    await offered(platform.can('modules').yes, async () => {
      const versions = (await platform.modules(pid, never, true)).flatMap(({ version }) => (version === undefined ? [] : [version]));
      for (const version of versions) assert.match(version, /^\d+\.\d+\.\d+\.\d+$/);
      assert.equal(versions.length > 0, process.platform === 'win32' && world.self === process.pid);
    });
    await offered(platform.can('threads').yes, async () => {
      const threads = await platform.threads(pid, never);
      assert.ok(threads.length > 0 && threads.every((one) => one.id > 0 && (one.cpuMs ?? 0) >= 0));
      assert.equal(new Set(threads.map((one) => one.id)).size, threads.length);
      assert.ok(threads.some((one) => one.state !== undefined), JSON.stringify(threads));
      for (const one of threads) assert.ok(one.userMs === undefined || Math.abs(one.userMs + (one.kernelMs ?? 0) - (one.cpuMs ?? 0)) < 1, JSON.stringify(one));
    });
    const small = platform.can('memory-dump').yes ? await world.startSmall?.() : undefined;
    await offered(platform.can('memory-dump').yes, async () => checkDump(platform, small === undefined ? target : await find(small)));
    if (small !== undefined) await world.kill(small);
    await offered(platform.nodeReportOffered(target).yes, async () => { assert.equal(typeof JSON.parse(await reportOf(platform, target)), 'object'); });
    const own = (await platform.processes(never)).find((one) => one.pid === world.self);
    assert.equal(own !== undefined && platform.nodeReportOffered(own).yes, false);
    await world.kill(pid);
  });

  test('a cancelled dump leaves nothing', async () => {
    const { world, platform, find } = given();
    if (!platform.can('memory-dump').yes) return;
    const { pid } = await world.start();
    const file = join(platform.host.folders.temp, 'cancelled.core');
    await refused(platform.dump(await find(pid), file, AbortSignal.abort()), 'CANCELLED');
    assert.deepEqual((await readdir(dirname(file))).filter((name) => name.startsWith('cancelled')), []);
    await world.kill(pid);
  });
}

/** A process that is starved for the moment is refused for that, in words; it is asked again. */
async function reportOf(platform: Platform, target: ProcessInfo): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await platform.nodeReport(target, never);
    } catch (error) {
      if (tries === 4 || !/did not open within|no answer within/.test(String(error))) throw error;
    }
  }
}

async function checkDump(platform: Platform, target: ProcessKey): Promise<void> {
  const file = join(platform.host.folders.temp, 'contract.core');
  const [first, ...rest] = platform.dumpKinds;
  for (const kind of [first, ...rest]) {
    const estimate = await platform.dumpEstimate(target, never, kind);
    const result = await platform.dump(target, file, never, kind);
    assert.equal((await stat(file)).size, result.bytes);
    assert.ok(result.bytes > 0 && result.bytes <= estimate, `${kind}: ${result.bytes} of estimated ${estimate}`);
    assert.deepEqual((await readdir(dirname(file))).filter((name) => name.startsWith('contract')), ['contract.core']);
    await rm(file);
  }
}

function ending(given: () => Given): void {
  test('a process that is gone, reused or ours is refused, whatever is asked', async () => {
    const { world, platform, find, lost } = given();
    const { pid } = await world.start();
    const target = await find(pid);
    const other = { pid, startedAt: target.startedAt - 60_000 };
    const file = join(platform.host.folders.temp, 'refused.core');
    await refused(platform.end(other, GRACE_MS, never), 'PROCESS_REUSED');
    await refused(platform.dump(other, file, never), 'PROCESS_REUSED', 'CAPABILITY_MISSING');
    await refused(platform.nodeReport(other, never), 'PROCESS_REUSED', 'CAPABILITY_MISSING');
    assert.equal((await platform.usage([pid], never)).size, 1, 'it still lives');
    await refused(platform.end({ pid: 1, startedAt: 0 }, GRACE_MS, never), 'PROCESS_OURS');
    const own = (await platform.processes(never)).find((one) => one.pid === world.self);
    assert.ok(own !== undefined);
    await refused(platform.end(own, GRACE_MS, never), 'PROCESS_OURS');
    await world.kill(pid);
    await lost(pid);
    await refused(platform.end(target, GRACE_MS, never), 'PROCESS_GONE');
    await refused(platform.dump(target, file, never), 'PROCESS_GONE', 'CAPABILITY_MISSING');
    await refused(platform.openFiles(pid, never), 'PROCESS_GONE', 'CAPABILITY_MISSING');
    await refused(platform.environment(pid, never), 'PROCESS_GONE', 'CAPABILITY_MISSING');
    await refused(platform.modules(pid, never), 'PROCESS_GONE', 'CAPABILITY_MISSING');
    await refused(platform.threads(pid, never), 'PROCESS_GONE', 'CAPABILITY_MISSING');
  });

  test('end ends the process and its child', async () => {
    const { world, platform, find, lost } = given();
    const { pid, child } = await world.start();
    const target = await find(pid);
    await platform.end(target, GRACE_MS, never);
    await lost(pid);
    await lost(child);
  });

  test('an abort stops reading', async () => {
    const { platform } = given();
    await assert.rejects(platform.processes(AbortSignal.abort()), (error) => codeOf(error) === 'CANCELLED');
    await assert.rejects(platform.usage([1], AbortSignal.abort()), (error) => codeOf(error) === 'CANCELLED');
    await assert.rejects(platform.hostUsage(AbortSignal.abort()), (error) => codeOf(error) === 'CANCELLED');
  });
}

function hostAndEvents(given: () => Given): void {
  test('runtimes are found with their versions, the host tells its facts, and neither outlives an abort', async () => {
    const { platform } = given();
    const runtimes = await platform.runtimes(never);
    for (const one of runtimes) { Runtime.parse(one); assert.ok(one.version !== undefined || (one.because ?? '').length > 5, JSON.stringify(one)); }
    assert.match(runtimes.find((one) => one.name === 'Node.js')?.version ?? '', /^\d+\.\d+\.\d+/, JSON.stringify(runtimes));
    const facts = await platform.hostFacts(never);
    for (const one of facts) HostFact.parse(one);
    assert.ok(facts.some((one) => one.id === 'os') && new Set(facts.map((one) => one.id)).size === facts.length, JSON.stringify(facts));
    await assert.rejects(platform.runtimes(AbortSignal.abort()), (error) => codeOf(error) === 'CANCELLED');
    await assert.rejects(platform.hostFacts(AbortSignal.abort()), (error) => codeOf(error) === 'CANCELLED');
  });

  test('the host\'s numbers fit each other', async () => {
    const { platform } = given();
    const usage = await platform.hostUsage(never);
    assert.ok(usage.cores >= 1);
    assert.ok((usage.busyMs ?? 0) <= (usage.totalMs ?? 0));
    assert.ok((usage.memoryUsedBytes ?? 0) <= (usage.memoryTotalBytes ?? 0));
    assert.ok((usage.diskFreeBytes ?? 0) <= (usage.diskTotalBytes ?? 0));
  });

  test('events come oldest first', async () => {
    const { world, platform } = given();
    assert.deepEqual(await platform.eventLog(never), []);
    const at = Date.UTC(2026, 10, 21, 2, 0, 0);
    await world.event(at + 5_000, 'second');
    await world.event(at, 'first');
    await world.event(at + 9_000, 'third');
    assert.deepEqual((await platform.eventLog(never)).map((row) => [row.at, row.text]), [[at, 'first'], [at + 5_000, 'second'], [at + 9_000, 'third']]);
    assert.equal(platform.can('event-log').yes, true);
  });
}

async function offered(yes: boolean, use: () => Promise<void>): Promise<void> {
  if (yes) await use();
  else await refused(use(), 'CAPABILITY_MISSING', 'NODE_REPORT_FAILED');
}

async function refused(work: Promise<unknown>, ...codes: readonly ErrorCode[]): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(codes.includes(codeOf(error)), `${codeOf(error)} instead of ${codes.join(' or ')}: ${String(error)}`);
    return true;
  });
}
