// Owns the end of one process from the process explorer: whether it may be ended, what that costs, and the end itself with its guards.
import { DiagError } from '../shared/errors.ts';
import type { Offer, ProcessInfo, ProcessKey } from '../shared/model.ts';
import { plural } from '../shared/units.ts';
import { meant } from '../analyze/target.ts';
import type { Platform } from '../platform/platform.ts';

/** As for a restart: what App Service gives a worker to finish its requests. */
const GRACE_MS = 10_000;

export function endOffer(info: ProcessInfo, platform: Pick<Platform, 'can'>): Offer {
  return info.ours === true ? { yes: false, because: 'this is the agent itself, one of its parents or one of its children' } : platform.can('restart');
}

/** What the end costs, before the click. */
export function endSays(info: ProcessInfo, all: readonly ProcessInfo[]): string {
  const children = childrenOf(info, all);
  const along = children === 0 ? '' : ` Its ${plural(children, 'child process', 'child processes')} ${children === 1 ? 'ends' : 'end'} with it.`;
  if (info.role === 'worker') return `Restarts the app: requests in flight get up to 10 s to finish, then fail as 502; new ones wait for the next worker.${along}`;
  if (info.role === 'scm') return `Belongs to the SCM site: Kudu, deployments and WebJobs may be interrupted.${along}`;
  return `What it does now is lost; whether a new one starts is for its parent to decide.${along}`;
}

function childrenOf(info: ProcessInfo, all: readonly ProcessInfo[]): number {
  const below = new Set([info.pid]);
  // Parents come before their children, so one pass finds all.
  for (const one of all) if (one.parent !== undefined && below.has(one.parent) && one.startedAt >= info.startedAt) below.add(one.pid);
  return below.size - 1;
}

/** Exactly this process, by pid and start time. @throws PROCESS_GONE, PROCESS_REUSED, PROCESS_OURS, PROCESS_DENIED, CAPABILITY_MISSING, TIMED_OUT */
export async function endProcess(target: ProcessKey, platform: Platform, signal: AbortSignal): Promise<void> {
  const possible = platform.can('restart');
  if (!possible.yes) throw new DiagError('CAPABILITY_MISSING', { what: 'Ending a process', because: possible.because });
  meant(await platform.processes(signal), target);
  await platform.end({ pid: target.pid, startedAt: target.startedAt }, GRACE_MS, signal);
}
