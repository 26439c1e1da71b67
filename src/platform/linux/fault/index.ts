// Owns the wait for a fault on Linux, from the agent's side: starts the process that waits, hears it, ends it, and checks what it wrote.
import { spawn } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DiagError } from '../../../shared/errors.ts';
import type { ProcessKey } from '../../../shared/model.ts';
import type { DumpResult, FaultEnd, FaultOrder } from '../../platform.ts';
import { checkCore } from '../dump/check-core.ts';
import { startTicks } from '../dump/facts.ts';
import { OUTPUT_LIMIT_BYTES, type FaultCommand, type FaultWord } from './words.ts';

/** Faults of the program itself; their default is to end it. */
const FAULTS: readonly NodeJS.Signals[] = ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGSYS'];
const MAX_STDERR = 2_000;

function program(): readonly string[] {
  const here = fileURLToPath(import.meta.url);
  return here.endsWith('.ts') ? ['--import=tsx', join(dirname(here), 'fault-main.ts')] : [join(dirname(here), 'fault-watch.js')];
}

/** @throws DUMP_FAILED, CANCELLED. The caller has checked whose process it is. */
export async function waitForFault(target: ProcessKey, order: FaultOrder, signal: AbortSignal): Promise<FaultEnd> {
  const { pid } = target;
  const ticks = startTicks(pid);
  if (ticks === undefined) return { happened: 'ended' };
  const part = `${order.file}.part.${pid}`;
  const named = order.signals.map((name) => constants.signals[name]);
  const faults = FAULTS.map((name) => constants.signals[name]);
  const heard = await run({ pid, ticks, file: part, always: [...named, ...order.faults === 'first' ? faults : []], unhandled: order.faults === 'unhandled' ? faults : [], exit: order.exit }, order, signal);
  try {
    if (signal.aborted) throw new DiagError('CANCELLED', { what: `The watch of process ${pid}` });
    const { last, fault } = heard;
    if (last?.say === 'gone' || (last?.say === 'refused' && last.reason === 'gone')) return { happened: 'ended' };
    if (last?.say !== 'done' || fault === undefined) throw new DiagError('DUMP_FAILED', { pid, why: last !== undefined && 'why' in last ? last.why : `the process that waits for a fault ended without a word${heard.stderr === '' ? '' : `: ${heard.stderr}`}` });
    const bytes = await checkCore(pid, part);
    await rename(part, order.file);
    const missing = last.missing.map((what) => `left out: ${what}`);
    const result: DumpResult = { engine: 'stop-and-copy', kind: 'core-dump', bytes, pausedMs: Math.round(last.pausedMs * 10) / 10, ...(missing.length === 0 ? {} : { note: missing.join('; ') }) };
    return { happened: 'dumped', result, says: sayFault(fault) };
  } finally {
    await rm(part, { force: true });
  }
}

interface Heard { readonly last: FaultWord | undefined; readonly fault: Extract<FaultWord, { say: 'fault' }> | undefined; readonly stderr: string }

async function run(command: FaultCommand, order: FaultOrder, signal: AbortSignal): Promise<Heard> {
  // No environment: what the agent or the site puts into NODE_OPTIONS must not run here.
  const child = spawn(process.execPath, [...program(), JSON.stringify(command)], { stdio: ['pipe', 'pipe', 'pipe'], env: {}, shell: false });
  const end = (): void => { child.kill('SIGKILL'); };          // the kernel lets the target go
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr = (stderr + text).slice(-MAX_STDERR); });
  child.stdin.on('error', () => undefined);                    // EPIPE: it has ended, which its exit tells
  const exited = new Promise<void>((resolve) => { child.once('exit', () => { resolve(); }).once('error', (error) => { stderr += error.message; resolve(); }); });
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    return { ...await listen(child.stdout, order, end), stderr: stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '' };
  } finally {
    signal.removeEventListener('abort', end);
    end();
    await exited;
  }
}

async function listen(stdout: NodeJS.ReadableStream, order: FaultOrder, end: () => void): Promise<Pick<Heard, 'last' | 'fault'>> {
  let last: FaultWord | undefined;
  let fault: Heard['fault'];
  let heard = 0;
  for await (const line of createInterface({ input: stdout })) {
    heard += line.length;
    if (heard > OUTPUT_LIMIT_BYTES) { end(); break; }
    const word = JSON.parse(line) as FaultWord;                // our own program's words
    if (word.say === 'progress') order.progress?.(word.bytes, word.ofBytes);
    else if (word.say === 'watching') order.watching?.();
    else if (word.say === 'fault') fault = word;
    else last = word;
  }
  return { last, fault };
}

function sayFault({ signal, exitStatus, tid }: Extract<FaultWord, { say: 'fault' }>): string {
  if (signal !== undefined) return `${signalName(signal)} reached thread ${tid}`;
  const by = (exitStatus ?? 0) & 0x7f;
  return by === 0 ? `the process ends with exit code ${((exitStatus ?? 0) >> 8) & 0xff}` : `the process is ended by ${signalName(by)}`;
}

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;
}
