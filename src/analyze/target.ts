// Owns which process a session studies: the one that was asked for, or the site's worker as it is now.
import { DiagError } from '../shared/errors.ts';
import type { Offer, ProcessInfo, ProcessKey, Role } from '../shared/model.ts';
import { utc } from '../shared/units.ts';
import type { Collecting } from './contracts.ts';

/** Where the app's own code runs, best first; used where no process is known to answer the requests. */
const BY_ROLE: readonly Role[] = ['node', 'java', 'dotnet', 'python', 'php', 'other'];

/** The process to study when nobody names one: the worker, or the runtime that an IIS worker only forwards to. Never one of ours. */
export function workerOf(processes: readonly ProcessInfo[]): ProcessInfo | undefined {
  const site = processes.filter((p) => p.ours !== true && p.role !== 'scm' && p.role !== 'agent');
  const worker = site.find((p) => p.role === 'worker');
  if (!worker) return best(site);
  const forwards = /^w3wp(\.exe)?$/i.test(worker.name);
  return (forwards ? best(below(site, worker).filter((p) => p.role !== 'other')) : undefined) ?? worker;
}

/** The first by role, then the newest: the older one of two is on its way out. */
function best(site: readonly ProcessInfo[]): ProcessInfo | undefined {
  const tops = site.filter((p) => !site.some((other) => other.pid === p.parent && other.role === p.role));
  return [...tops].sort((a, b) => BY_ROLE.indexOf(a.role) - BY_ROLE.indexOf(b.role) || b.startedAt - a.startedAt || b.pid - a.pid)[0];
}

function below(site: readonly ProcessInfo[], top: ProcessInfo): readonly ProcessInfo[] {
  const found = new Set([top.pid]);
  // Parents come before children, so one pass finds all.
  const children = site.filter((p) => { const is = p.parent !== undefined && found.has(p.parent); if (is) found.add(p.pid); return is; });
  return children;
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
