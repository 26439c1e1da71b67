// Owns what part a process plays in the site: its runtime, whether it is the worker, and which processes are our own.
import type { Role } from '../shared/model.ts';

/** One live process as any system shows it. */
export interface Seen {
  readonly pid: number;
  readonly parent: number;
  readonly startedAt: number;
  readonly name: string;              // of the executable
  readonly args: readonly string[];
  readonly scm: boolean;              // belongs to the SCM site
  readonly serves: boolean;           // was given a port to listen on
}

const RUNTIMES: readonly (readonly [RegExp, Role])[] = [
  [/^w3wp$/, 'worker'],
  [/^(node|nodejs)$/, 'node'],
  [/^php/, 'php'],
  [/^java$/, 'java'],
  [/^dotnet$/, 'dotnet'],
  [/^(python|gunicorn|uvicorn|pypy)/, 'python'],
];

/** Programs that only start and watch another one. */
const WRAPPERS = /^(sh|bash|dash|ash|zsh|busybox|cmd|tini|dumb-init|docker-init|s6-.*|runsv.*|supervisord|sudo|su|gosu|env|timeout|nohup|npm|npx|yarn|pnpm|nodemon|oryx)$/;
/** The same in the runtime's own process: `npm start` and PM2's daemon show it as their title, others as the script. */
const WRAPPER_SCRIPT = /(^(npm|npx|yarn|pnpm|PM2) )|(^|[\\/])(npm|npx|yarn|yarnpkg|pnpm|nodemon)(-cli)?(\.c?js)?$/;

export function runtimeOf(name: string): Role {
  const bare = name.toLowerCase().replace(/\.exe$/, '');
  return RUNTIMES.find(([pattern]) => pattern.test(bare))?.[1] ?? 'other';
}

function isWrapper(seen: Seen): boolean {
  if (WRAPPERS.test(seen.name.toLowerCase().replace(/\.exe$/, ''))) return true;
  return [seen.args[0], seen.args.slice(1).find((arg) => !arg.startsWith('-'))].some((arg) => arg !== undefined && WRAPPER_SCRIPT.test(arg));
}

/** Ourselves, our parents up to the first process, and everything we started. The first process is never anyone's target. */
export function ourOwn(all: ReadonlyMap<number, { readonly parent: number }>, self: number): Set<number> {
  const ours = new Set([1, ...below(all, [self])]);
  for (let pid = all.get(self)?.parent; pid !== undefined && pid > 0 && !ours.has(pid); pid = all.get(pid)?.parent) ours.add(pid);
  return ours;
}

/** The given processes with all their descendants. */
export function below(all: ReadonlyMap<number, { readonly parent: number }>, roots: Iterable<number>): Set<number> {
  const children = new Map<number, number[]>();
  for (const [pid, { parent }] of all) {
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [pid]); else siblings.push(pid);
  }
  const found = new Set<number>();
  const open = [...roots];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    if (found.has(pid)) continue;
    found.add(pid);
    open.push(...children.get(pid) ?? []);
  }
  return found;
}

/** Parents before children, siblings oldest first. */
export function inOrder<T extends { readonly pid: number; readonly parent: number; readonly startedAt: number }>(members: ReadonlyMap<number, T>): T[] {
  const byAge = [...members.values()].sort((a, b) => a.startedAt - b.startedAt || a.pid - b.pid);
  const children = new Map<number, T[]>();
  const roots: T[] = [];
  for (const one of byAge) {
    if (one.parent === one.pid || !members.has(one.parent)) { roots.push(one); continue; }
    const siblings = children.get(one.parent);
    if (siblings === undefined) children.set(one.parent, [one]); else siblings.push(one);
  }
  const ordered: T[] = [];
  const open = roots.reverse();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    ordered.push(next);
    open.push(...(children.get(next.pid) ?? []).reverse());
  }
  return ordered;
}

/** The process that answers the site's requests: the top-most that is no wrapper; of several the one that was given a port,
 *  then one of a known runtime, then the oldest. Undefined when the site has no process. */
export function workerOf(members: ReadonlyMap<number, Seen>, ours: ReadonlySet<number>): number | undefined {
  const able = new Map([...members].filter(([pid, seen]) => !ours.has(pid) && !seen.scm));
  const tops: Seen[] = [];
  const open = [...able.values()].filter((seen) => !able.has(seen.parent));
  for (let seen = open.pop(); seen !== undefined; seen = open.pop()) {
    if (isWrapper(seen)) open.push(...[...able.values()].filter((child) => child.parent === seen?.pid));
    else tops.push(seen);
  }
  const rank = (seen: Seen): number => (runtimeOf(seen.name) === 'worker' ? 0 : 4) + (seen.serves ? 0 : 2) + (runtimeOf(seen.name) === 'other' ? 1 : 0);
  tops.sort((a, b) => rank(a) - rank(b) || a.startedAt - b.startedAt || a.pid - b.pid);
  return tops[0]?.pid;
}

/** Role of each member, given its worker. */
export function roleOf(seen: Seen, worker: number | undefined, self: ReadonlySet<number>): Role {
  if (self.has(seen.pid)) return 'agent';
  if (seen.scm) return 'scm';
  if (seen.pid === worker) return 'worker';
  return runtimeOf(seen.name);
}
