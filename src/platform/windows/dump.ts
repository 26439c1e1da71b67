// Owns minidumps: an engine that works here, a whole file under its final name or nothing, and the target runs on in every case.
import { existsSync } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { DiagError, sayError } from '../../shared/errors.ts';
import type { Offer, ProcessInfo, ProcessKey } from '../../shared/model.ts';
import { systemClock } from '../clock.ts';
import type { Env } from '../identity.ts';
import { ENTRY_BYTES, HEADER_BYTES, memoryEnd, memoryList, parseDirectory, parseHeader } from '../parse/minidump.ts';
import type { DumpKind, DumpResult } from '../platform.ts';
import { lastLine, run } from '../run.ts';
import type { DumpAnswer, DumpOrder } from './dump-words.ts';
import { findProcdump, type Procdump } from './procdump.ts';

export const DUMP_KINDS: readonly DumpKind[] = ['full', 'mini-plus', 'mini'];

/** A full dump of 30 GiB on a slow disk stays inside. */
const LIMIT_MS = 10 * 60_000;
const OUTPUT_BYTES = 256 * 1024;
/** Lists of memory ranges beyond this are not checked: 16 MB are a million ranges. */
const CHECKED_LIST_BYTES = 16 * 1024 * 1024;

/** Puts the threads of a process back to how often each was stopped before, after a debugger that did not. */
export interface Threads { stops(target: ProcessKey): ReadonlyMap<number, number>; letGo(target: ProcessKey, before: ReadonlyMap<number, number>): Promise<void> }

/** Built beside the program's own entry. */
const PROGRAM = fileURLToPath(new URL('windows-dump.js', import.meta.url));

export function dumpOffer(env: Env): Offer {
  if (existsSync(PROGRAM) || findProcdump(env, 64) !== undefined) return { yes: true };
  return { yes: false, because: `the program that writes dumps is missing (${PROGRAM})` };
}

export interface DumpRequest {
  readonly target: ProcessInfo;
  readonly kind: DumpKind;
  readonly file: string;
  readonly env: Env;
  readonly threads: Threads;
  /** Ours, where it lies elsewhere than beside the agent's entry. */
  readonly program?: string;
}

/** @throws DUMP_FAILED, PROCESS_GONE, CANCELLED. The caller has checked whose process it is. */
export async function takeMinidump(request: DumpRequest, signal: AbortSignal): Promise<DumpResult> {
  const { target, file } = request;
  // ProcDump adds the ending where it is missing, so the unfinished file has it too.
  const part = `${file}.part.dmp`;
  const failures: string[] = [];
  try {
    for (const engine of enginesFor(request)) {
      try {
        const made = await engine(request, part, signal);
        const bytes = await checkDump(target.pid, part);
        signal.throwIfAborted();
        await rename(part, file);
        const note = [...failures, ...(made.note === undefined ? [] : [made.note])].join('; ');
        return { engine: made.engine, kind: 'minidump', bytes, ...(made.pausedMs === undefined ? {} : { pausedMs: made.pausedMs }), ...(note === '' ? {} : { note }) };
      } catch (error) {
        if (signal.aborted || (error instanceof DiagError && error.code === 'PROCESS_GONE')) throw error;
        failures.push(sayError(error));
      }
    }
    throw new DiagError('DUMP_FAILED', { pid: target.pid, why: failures.join('; ') || 'no program here writes dumps' });
  } catch (error) {
    if (signal.aborted) throw new DiagError('CANCELLED', { what: `The dump of process ${target.pid}` }, { cause: error });
    throw error;
  } finally {
    await removePart(part);
  }
}

interface Made { readonly engine: string; readonly pausedMs?: number; readonly note?: string }
type Engine = (request: DumpRequest, part: string, signal: AbortSignal) => Promise<Made>;

/** Of a 32-bit process ProcDump's own 32-bit program makes the better dump: ours shows it as the emulation that it runs in. */
function enginesFor({ target, env, program = PROGRAM }: DumpRequest): Engine[] {
  const procdump = findProcdump(env, target.bits ?? 64);
  const engines: Engine[] = [];
  if (existsSync(program)) engines.push(ours);
  if (procdump !== undefined) engines.push(byProcdump(procdump));
  return target.bits === 32 ? engines.reverse() : engines;
}

/** A program that has just been ended may still hold its file for a moment. */
async function removePart(part: string): Promise<void> { await rm(part, { force: true, maxRetries: 10, retryDelay: 50 }); }

const ours: Engine = async ({ target, kind, env, threads, program = PROGRAM }, part, signal) => {
  const order: DumpOrder = { pid: target.pid, startedAt: target.startedAt, kind, file: part, clone: kind === 'full' };
  const { done } = await ended(threads, target, async () => answerOf(await run(process.execPath, [program, JSON.stringify(order)], { signal, limitMs: LIMIT_MS, maxOutputBytes: OUTPUT_BYTES, env: plainEnv(env) }), target));
  const bitness = target.bits === 32 ? ['a 32-bit process, dumped as the emulation that it runs in'] : [];
  const note = [...(done.cloned || done.why === undefined || kind !== 'full' ? [] : [`no clone: ${done.why}`]), ...bitness].join('; ');
  return { engine: done.cloned ? 'MiniDumpWriteDump of a clone' : 'MiniDumpWriteDump', pausedMs: done.pausedMs, ...(note === '' ? {} : { note }) };
};

/** Options for Node in our own environment, such as a preload, are not meant for it. */
function plainEnv(env: Env): Record<string, string | undefined> {
  return Object.fromEntries(['SystemRoot', 'SystemDrive', 'windir', 'TEMP', 'TMP', 'PATH', '_NT_SYMBOL_PATH'].map((name) => [name, env[name]]));
}

function answerOf(ran: { readonly stdout: string; readonly stderr: string; readonly exitCode: number }, target: ProcessKey): Extract<DumpAnswer, { done: unknown }> {
  const line = lastLine(ran.stdout);
  const answer = line === undefined ? undefined : JSON.parse(line) as DumpAnswer;
  if (answer === undefined) throw new Error(lastLine(ran.stderr) ?? `the program that writes dumps ended with ${ran.exitCode} and said nothing`);
  if ('done' in answer) return answer;
  if (answer.gone === true) throw new DiagError('PROCESS_GONE', { pid: target.pid });
  throw new Error(answer.failed);
}

function byProcdump(procdump: Procdump): Engine {
  return async ({ target, kind, env, threads }, part, signal) => {
    const from = systemClock.monotonic();
    // Its exit code says nothing: the file does, and it is looked at in any case.
    const ran = await ended(threads, target, () => run(procdump.path, procdump.args(target.pid, kind, part), { signal, limitMs: LIMIT_MS, maxOutputBytes: OUTPUT_BYTES, env: plainEnv(env) }));
    if (!existsSync(part)) throw new Error(`${procdump.name} wrote no file: ${lastLine(ran.stderr) ?? lastLine(ran.stdout) ?? `it ended with ${ran.exitCode}`}`);
    return { engine: procdump.name, note: `the pause is at most ${Math.round(systemClock.monotonic() - from)} ms, the time that ${procdump.name} ran` };
  };
}

/** A program that is ended in the middle leaves the target's threads stopped. */
async function ended<T>(threads: Threads, target: ProcessKey, work: () => Promise<T>): Promise<T> {
  const before = threads.stops(target);
  try {
    return await work();
  } catch (error) {
    await threads.letGo(target, before);
    throw error;
  }
}

/** Size of the file when it is a whole minidump. @throws Error with what is wrong */
export async function checkDump(pid: number, path: string): Promise<number> {
  const { size } = await stat(path).catch((error: unknown) => { throw new Error(`no dump of process ${pid} was written`, { cause: error }); });
  const file = await open(path, 'r');
  const read = async (bytes: number, at: number): Promise<Buffer> => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, at);
    return buffer.subarray(0, bytesRead);
  };
  try {
    const directory = whole(parseHeader(await read(HEADER_BYTES, 0)));
    const streams = whole(parseDirectory(await read(directory.streams * ENTRY_BYTES, directory.at), size));
    const list = memoryList(streams);
    if (list !== undefined && list.bytes <= CHECKED_LIST_BYTES) {
      const end = whole(memoryEnd(await read(list.bytes, list.at)));
      if (end > size) throw new Error(`the dump is cut: ${size} of ${end} bytes are there; the disk may be full`);
    }
    return size;
  } finally {
    await file.close();
  }
}

function whole<T>(parsed: T | string): T {
  if (typeof parsed === 'string') throw new Error(`the file is not a whole minidump: ${parsed}`);
  return parsed;
}
