// Owns Node's diagnostic report of a process that was not prepared for it: its inspector is opened by signal, asked once, and closed.
import { DiagError } from '../../shared/errors.ts';
import type { Offer, ProcessInfo } from '../../shared/model.ts';
import { systemClock, within } from '../clock.ts';
import { catches, innerPid, parseArguments, parseEnviron } from '../parse/proc-text.ts';
import { isLoopback, parseTcp } from '../parse/proc-net.ts';
import { runtimeOf } from '../roles.ts';
import { connectInspector, inspectorPath, type Inspector } from './inspector.ts';
import { socketInodes } from './open-files.ts';
import { readLink, readText, readWhole } from './read.ts';

const SIGUSR1 = 10;
const DEFAULT_PORT = 9229;
/** The inspector answers 19 ms after the signal on an idle machine; a loaded one may need seconds. */
const OPEN_LIMIT_MS = 5_000;
const HIDDEN_AFTER_MS = 1_000;
const REPORT_LIMIT_MS = 20_000;
/** Another agent's report holds the default port for a fraction of a second. */
const PORT_FREE_LIMIT_MS = 3_000;
const CLOSE_LIMIT_MS = 2_000;
const POLL_MS = 10;
/** We must have hung up before the target closes its inspector: it would wait for us inside its event loop. */
const CLOSE_DELAY_MS = 50;
/** For the clean-up, which a cancel must not stop; it has limits of its own. */
const NEVER = new AbortController().signal;

/** The pid comes along so that a port that belongs to somebody else is found out. Without the network part the report needs no name lookups (Node 20.13 and later). */
const REPORT = `(() => {
  const report = process.report, short = 'excludeNetwork' in report, was = report.excludeNetwork;
  try { if (short) report.excludeNetwork = true; return JSON.stringify({ pid: process.pid, report: report.getReport() }); }
  finally { if (short) report.excludeNetwork = was; }
})()`;
/** Two timers: when the event loop stood still, Node still has its own note of our signal pending in the first turn after, and would open the inspector again. */
const CLOSE = `(() => {
  const inspector = process.getBuiltinModule ? process.getBuiltinModule('inspector') : require('inspector');
  setTimeout(() => setTimeout(() => inspector.close(), ${CLOSE_DELAY_MS}), 0); return true;
})()`;

/** Whether a report can be had, without touching the process. An app that handles SIGUSR1 itself cannot be told from outside: it gets that signal, and no report comes. */
export function nodeReportOffer(target: ProcessInfo): Offer {
  if (target.ours === true) return { yes: false, because: 'it is the agent itself or one of its parents' };
  if (runtimeOf(target.name) !== 'node') return { yes: false, because: `${target.name} is not Node` };
  const caught = catches(readText(`/proc/${target.pid}/status`) ?? '', SIGUSR1);
  if (caught === undefined) return { yes: false, because: 'it is not running any more' };
  // Any other program would be ended by the signal.
  if (!caught) return { yes: false, because: 'it does not listen to SIGUSR1, which opens the inspector (started with --disable-sigusr1 or an old Node)' };
  const [mine, its] = [readLink('/proc/self/ns/net'), readLink(`/proc/${target.pid}/ns/net`)];
  if (its !== mine) return { yes: false, because: 'its loopback network is not ours (another container)' };
  return { yes: true };
}

/** The report as JSON text. The target prints three lines about its debugger on stderr. If its event loop stands still, the report still comes,
 *  but the inspector closes only when the loop turns again. @throws NODE_REPORT_FAILED, CANCELLED */
export async function takeNodeReport(pid: number, signal: AbortSignal): Promise<string> {
  try {
    const limit = within(REPORT_LIMIT_MS, signal);
    const { port, opened } = await openInspector(pid, limit);
    return await ask(pid, port, opened, limit);
  } catch (error) {
    if (signal.aborted) throw new DiagError('CANCELLED', { what: `The report of process ${pid}` }, { cause: error });
    const why = error instanceof Error && error.name === 'TimeoutError' ? `no answer within ${REPORT_LIMIT_MS / 1_000} s` : String(error instanceof Error ? error.message : error);
    throw error instanceof DiagError ? error : new DiagError('NODE_REPORT_FAILED', { pid, why }, { cause: error });
  }
}

/** Uses an inspector that is open, else opens one; only the latter is closed again. */
async function openInspector(pid: number, signal: AbortSignal): Promise<{ port: number; opened: boolean }> {
  const before = listening(pid);
  const named = namedPort(pid);
  const likely = named.asked ? [...before].filter(([, loopback]) => loopback).map(([port]) => port) : [named.port].filter((port) => before.has(port));
  const already = await firstInspector(likely, signal);
  if (already !== undefined) return { port: already, opened: false };
  if (named.port !== 0) await portFree(named.port, signal);
  process.kill(pid, 'SIGUSR1');
  const soon = await newInspector(pid, before, HIDDEN_AFTER_MS, signal);
  if (soon !== undefined) return { port: soon, opened: true };
  // Perhaps it was open all the time, on a port that nothing names: only now are other listeners of the app asked.
  const hidden = await firstInspector([...before].filter(([, loopback]) => loopback).map(([port]) => port), signal);
  if (hidden !== undefined) return { port: hidden, opened: false };
  const port = await newInspector(pid, before, OPEN_LIMIT_MS - HIDDEN_AFTER_MS, signal);
  if (port !== undefined) return { port, opened: true };
  throw new DiagError('NODE_REPORT_FAILED', { pid, why: `its inspector did not open within ${OPEN_LIMIT_MS / 1_000} s after SIGUSR1; the app may handle that signal itself` });
}

/** The inspector that opens on a port where this process did not listen before. A cancel in this moment still closes it. */
async function newInspector(pid: number, before: ReadonlyMap<number, boolean>, limitMs: number, signal: AbortSignal): Promise<number | undefined> {
  const until = systemClock.monotonic() + limitMs;
  try {
    while (systemClock.monotonic() < until) {
      const port = await firstInspector([...listening(pid).keys()].filter((one) => !before.has(one)), signal);
      if (port !== undefined) return port;
      await systemClock.wait(POLL_MS, signal);
    }
    return undefined;
  } catch (error) {
    const late = signal.aborted ? await newInspector(pid, before, CLOSE_LIMIT_MS, NEVER) : undefined;
    if (late !== undefined) await closeInspector(pid, late);
    throw error;
  }
}

/** Ports this very process listens on, and whether each is for loopback only. */
function listening(pid: number): Map<number, boolean> {
  const own = socketInodes(pid);
  const ports = new Map<number, boolean>();
  for (const row of tcpRows(pid)) if (row.state === 'LISTEN' && own.has(row.inode)) ports.set(row.localPort, isLoopback(row.localAddress));
  return ports;
}

function tcpRows(pid: number): ReturnType<typeof parseTcp> {
  return ['tcp', 'tcp6'].flatMap((file) => parseTcp(readText(`/proc/${pid}/net/${file}`) ?? ''));
}

/** Where the inspector will be or is, as arguments or NODE_OPTIONS say; `asked`: it was asked for at the start. */
function namedPort(pid: number): { readonly port: number; readonly asked: boolean } {
  const [cmdline, environ] = [readWhole(`/proc/${pid}/cmdline`), readWhole(`/proc/${pid}/environ`)];
  const options = typeof environ === 'number' ? '' : parseEnviron(environ).find(({ name }) => name === 'NODE_OPTIONS')?.value ?? '';
  const words = [...options.split(/\s+/), ...typeof cmdline === 'number' ? [] : parseArguments(cmdline)];
  const asked = words.some((word) => /^--inspect(-brk|-wait)?(=|$)/.test(word));
  const port = words.map((word) => /^--(?:inspect(?:-brk|-wait|-port)?|debug-port)=(?:.*:)?(\d{1,5})$/.exec(word)?.[1]).filter((found) => found !== undefined).at(-1);
  return { port: port === undefined ? DEFAULT_PORT : Number(port), asked };
}

async function firstInspector(ports: readonly number[], signal: AbortSignal): Promise<number | undefined> {
  for (const port of ports) if (await inspectorPath(port, signal) !== undefined) return port;
  return undefined;
}

/** A target whose port is taken would only print an error. */
async function portFree(port: number, signal: AbortSignal): Promise<void> {
  const until = systemClock.monotonic() + PORT_FREE_LIMIT_MS;
  while (tcpRows(process.pid).some((row) => row.state === 'LISTEN' && row.localPort === port)) {
    if (systemClock.monotonic() > until) throw new Error(`port ${port}, where Node opens its inspector, is taken by another program`);
    await systemClock.wait(POLL_MS, signal);
  }
}

async function ask(pid: number, port: number, opened: boolean, signal: AbortSignal): Promise<string> {
  try {
    const inspector = await connect(port, signal);
    try {
      const report = checked(pid, await inspector.evaluate(REPORT));
      if (opened) await scheduleClose(pid, port, inspector);
      return report;
    } finally {
      inspector.hangUp();
    }
  } catch (error) {
    // Also after a cancel: what we opened is closed.
    if (opened) await closeInspector(pid, port);
    throw error;
  } finally {
    if (opened) await until(() => !stillListens(pid, port));
  }
}

/** @throws when nothing there speaks as an inspector (any more) */
async function connect(port: number, signal: AbortSignal): Promise<Inspector> {
  const path = await inspectorPath(port, signal);
  if (path === undefined) throw new Error('its inspector closed again');
  return await connectInspector(port, path, signal);
}

function checked(pid: number, value: unknown): string {
  if (typeof value !== 'string') throw new Error('the answer is no text');
  const answer = JSON.parse(value) as { pid?: unknown; report?: unknown } | null;
  const expected = innerPid(readText(`/proc/${pid}/status`) ?? '') ?? pid;
  if (answer?.pid !== expected) throw new Error(`process ${String(answer?.pid)} answered on its port`);
  if (typeof answer.report !== 'object' || answer.report === null) throw new Error('it made no report');
  return JSON.stringify(answer.report, undefined, 2);
}

async function closeInspector(pid: number, port: number): Promise<void> {
  if (!stillListens(pid, port)) return;
  const inspector = await connect(port, AbortSignal.timeout(CLOSE_LIMIT_MS));
  try {
    await scheduleClose(pid, port, inspector);
  } finally {
    inspector.hangUp();
  }
}

/** Lets the target close its inspector a moment after we have hung up. While somebody else is connected it stays open, or the target would wait for them. */
async function scheduleClose(pid: number, port: number, inspector: Inspector): Promise<void> {
  // The target may need a moment to notice that our earlier connections are closed.
  if (await until(() => connections(pid, port) <= 1)) await inspector.evaluate(CLOSE);
}

function connections(pid: number, port: number): number {
  return tcpRows(pid).filter((row) => row.state === 'ESTABLISHED' && row.localPort === port).length;
}

/** A process that ended in between listens no more. */
function stillListens(pid: number, port: number): boolean {
  return tcpRows(pid).some((row) => row.state === 'LISTEN' && row.localPort === port);
}

/** True as soon as it holds, false when it does not within the limit. */
async function until(holds: () => boolean): Promise<boolean> {
  const from = systemClock.monotonic();
  while (!holds()) {
    if (systemClock.monotonic() - from > CLOSE_LIMIT_MS) return false;
    await systemClock.wait(POLL_MS, NEVER);
  }
  return true;
}
