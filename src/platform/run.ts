// Owns running other programs: arguments as a list, never a shell, a time limit, an output limit, and the whole tree ends with them.
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { DiagError } from '../shared/errors.ts';
import { bytes, duration } from '../shared/units.ts';

export interface RunOptions {
  readonly signal: AbortSignal;
  readonly limitMs: number;
  /** Of stdout and stderr together; a program that writes more is ended. */
  readonly maxOutputBytes: number;
  readonly cwd?: string;
  /** The whole environment of the program; default: ours. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Ran { readonly stdout: string; readonly stderr: string; readonly exitCode: number }

/** From the polite signal to the final one. A debugger needs this time to let its target go. */
const GRACE_MS = 500;
/** A grandchild that left our group may hold the pipes open after the end; we do not wait longer for its words. */
const LAST_WORDS_MS = 200;

/** Runs a program to its end and returns what it wrote and its exit code, whatever that is.
 *  @throws PROGRAM_FAILED when it cannot start, dies by a signal or floods; TIMED_OUT; CANCELLED. When this settles, the program and its group are gone. */
export async function run(program: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  if (options.signal.aborted) throw new DiagError('CANCELLED', { what: program });
  // Its own group (detached), so that its children can be ended with it.
  const child = spawn(program, args, { detached: true, shell: false, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true, ...options.cwd === undefined ? {} : { cwd: options.cwd }, ...options.env === undefined ? {} : { env: { ...options.env } } });
  const output = collect(child, options.maxOutputBytes);
  const over = new AbortController();
  try {
    const end = ended(child);
    const stop = await Promise.race([
      end,
      output.flooded,
      ticking(options.limitMs, over.signal).then((): Stop => 'late'),
      aborted(options.signal, over.signal).then((): Stop => 'cancelled'),
    ]);
    if (typeof stop === 'string') await endGroup(child, end);
    const last = await end;
    await Promise.race([output.closed, ticking(LAST_WORDS_MS, over.signal)]);
    return judge(program, stop, last, output, options);
  } finally {
    over.abort();
    // Left-behind members of the group: it is still ours as long as one of them lives.
    signalGroup(child, 'SIGKILL');
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

type Stop = 'late' | 'cancelled' | 'flooded';
interface End { readonly exitCode: number | null; readonly signal: string | null; readonly error?: Error }

function ended(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once('error', (error) => { resolve({ exitCode: null, signal: null, error }); });
    child.once('exit', (exitCode, signal) => { resolve({ exitCode, signal }); });
  });
}

interface Output { readonly flooded: Promise<Stop>; readonly closed: Promise<void>; stdout(): string; stderr(): string }

function collect(child: ChildProcess, maxOutputBytes: number): Output {
  const parts: { out: Buffer[]; err: Buffer[] } = { out: [], err: [] };
  let kept = 0;
  let flood: (stop: Stop) => void = () => undefined;
  const flooded = new Promise<Stop>((resolve) => { flood = resolve; });
  const take = (into: Buffer[]) => (chunk: Buffer): void => {
    const room = maxOutputBytes - kept;
    if (chunk.length > room) flood('flooded');
    if (room > 0) into.push(chunk.subarray(0, room));
    kept += Math.min(chunk.length, Math.max(0, room));
  };
  child.stdout?.on('data', take(parts.out));
  child.stderr?.on('data', take(parts.err));
  const closed = new Promise<void>((resolve) => { child.once('close', () => { resolve(); }); });
  return { flooded, closed, stdout: () => Buffer.concat(parts.out).toString('utf8'), stderr: () => Buffer.concat(parts.err).toString('utf8') };
}

/** Resolves after ms, or when `over` aborts; never keeps the process alive for itself. */
async function ticking(ms: number, over: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal: over });
  } catch (error) {
    if (!over.aborted) throw error;
  }
}

function aborted(signal: AbortSignal, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => { resolve(); }, { once: true, signal: over });
  });
}

async function endGroup(child: ChildProcess, end: Promise<End>): Promise<void> {
  signalGroup(child, 'SIGTERM');
  const patience = new AbortController();
  await Promise.race([end, ticking(GRACE_MS, patience.signal)]);
  patience.abort();
  signalGroup(child, 'SIGKILL');
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody of the group lives, or the system has no groups (Windows says ESRCH too): what is left is the program alone; Node does nothing when it has ended.
    child.kill(signal);
  }
}

function judge(program: string, stop: Stop | End, end: End, output: Output, options: RunOptions): Ran {
  if (stop === 'late') throw new DiagError('TIMED_OUT', { what: program, limit: duration(options.limitMs) });
  if (stop === 'cancelled') throw new DiagError('CANCELLED', { what: program });
  if (stop === 'flooded') throw new DiagError('PROGRAM_FAILED', { program, end: 'our signal', why: `it wrote more than ${bytes(options.maxOutputBytes)}` });
  if (end.error !== undefined) throw new DiagError('PROGRAM_FAILED', { program, end: 'no start', why: end.error.message }, { cause: end.error });
  if (end.exitCode === null) throw new DiagError('PROGRAM_FAILED', { program, end: String(end.signal), why: lastLine(output.stderr()) });
  return { stdout: output.stdout(), stderr: output.stderr(), exitCode: end.exitCode };
}

/** The last words of a program, for people; undefined when it said nothing. */
export function lastLine(text: string): string | undefined {
  return text.trimEnd().split('\n').at(-1)?.trim().slice(0, 300) || undefined;
}
