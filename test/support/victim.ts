// Owns victims: real programs of test/apps, started by a test and steered by lines of JSON.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type Answer = Readonly<Record<string, unknown>>;

export interface VictimOptions {
  /** A file of test/apps; default `victim.mjs`. */
  readonly app?: string;
  readonly args?: readonly string[];
  /** Added to PATH and HOME only: a victim carries no variable of the test run itself. */
  readonly env?: Readonly<Record<string, string>>;
  /** Options of node itself, for example `--inspect=0`. */
  readonly nodeOptions?: readonly string[];
  readonly cwd?: string;
  /** Run by this program instead of this Node. */
  readonly program?: string;
}

export interface Victim {
  readonly pid: number;
  /** Sends `{"do": what, ...how}` and gives the answer `{"did": what, ...}`; fails when the victim ends first. */
  do(what: string, how?: Answer): Promise<Answer>;
  /** Sends without waiting, for commands whose answer comes much later. */
  send(what: string, how?: Answer): void;
  /** The next answer with this `did`. */
  said(did: string): Promise<Answer>;
  /** All lines of stderr so far. */
  stderr(): string;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Ends it however it is; safe to call twice. */
  stop(): Promise<void>;
}

const running = new Set<ChildProcessWithoutNullStreams>();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });

export async function victim(options: VictimOptions = {}): Promise<Victim> {
  const file = fileURLToPath(new URL(`../apps/${options.app ?? 'victim.mjs'}`, import.meta.url));
  const child = spawn(options.program ?? process.execPath, [...options.nodeOptions ?? [], file, ...options.args ?? []], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.env },
    stdio: 'pipe',
    ...options.cwd === undefined ? {} : { cwd: options.cwd },
  });
  running.add(child);
  const made = wrap(child);
  await made.said('start');
  return made;
}

function wrap(child: ChildProcessWithoutNullStreams): Victim {
  let stderr = '';
  const waiting: { did: string; resolve(answer: Answer): void; reject(error: Error): void }[] = [];
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child);
      for (const one of waiting.splice(0)) one.reject(new Error(`the victim ended (${signal ?? code}) before it did ${one.did}: ${stderr.slice(-1000)}`));
      resolve({ code, signal });
    });
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  child.stdin.on('error', () => { /* EPIPE: it ended; `exited` tells */ });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer;
    const at = waiting.findIndex((one) => one.did === answer['did']);
    if (at >= 0) waiting.splice(at, 1)[0]?.resolve(answer);
  });
  const said = (did: string): Promise<Answer> => new Promise((resolve, reject) => {
    if (child.exitCode !== null || child.signalCode !== null) reject(new Error(`the victim has ended, it cannot do ${did}`));
    waiting.push({ did, resolve, reject });
  });
  const send = (what: string, how: Answer = {}): void => { child.stdin.write(`${JSON.stringify({ do: what, ...how })}\n`); };
  return {
    pid: child.pid ?? 0,
    said,
    send,
    do: async (what, how) => { const answer = said(what); send(what, how); return await answer; },
    stderr: () => stderr,
    exited,
    stop: async () => { if (child.exitCode === null && child.signalCode === null) { child.kill('SIGKILL'); child.kill('SIGCONT'); } await exited; },
  };
}
