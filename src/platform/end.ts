// Owns ending a process with its children: asked first, killed later, and never another one than meant.
import { DiagError } from '../shared/errors.ts';
import type { ProcessKey } from '../shared/model.ts';
import { systemClock } from './clock.ts';
import { below, ourOwn } from './roles.ts';

export interface Living { readonly parent: number; readonly startedAt: number }

/** What ending needs of a system. */
export interface Population {
  readonly self: number;
  /** Live processes now; a zombie does not live. */
  everyone(): Promise<ReadonlyMap<number, Living>>;
  /** Start of one process, read this instant; undefined when it does not live. Asked right before every signal: between this and
   *  the signal lie some microseconds in which the process may end; its pid is given out again only after all others were. */
  startOf(pid: number): Promise<number | undefined>;
  /** Where the system has a better way than a signal to a number: ends exactly this process at once, or does nothing when it has ended. @throws PROCESS_DENIED */
  kill?(target: ProcessKey): void;
}

const POLL_MS = 25;
/** After KILL only a process stuck inside the kernel lives on (a dead network share). */
const KILLED_LIMIT_MS = 5_000;

/** Asks target and descendants to end (target first), waits up to `graceMs`, kills the rest with what they started meanwhile.
 *  @throws PROCESS_OURS, PROCESS_REUSED, PROCESS_GONE, PROCESS_DENIED, TIMED_OUT; an abort stops the waiting and kills nobody. */
export async function endTree(population: Population, target: ProcessKey, graceMs: number, signal: AbortSignal): Promise<void> {
  const all = await population.everyone();
  refuseOurs(all, population.self, target.pid);
  const now = all.get(target.pid);
  if (now === undefined) throw new DiagError('PROCESS_GONE', { pid: target.pid });
  refuseReused(target, now.startedAt);
  signal.throwIfAborted();
  const hunted = new Map<number, number>();
  join(hunted, all, target.pid);
  await hunt(population, hunted, { ask: 'SIGTERM', graceMs, what: `process ${target.pid}` }, signal);
}

/** Ends what we started ourselves: these processes with their descendants, asked by the signal that they heed. Those that do not live are passed over. @throws PROCESS_DENIED, TIMED_OUT */
export async function endOwn(population: Population, roots: readonly number[], how: { readonly ask: 'SIGHUP' | 'SIGTERM'; readonly graceMs: number }, signal: AbortSignal): Promise<void> {
  const all = await population.everyone();
  const mine = below(all, roots);
  if (mine.has(population.self)) return;                       // a parent of ours cannot be one that we started: its number is another's by now
  const hunted = new Map([...mine].flatMap((pid) => { const living = all.get(pid); return living === undefined || pid === 1 ? [] : [[pid, living.startedAt] as const]; }));
  await hunt(population, hunted, { ...how, what: `what ${roots[0]} had started` }, signal);
}

async function hunt(population: Population, hunted: Map<number, number>, { ask, graceMs, what }: { readonly ask: Asking; readonly graceMs: number; readonly what: string }, signal: AbortSignal): Promise<void> {
  for (const [pid, startedAt] of hunted) await send(population, { pid, startedAt }, ask);
  if (await gone(population, hunted, graceMs, signal)) return;
  for (const [pid, startedAt] of hunted) await send(population, { pid, startedAt }, 'SIGKILL');
  if (await gone(population, hunted, KILLED_LIMIT_MS, signal)) return;
  throw new DiagError('TIMED_OUT', { what: `The end of ${what} after KILL`, limit: `${KILLED_LIMIT_MS / 1_000} s` });
}

type Asking = 'SIGTERM' | 'SIGHUP';

/** @throws PROCESS_OURS for ourselves, our parents, our children and the first process */
export function refuseOurs(all: ReadonlyMap<number, Living>, self: number, pid: number): void {
  if (ourOwn(all, self).has(pid)) throw new DiagError('PROCESS_OURS', { pid });
}

/** @throws PROCESS_REUSED */
export function refuseReused(target: ProcessKey, startedAt: number): void {
  if (startedAt === target.startedAt) return;
  throw new DiagError('PROCESS_REUSED', { pid: target.pid, startedAt: new Date(startedAt).toISOString(), meant: new Date(target.startedAt).toISOString() });
}

/** Adds the living descendants of everything hunted: a child is still found when its parent has ended in between only if it was known before. */
function join(hunted: Map<number, number>, all: ReadonlyMap<number, Living>, root?: number): void {
  const roots = root === undefined ? [...hunted.keys()].filter((pid) => all.get(pid)?.startedAt === hunted.get(pid)) : [root];
  const family = below(all, roots);
  if (root !== undefined) hunted.set(root, all.get(root)?.startedAt ?? 0);
  for (const pid of family) {
    const living = all.get(pid);
    if (living !== undefined && !hunted.has(pid)) hunted.set(pid, living.startedAt);
  }
}

async function send(population: Population, target: ProcessKey, what: Asking | 'SIGKILL'): Promise<void> {
  if (population.kill !== undefined) { population.kill(target); return; }
  if (await population.startOf(target.pid) !== target.startedAt) return;
  try {
    process.kill(target.pid, what);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ESRCH') return;
    if (code === 'EPERM') throw new DiagError('PROCESS_DENIED', { pid: target.pid, what: 'end', why: 'it belongs to another user' }, { cause: error });
    throw error;
  }
}

async function gone(population: Population, hunted: Map<number, number>, limitMs: number, signal: AbortSignal): Promise<boolean> {
  const until = systemClock.monotonic() + limitMs;
  for (;;) {
    const all = await population.everyone();
    join(hunted, all);
    for (const [pid, startedAt] of hunted) if (all.get(pid)?.startedAt !== startedAt) hunted.delete(pid);
    if (hunted.size === 0) return true;
    if (systemClock.monotonic() >= until) return false;
    await systemClock.wait(POLL_MS, signal);
  }
}
