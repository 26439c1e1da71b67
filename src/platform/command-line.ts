// Owns running a command line of the user's own through the system's shell: as long as it writes or works, bounded in what is kept, and ended with all that it started.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Clock } from './clock.ts';
import { KeptText } from './kept-text.ts';
import type { Platform } from './platform.ts';
import { below } from './roles.ts';

/** The one place where a shell reads a text: whoever calls this has the user's authority to do whatever that text says. */
export interface CommandOrder {
  readonly command: string;
  readonly cwd: string;
  /** The whole environment of the command. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Without output and without work for so long, it is ended. */
  readonly idleMs: number;
  /** Kept of each of its two outputs: the first part, and the last. */
  readonly headBytes: number;
  readonly tailBytes: number;
  readonly signal: AbortSignal;
}

export interface CommandEnd {
  readonly output: string;
  readonly error: string;
  readonly lostBytes: number;
  /** Absent: it never started, or a signal ended it. */
  readonly exitCode?: number;
  readonly how: 'exit' | 'idle' | 'cancelled' | 'no-start';
  readonly why?: string;
}

type Doors = Pick<Platform, 'processes' | 'usage' | 'clock'>;

/** From the polite signal to the final one. */
const GRACE_MS = 500;
/** A program that left our group may hold the pipes open after the end; we do not wait longer for its words. */
const LAST_WORDS_MS = 300;
/** Work is looked for this often within the time that a command may be idle. */
const LOOKS = 12;
const MAX_LOOK_MS = 5_000;

/** Never throws for what the command does; when this resolves, it and what it started are gone. */
export async function runCommandLine(order: CommandOrder, doors: Doors): Promise<CommandEnd> {
  const out = new KeptText(order.headBytes, order.tailBytes);
  const err = new KeptText(order.headBytes, order.tailBytes);
  let child: ChildProcess;
  try {
    child = start(order);
  } catch (error) {
    return { output: '', error: '', lostBytes: 0, how: 'no-start', why: error instanceof Error ? error.message : String(error) };
  }
  const watch = { at: doors.clock.monotonic() };
  const take = (into: KeptText) => (chunk: Buffer): void => { watch.at = doors.clock.monotonic(); into.take(chunk); };
  child.stdout?.on('data', take(out));
  child.stderr?.on('data', take(err));
  const over = new AbortController();
  const end = ended(child);
  const closed = new Promise<void>((resolve) => { child.once('close', () => { resolve(); }); });
  try {
    const how = await Promise.race([end, idle(child, order, doors, watch, over.signal), aborted(order.signal, over.signal)]);
    if (typeof how === 'string') await endFamily(child, end, doors);
    const last = await end;
    await Promise.race([closed, pause(doors.clock, LAST_WORDS_MS, over.signal)]);
    const said = { output: out.text(), error: err.text(), lostBytes: out.lostBytes + err.lostBytes };
    if (last.error !== undefined) return { ...said, how: 'no-start', why: last.error.message };
    return { ...said, how: typeof how === 'string' ? how : 'exit', ...(last.exitCode === null ? { why: `it was ended by ${last.signal}` } : { exitCode: last.exitCode }) };
  } finally {
    over.abort();
    await leaveNothing(child, doors);
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

/** Windows: `cmd /c` takes the text as it is, quotes and all. Elsewhere bash, where there is one. */
function start({ command, cwd, env }: CommandOrder): ChildProcess {
  const options = { cwd, env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'], shell: false, windowsHide: true };
  if (process.platform === 'win32') return spawn(env['ComSpec'] ?? env['COMSPEC'] ?? 'cmd.exe', ['/d', '/s', '/c', `"${command}"`], { ...options, windowsVerbatimArguments: true });
  // Its own group, so that what it leaves behind can be ended with it.
  return spawn(existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh', ['-c', command], { ...options, detached: true });
}

interface End { readonly exitCode: number | null; readonly signal: string | null; readonly error?: Error }

function ended(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once('error', (error) => { resolve({ exitCode: null, signal: null, error }); });
    child.once('exit', (exitCode, signal) => { resolve({ exitCode, signal }); });
  });
}

/** Resolves when there was neither output nor work for as long as is allowed; never when `over` aborts first. */
async function idle(child: ChildProcess, { idleMs }: CommandOrder, doors: Doors, watch: { at: number }, over: AbortSignal): Promise<'idle'> {
  let worked = await cpuOf(child, doors, over);
  for (;;) {
    await pause(doors.clock, Math.min(MAX_LOOK_MS, Math.ceil(idleMs / LOOKS)), over);
    if (over.aborted) return await new Promise<never>(() => undefined);
    const now = await cpuOf(child, doors, over);
    if (now !== worked) { worked = now; watch.at = doors.clock.monotonic(); }
    if (doors.clock.monotonic() - watch.at >= idleMs) return 'idle';
  }
}

/** CPU time of the command and all that it started, as far as the system tells. */
async function cpuOf(child: ChildProcess, doors: Doors, signal: AbortSignal): Promise<number> {
  try {
    const usage = await doors.usage(await familyOf(child, doors, signal), signal);
    return [...usage.values()].reduce((sum, one) => sum + one.cpuMs, 0);
  } catch (error) {
    if (signal.aborted) return 0;
    throw error;
  }
}

async function familyOf({ pid }: ChildProcess, { processes }: Doors, signal: AbortSignal): Promise<number[]> {
  if (pid === undefined) return [];
  const all = await processes(signal);
  return [...below(new Map(all.map((one) => [one.pid, { parent: one.parent ?? 0 }])), [pid])];
}

async function endFamily(child: ChildProcess, end: Promise<End>, doors: Doors): Promise<void> {
  const family = await familyOf(child, doors, NEVER);          // asked while the parents still stand between
  signalGroup(child, 'SIGTERM');
  const patience = new AbortController();
  await Promise.race([end, pause(doors.clock, GRACE_MS, patience.signal)]);
  patience.abort();
  signalGroup(child, 'SIGKILL');
  for (const pid of family) signalOne(pid);
}

/** Members of the group that outlived the shell. Where there are no groups (Windows), children whose parent has gone are not found any more. */
async function leaveNothing(child: ChildProcess, doors: Doors): Promise<void> {
  const family = await familyOf(child, doors, NEVER);
  signalGroup(child, 'SIGKILL');
  for (const pid of family) if (pid !== child.pid) signalOne(pid);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);                                        // nobody of the group lives, or the system has none; Node does nothing when it has ended
  }
}

function signalOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

const NEVER = new AbortController().signal;

async function pause(clock: Clock, ms: number, over: AbortSignal): Promise<void> {
  try {
    await clock.wait(ms, over);
  } catch (error) {
    if (!over.aborted) throw error;
  }
}

function aborted(signal: AbortSignal, over: AbortSignal): Promise<'cancelled'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('cancelled');
    signal.addEventListener('abort', () => { resolve('cancelled'); }, { once: true, signal: over });
  });
}
