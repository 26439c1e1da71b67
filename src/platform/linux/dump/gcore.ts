// Owns memory dumps by gcore: a whole core under its final name or nothing, and the target runs on in every case.
import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DiagError } from '../../../shared/errors.ts';
import type { ProcessKey } from '../../../shared/model.ts';
import { systemClock } from '../../clock.ts';
import type { Env } from '../../identity.ts';
import type { DumpResult } from '../../platform.ts';
import { lastLine, run } from '../../run.ts';
import { readText } from '../read.ts';
import { checkCore } from './check-core.ts';

/** gcore needs 1 to 7 s per GiB; a process of 30 GiB on a slow disk stays inside. */
const LIMIT_MS = 10 * 60_000;
const OUTPUT_BYTES = 256 * 1024;
/** How finely the stop is measured. */
const WATCH_EVERY_MS = 5;
/** After gdb is gone the kernel lets the target run at once; what is still stopped then was left so by a signal. */
const LET_GO_LIMIT_MS = 2_000;
/** A core holds the secrets of the app. */
const OWNER_ONLY = 0o600;
/** State letter of a process now, undefined when it is gone or another one has its pid. */
export type StateOf = (target: ProcessKey) => string | undefined;

/** @throws DUMP_FAILED, CANCELLED; `gcore` is the program's absolute path. The caller has checked whose process it is. */
export async function dumpCore(gcore: string, env: Env, stateOf: StateOf, target: ProcessKey, file: string, signal: AbortSignal): Promise<DumpResult> {
  const folder = dirname(file);
  const prefix = `${basename(file)}.part`;
  const part = join(folder, `${prefix}.${target.pid}`);
  const before = stateOf(target);
  const watch = watchStop(stateOf, target);
  try {
    // gdb makes its file readable for everyone; into an empty one that is there it writes without changing whose it is.
    await writeFile(part, '', { mode: OWNER_ONLY, flag: 'wx' });
    await runGcore(gcore, env, folder, prefix, target.pid, signal);
    const { pausedMs } = await watch.end();
    const bytes = await checkCore(target.pid, part);
    signal.throwIfAborted();
    await chmod(part, OWNER_ONLY);
    await rename(part, file);
    return { engine: 'gcore', kind: 'core-dump', bytes, ...(pausedMs === undefined ? {} : { pausedMs }) };
  } catch (error) {
    await rm(part, { force: true });
    if (signal.aborted) throw new DiagError('CANCELLED', { what: `The dump of process ${target.pid}` }, { cause: error });
    throw error;
  } finally {
    await watch.end();
    if (before !== 'T') await letGo(stateOf, target);
  }
}

async function runGcore(gcore: string, env: Env, cwd: string, prefix: string, pid: number, signal: AbortSignal): Promise<void> {
  let ran;
  try {
    // The file is named relative to its folder, so that no folder's name becomes part of a debugger command.
    ran = await run(gcore, ['-o', `./${prefix}`, String(pid)], { signal, limitMs: LIMIT_MS, maxOutputBytes: OUTPUT_BYTES, cwd, env: { PATH: env['PATH'], HOME: cwd, LC_ALL: 'C' } });
  } catch (error) {
    throw new DiagError('DUMP_FAILED', { pid, why: error instanceof Error ? error.message : String(error) }, { cause: error });
  }
  const refused = /ptrace: (.+?)\.?$/m.exec(`${ran.stderr}\n${ran.stdout}`)?.[1];
  if (refused !== undefined) throw new DiagError('DUMP_FAILED', { pid, why: `the debugger could not attach (${refused})` });
  if (ran.exitCode !== 0) throw new DiagError('DUMP_FAILED', { pid, why: lastLine(ran.stderr) ?? lastLine(ran.stdout) ?? `gcore ended with ${ran.exitCode}` });
}

interface Watch { end(): Promise<{ readonly pausedMs: number | undefined }> }

/** Looks from outside at the state of the target's main thread; gdb stops all threads together. Paused = from the first look that found it stopped to the last, right to ±5 ms at each end. */
function watchStop(stateOf: StateOf, target: ProcessKey): Watch {
  const over = new AbortController();
  let first: number | undefined;
  let last: number | undefined;
  const watching = (async () => {
    while (!over.signal.aborted) {
      const state = stateOf(target);
      if (state === 't' || state === 'T') {
        last = systemClock.monotonic();
        first ??= last;
      }
      await wait(WATCH_EVERY_MS, over.signal);
    }
  })();
  return {
    end: async () => {
      over.abort();
      await watching;
      return { pausedMs: first === undefined || last === undefined ? undefined : Math.round(last - first) };
    },
  };
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await systemClock.wait(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** A debugger that was killed while it attached may leave its SIGSTOP behind. What another tracer holds is not ours to let go. @throws DUMP_FAILED when the target stays stopped */
async function letGo(stateOf: StateOf, target: ProcessKey): Promise<void> {
  const until = systemClock.monotonic() + LET_GO_LIMIT_MS;
  for (let state = stateOf(target); state === 't' || state === 'T'; state = stateOf(target)) {
    if (state === 't' && isTraced(target.pid)) return;
    if (state === 'T') process.kill(target.pid, 'SIGCONT');
    if (systemClock.monotonic() > until) throw new DiagError('DUMP_FAILED', { pid: target.pid, why: 'it is still stopped after the debugger has gone; another debugger may hold it' });
    await systemClock.wait(WATCH_EVERY_MS, AbortSignal.timeout(LET_GO_LIMIT_MS));
  }
}

const isTraced = (pid: number): boolean => !/^TracerPid:\s+0$/m.test(readText(`/proc/${pid}/status`) ?? 'TracerPid: 0');
