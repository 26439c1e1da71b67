// Owns the agent's side of our own dump writer: starts its process, listens to its words, ends it, and has put back what a killed one left.
import { spawn, type ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { OUTPUT_LIMIT_BYTES } from './helper-words.ts';
import type { Order, Word } from './helper-words.ts';

/** After its stdin has ended the process lets the target go and removes the file; it looks between pieces of 4 MiB. */
const CANCEL_LIMIT_MS = 5_000;
/** A recovery looks at a few threads of the target. */
const RECOVER_LIMIT_MS = 10_000;

export type Progress = (doneBytes: number, ofBytes: number) => void;
export type Ended = Extract<Word, { say: 'done' | 'refused' | 'cancelled' | 'failed' }>;

/** No garbage collection of the writer's own in the pause: room for what the pause makes, and a way to collect before it. */
const FLAGS = ['--expose-gc', '--max-semi-space-size=64'];

/** Path of the process's program: beside the built agent, or the source itself. */
function program(): readonly string[] {
  const here = fileURLToPath(import.meta.url);
  return here.endsWith('.ts') ? ['--import=tsx', join(dirname(here), 'helper-main.ts')] : [join(dirname(here), 'dump-helper.js')];
}

/** Runs one order; when this settles the process is gone, and the target is as it was, or the answer says what is not. `node` are the arguments with which Node runs the program. */
export async function runOwnWriter(order: Order, signal: AbortSignal, progress: Progress, node: readonly string[] = program()): Promise<Ended> {
  const ran = await runOnce(order, signal, progress, node);
  if (ran.ended !== undefined) return ran.ended;
  const killed: Ended = signal.aborted ? { say: 'cancelled' } : { say: 'failed', why: `the dump writer ended without a word (${ran.how})${ran.stderr === '' ? '' : `: ${ran.stderr}`}` };
  // The target runs: the kernel lets it go when its tracer dies, and our code inside it needs nobody. Only traces are left.
  if (ran.journal === undefined || order.mode === 'recover') return killed;
  const recovered = await runOnce({ mode: 'recover', pid: order.pid, ticks: order.ticks, stubAt: ran.journal.stubAt, original: ran.journal.original, sinceTicks: ran.journal.sinceTicks, had: ran.journal.had }, AbortSignal.timeout(RECOVER_LIMIT_MS), () => undefined, node);
  if (recovered.ended?.say === 'done' && recovered.ended.left.length > 0 && killed.say === 'failed') return { ...killed, why: `${killed.why}; ${recovered.ended.left.join('; ')}` };
  return killed;
}

interface RunOf { readonly ended: Ended | undefined; readonly journal: Extract<Word, { say: 'journal' }> | undefined; readonly how: string; readonly stderr: string }

async function runOnce(order: Order, signal: AbortSignal, progress: Progress, node: readonly string[]): Promise<RunOf> {
  // No environment: what the agent or the site puts into NODE_OPTIONS must not run here.
  const child = spawn(process.execPath, [...FLAGS, ...node, JSON.stringify(order)], { stdio: ['pipe', 'pipe', 'pipe'], env: {}, shell: false });
  const cancel = (): void => { child.stdin.destroy(); };
  child.stdin.on('error', () => undefined);                    // EPIPE: it has ended already, which its exit tells
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  const patience = new AbortController();
  try {
    const stderr = lastWords(child);
    const exit = exitOf(child);
    void endLate(child, signal, patience.signal);
    const { ended, journal } = await listen(child, progress);
    return { ended, journal, how: await exit, stderr: stderr() };
  } finally {
    signal.removeEventListener('abort', cancel);
    patience.abort();
    child.kill('SIGKILL');
  }
}

/** A cancelled process that does not end in time is killed. */
async function endLate(child: ChildProcess, signal: AbortSignal, over: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => { resolve(); }, { once: true, signal: over });
    over.addEventListener('abort', () => { resolve(); }, { once: true });
  });
  if (over.aborted) return;
  const timer = setTimeout(() => { child.kill('SIGKILL'); }, CANCEL_LIMIT_MS);
  over.addEventListener('abort', () => { clearTimeout(timer); }, { once: true });
}

async function listen(child: ChildProcess, progress: Progress): Promise<Pick<RunOf, 'ended' | 'journal'>> {
  let ended: Ended | undefined;
  let journal: RunOf['journal'];
  let heard = 0;
  if (child.stdout === null) return { ended, journal };
  for await (const line of createInterface({ input: child.stdout })) {
    heard += line.length;
    if (heard > OUTPUT_LIMIT_BYTES) { child.kill('SIGKILL'); break; }
    const word = JSON.parse(line) as Word;                     // our own program's words
    if (word.say === 'progress') progress(word.bytes, word.ofBytes);
    else if (word.say === 'journal') journal = word;
    else ended = word;
  }
  return { ended, journal };
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => { resolve(error.message); });
    child.once('exit', (code, signal) => { resolve(signal ?? `exit code ${code}`); });
  });
}

const MAX_STDERR = 2_000;
function lastWords(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => { text = (text + piece).slice(-MAX_STDERR); });
  return () => text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
}
