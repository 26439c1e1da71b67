// Owns which process a session studies: the one that was asked for, or the site's worker as it is now.
import { DiagError } from '../shared/errors.ts';
import type { Offer, ProcessInfo, ProcessKey, Role } from '../shared/model.ts';
import { utc } from '../shared/units.ts';
import type { Collecting } from './contracts.ts';

/** Where the app's own code runs, best first: the runtime before the IIS worker that only forwards to it. */
const BY_ROLE: readonly Role[] = ['node', 'java', 'dotnet', 'python', 'php', 'worker', 'other'];

/** The site's worker: never one of ours, never the SCM site's. Of equals the one nearest to the root of the tree, then the newest. */
export function workerOf(processes: readonly ProcessInfo[]): ProcessInfo | undefined {
  const site = processes.filter((p) => p.ours !== true && p.role !== 'scm' && p.role !== 'agent');
  const byPid = new Map(site.map((p) => [p.pid, p]));
  const depth = (p: ProcessInfo, left = 50): number => {
    const parent = p.parent === undefined || left === 0 ? undefined : byPid.get(p.parent);
    return parent && parent.role === p.role ? 1 + depth(parent, left - 1) : 0;
  };
  const rank = (p: ProcessInfo): number => { const i = BY_ROLE.indexOf(p.role); return i < 0 ? BY_ROLE.length : i; };
  return [...site].sort((a, b) => rank(a) - rank(b) || depth(a) - depth(b) || b.startedAt - a.startedAt || b.pid - a.pid)[0];
}

/** The very process that was meant. @throws PROCESS_GONE, PROCESS_REUSED, PROCESS_OURS */
export function meant(processes: readonly ProcessInfo[], key: ProcessKey): ProcessInfo {
  const found = processes.find((p) => p.pid === key.pid);
  if (!found) throw new DiagError('PROCESS_GONE', { pid: key.pid });
  if (found.startedAt !== key.startedAt) throw new DiagError('PROCESS_REUSED', { pid: key.pid, startedAt: utc(found.startedAt), meant: utc(key.startedAt) });
  if (found.ours === true) throw new DiagError('PROCESS_OURS', { pid: key.pid });
  return found;
}

/** An offer that needs a process of the site. */
export function withTarget(target: ProcessInfo | undefined, offer: Offer): Offer {
  if (!target) return { yes: false, because: 'no process of the site is running' };
  if (target.ours === true) return { yes: false, because: 'this process is the agent\'s own' };
  return offer;
}

/** The target of a diagnoser that was offered only with one. */
export function theTarget(run: Pick<Collecting, 'target'>): ProcessInfo {
  if (!run.target) throw new DiagError('CAPABILITY_MISSING', { what: 'This', because: 'no process of the site is running' });
  return run.target;
}
