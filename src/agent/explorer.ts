// Owns a close look at one process for page and CLI: modules, threads, connections with names, its JavaScript stack, one revealed variable, its end.
import { DiagError, sayError } from '../shared/errors.ts';
import type { ProcessInfo, ProcessKey } from '../shared/model.ts';
import type { ConnectionView, JsStack, ModuleView, ProcessOffers, ProcessSearch, SearchKind, ThreadView } from '../shared/processes.ts';
import { utc } from '../shared/units.ts';
import { diagnosers } from '../analyze/diagnosers/index.ts';
import { endOffer, endProcess, endSays } from '../mitigate/end.ts';
import { within } from '../platform/clock.ts';
import { createHostNames, type HostNames } from '../platform/host-names.ts';
import { stackNow } from '../platform/node-stack.ts';
import type { Connection, Thread } from '../platform/platform.ts';
import type { Parts } from './agent.ts';
import type { Config } from './config.ts';
import { searchProcesses, settled } from './process-search.ts';

/** A process has 50 to 300 modules, Java some thousand threads at worst, and 65,536 descriptors; a list for people ends before. */
const MODULES = 5_000, THREADS = 10_000, CONNECTIONS = 5_000;
/** Grace and kill, with room; below the front end's 230 s. */
const END_LIMIT_MS = 30_000;
const STACK_LIMIT_MS = 30_000;

type Meant = { readonly pid: number; readonly startedAt?: number | undefined };
export interface Explorer {
  offers(info: ProcessInfo): ProcessOffers;
  /** The process that is meant, as it is listed. @throws PROCESS_GONE, PROCESS_REUSED */
  info(meant: Meant): ProcessInfo;
  modules(meant: Meant, versions: boolean, signal: AbortSignal): Promise<{ modules: ModuleView[]; more: number; missing?: string }>;
  threads(meant: Meant, signal: AbortSignal): Promise<{ threads: ThreadView[]; more: number; missing?: string }>;
  connections(meant: Meant, signal: AbortSignal): Promise<{ connections: ConnectionView[]; more: number; unasked: number; missing?: string }>;
  search(text: string, kinds: readonly SearchKind[], limit: number, signal: AbortSignal): Promise<ProcessSearch>;
  /** @throws INSPECTOR_FAILED and as info, PROCESS_OURS */
  stack(target: ProcessKey, who: string, signal: AbortSignal): Promise<JsStack>;
  /** Not masked: for the one who asked, after the audit. @throws VARIABLE_UNKNOWN and as info */
  reveal(target: ProcessKey, name: string, who: string, signal: AbortSignal): Promise<{ name: string; value: string }>;
  end(target: ProcessKey, reason: string | undefined, who: string): Promise<{ ended: ProcessKey; at: number }>;
}

/** What of the agent it stands on. */
type Ground = Pick<Parts, 'platform' | 'audit'> & { readonly observed: Pick<Parts['observed'], 'processes' | 'publish' | 'inside'> };

export function createExplorer(parts: Ground, config: Pick<Config, 'env'>, mask: (text: string) => string): Explorer {
  const { platform, observed } = parts;
  const names = createHostNames(platform.clock);
  const info = (meant: Meant): ProcessInfo => infoOf(observed.processes(), meant);
  return {
    info,
    offers: (one) => offersOf(one, parts),
    async modules(meant, versions, signal) {
      const found = await settled(platform.modules(info(meant).pid, signal, versions));
      if ('because' in found) return { modules: [], more: 0, missing: found.because };
      return { modules: found.value.slice(0, MODULES).map((one) => ({ ...one })), more: Math.max(0, found.value.length - MODULES) };
    },
    async threads(meant, signal) {
      const found = await settled(platform.threads(info(meant).pid, signal));
      if ('because' in found) return { threads: [], more: 0, missing: found.because };
      return { threads: found.value.slice(0, THREADS).map(threadView), more: Math.max(0, found.value.length - THREADS) };
    },
    connections: async (meant, signal) => connectionsOf(parts, names, info(meant), mask, signal),
    search: async (text, kinds, limit, signal) => await searchProcesses(platform, observed.processes(), { text, kinds, limit, mask }, signal),
    stack: (target, who, signal) => stackOf(parts, target, who, mask, signal),
    reveal: async (target, name, who, signal) => await revealed(parts, config.env, info(target), name, who, signal),
    end: (target, reason, who) => ended(parts, target, reason, who),
  };
}

function infoOf(processes: readonly ProcessInfo[], { pid, startedAt }: Meant): ProcessInfo {
  const found = processes.find((one) => one.pid === pid);
  if (!found) throw new DiagError('PROCESS_GONE', { pid });
  if (startedAt !== undefined && found.startedAt !== startedAt) throw new DiagError('PROCESS_REUSED', { pid, startedAt: utc(found.startedAt), meant: utc(startedAt) });
  return found;
}

function offersOf(info: ProcessInfo, { platform, observed }: Ground): ProcessOffers {
  const offered = (id: string): ProcessOffers['dump'] => diagnosers.find((one) => one.id === id)?.offered(info, platform) ?? { yes: false, because: 'this agent has no such diagnoser' };
  return { end: endOffer(info, platform), endSays: endSays(info, observed.processes()), dump: offered('memory-dump'), profile: offered('node-cpu-profile'), stack: platform.nodeReportOffered(info) };
}

function threadView({ id, name, state, waitsIn, startedAt, cpuMs, userMs, kernelMs, priority }: Thread): ThreadView {
  return { id, name, state, waitsIn, startedAt, cpuMs, userMs, kernelMs, priority };
}

async function connectionsOf({ platform, observed }: Ground, names: HostNames, info: ProcessInfo, mask: (text: string) => string, signal: AbortSignal): Promise<{ connections: ConnectionView[]; more: number; unasked: number; missing?: string }> {
  const found = await settled(platform.connections([info.pid], signal));
  if ('because' in found) return { connections: [], more: 0, unasked: 0, missing: found.because };
  const own = found.value.filter((one) => one.pid === info.pid);
  const shown = own.slice(0, CONNECTIONS);
  const called = observed.inside.apps().flatMap(({ ticks }) => ticks.flatMap(({ dependencies }) => dependencies.map(({ host }) => host)));
  const known = await names.of(shown.filter(hasRemote).map(({ remoteHost }) => remoteHost), called, signal);
  const view = (one: Connection): ConnectionView => {
    const { pid: _pid, ...rest } = one;
    const named = hasRemote(one) ? known.names.get(one.remoteHost) : undefined;
    return { ...rest, ...(named === undefined ? {} : { name: mask(named.name), by: named.by }) };
  };
  return { connections: shown.map(view), more: own.length - shown.length, unasked: known.unasked };
}

/** One that listens has no other end. */
const hasRemote = ({ remotePort }: Connection): boolean => remotePort !== 0;

const said = ({ pid, startedAt }: ProcessKey): string => `process ${pid} started ${utc(startedAt)}`;

async function stackOf({ platform, audit }: Ground, target: ProcessKey, who: string, mask: (text: string) => string, signal: AbortSignal): Promise<JsStack> {
  const what = `JavaScript stack of ${said(target)}`;
  const limit = within(STACK_LIMIT_MS, signal);
  try {
    const key = { pid: target.pid, startedAt: target.startedAt };
    const stack = await platform.inspect(key, limit, (inspector) => stackNow(inspector, limit));
    await audit(who, 'look at', what, stack.idle ? 'it ran no JavaScript' : 'told');
    return { ...stack, frames: stack.frames.map((frame) => ({ ...frame, text: mask(frame.text) })), at: platform.clock.now() };
  } catch (error) {
    // One that stands in native code answers nobody.
    const late = limit.aborted && !signal.aborted ? new DiagError('TIMED_OUT', { what: `The look at the JavaScript of process ${target.pid}`, limit: `${STACK_LIMIT_MS / 1_000} s` }, { cause: error }) : error;
    await audit(who, 'look at', what, `failed: ${sayError(late)}`);
    throw late;
  }
}

/** Our own variables are the ones that we were given. Windows' names have no case, but the page names one of its list. */
async function revealed({ platform, audit }: Ground, env: Config['env'], info: ProcessInfo, name: string, who: string, signal: AbortSignal): Promise<{ name: string; value: string }> {
  const value = info.pid === process.pid ? env[name] : (await platform.environment(info.pid, signal)).find((one) => one.name === name)?.value;
  if (value === undefined) throw new DiagError('VARIABLE_UNKNOWN', { pid: info.pid, name: name.slice(0, 200) });
  // Before it is told: whoever is told can tell no more who was.
  await audit(who, 'reveal', `variable ${name} of ${said(info)}`, 'shown');
  return { name, value };
}

async function ended({ platform, observed, audit }: Ground, target: ProcessKey, reason: string | undefined, who: string): Promise<{ ended: ProcessKey; at: number }> {
  const what = `${said(target)}${reason ? `: ${reason}` : ''}`;
  const began = platform.clock.now();
  try {
    // The deed is not the request's: a browser that goes away must not leave a half-ended process.
    await endProcess(target, platform, within(END_LIMIT_MS));
    observed.publish({ id: `end:${target.pid}:${target.startedAt}`, at: began, kind: 'restart', level: 'warning', title: `Process ${target.pid} ended by ${who}`, ...(reason ? { detail: reason } : {}), pid: target.pid });
    await audit(who, 'end process', what, 'ended');
    return { ended: { pid: target.pid, startedAt: target.startedAt }, at: platform.clock.now() };
  } catch (error) {
    await audit(who, 'end process', what, `failed: ${sayError(error)}`);
    throw error;
  }
}
