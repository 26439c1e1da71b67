// Owns the restart of a worker: which processes may be restarted, what it costs, and the restart itself with its guards.
import { DiagError } from '../shared/errors.ts';
import type { ProcessInfo, ProcessKey } from '../shared/model.ts';
import type { RestartDone, RestartTarget } from '../shared/api.ts';
import type { z } from 'zod';
import type { Platform } from '../platform/platform.ts';
import { within } from '../platform/clock.ts';

/** What a worker gets to finish its requests before it is killed: App Service's own shutdown limit for a worker is 10 s by default. */
const GRACE_MS = 10_000;
/** How long to look for the next worker: ANCM's and HttpPlatformHandler's start limit is 120 s, but an answer must come sooner. */
const NEXT_WORKER_MS = 20_000;
const LOOK_EVERY_MS = 200;
/** How long the old worker may stay on the list after its end. */
const SETTLE_MS = 2_000;

const ROLES: ReadonlySet<ProcessInfo['role']> = new Set(['worker', 'node', 'php', 'java', 'dotnet', 'python']);

/** The site's processes, workers first; those that may not be ended say why. */
export function restartTargets(processes: readonly ProcessInfo[], platform: Platform): z.infer<typeof RestartTarget>[] {
  const possible = platform.can('restart');
  return processes
    .filter((p) => mayBe(p) || p.ours === true)
    .map((info) => ({ info, offer: info.ours ? { yes: false, because: 'this is the agent itself or one of its parents' } : possible, says: says(info) }))
    .sort((a, b) => rank(a.info) - rank(b.info) || a.info.pid - b.info.pid);
}

/** SCM processes, shells and tools are nobody's target, whoever asks for them. */
const mayBe = (info: ProcessInfo): boolean => ROLES.has(info.role);

function says(info: ProcessInfo): string {
  if (info.ours) return 'Cannot be restarted from here.';
  return info.role === 'worker'
    ? 'Restarts the app: requests in flight get up to 10 s to finish, then fail as 502; new ones wait for the next worker.'
    : 'Ends this process and its children; its parent decides whether a new one starts.';
}

function rank(info: ProcessInfo): number {
  if (info.ours) return 2;
  return info.role === 'worker' ? 0 : 1;
}

export interface RestartHow {
  /** Whether somebody wants to know the next worker. */
  readonly awaitsNext?: boolean;
  /** The next worker answers before this one is ended; only where the platform can. */
  readonly overlapped?: boolean;
  progress?(note: string): void;
}

/** Ends exactly this process (pid *and* start time) and waits for the platform's next worker, unless nobody waits for it.
 *  @throws PROCESS_GONE, PROCESS_REUSED, PROCESS_OURS, BAD_INPUT (a process that restartTargets does not offer), CAPABILITY_MISSING */
export async function restart(target: ProcessKey, platform: Platform, signal: AbortSignal, { awaitsNext = true, overlapped = false, progress = () => undefined }: RestartHow = {}): Promise<z.infer<typeof RestartDone>> {
  const possible = platform.can(overlapped ? 'overlapped-restart' : 'restart');
  if (!possible.yes) throw new DiagError('CAPABILITY_MISSING', { what: overlapped ? 'A restart with overlap' : 'A restart', because: possible.because });
  const before = await platform.processes(signal);
  const found = before.find((p) => p.pid === target.pid);
  if (!found) throw new DiagError('PROCESS_GONE', { pid: target.pid });
  if (found.startedAt !== target.startedAt) throw new DiagError('PROCESS_REUSED', { pid: target.pid, startedAt: new Date(found.startedAt).toISOString(), meant: new Date(target.startedAt).toISOString() });
  if (found.ours) throw new DiagError('PROCESS_OURS', { pid: target.pid });
  if (!mayBe(found)) throw new DiagError('BAD_INPUT', { why: `body.pid: process ${target.pid} (${found.name}) is neither a worker nor a runtime of the site` });
  if (overlapped) return replaced(found, new Set(before.map(keyOf)), platform, signal, progress);
  await platform.end(target, GRACE_MS, signal);
  const at = platform.clock.now();
  const next = !awaitsNext ? undefined : await nextWorker(found, new Set(before.map(keyOf)), platform, signal);
  return { ended: target, at, ...(next ? { next } : {}) };
}

/** @throws RESTART_REFUSED: the old one serves on */
async function replaced(old: ProcessInfo, known: ReadonlySet<string>, platform: Platform, signal: AbortSignal, progress: (note: string) => void): Promise<z.infer<typeof RestartDone>> {
  if (old.role !== 'worker' || platform.replaceWorker === undefined) throw new DiagError('RESTART_REFUSED', { pid: old.pid, why: `${old.name} is no worker: who starts it is not asked for another one` });
  const { pid } = await platform.replaceWorker(old, signal, progress);
  const next = await ofHost(pid, known, platform, signal);
  return { ended: { pid: old.pid, startedAt: old.startedAt }, at: platform.clock.now(), overlapped: true, ...(next ? { next: { pid: next.pid, startedAt: next.startedAt } } : {}) };
}

/** What its host started may be a shell, and the worker the shell's child: who is the worker shows once the old one is off the list. */
async function ofHost(pid: number, known: ReadonlySet<string>, platform: Platform, signal: AbortSignal): Promise<ProcessInfo | undefined> {
  let started: ProcessInfo | undefined;
  for await (const _ of platform.clock.every(LOOK_EVERY_MS, within(SETTLE_MS, signal))) {
    void _;
    const fresh = (await platform.processes(signal)).filter((p) => !p.ours && !known.has(keyOf(p)));
    started = fresh.find((p) => p.pid === pid);
    const worker = started?.role === 'worker' ? started : fresh.find((p) => p.role === 'worker');
    if (worker !== undefined) return worker;
  }
  return started;
}

const keyOf = (p: ProcessKey): string => `${p.pid}:${p.startedAt}`;

/** The first process of the same role that was not there before; none within the limit is an answer, not an error. */
async function nextWorker(old: ProcessInfo, known: ReadonlySet<string>, platform: Platform, signal: AbortSignal): Promise<ProcessKey | undefined> {
  const limit = within(NEXT_WORKER_MS, signal);
  for await (const _ of platform.clock.every(LOOK_EVERY_MS, limit)) {
    void _;
    const next = (await platform.processes(signal)).find((p) => p.role === old.role && !p.ours && !known.has(keyOf(p)));
    if (next) return { pid: next.pid, startedAt: next.startedAt };
  }
  return undefined;
}
