// Owns victims: real programs of test/apps, started by a test and steered by lines of JSON.
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { startOf } from './alive.ts';

export type Answer = Readonly<Record<string, unknown>>;

export interface VictimOptions {
  /** A file of test/apps; default `victim.mjs`. */
  readonly app?: string;
  readonly args?: readonly string[];
  /** Added to PATH and HOME only: a victim carries no variable of the test run itself. */
  readonly env?: Readonly<Record<string, string>>;
  /** Options of node itself. Give `--inspect-port=0` where a diagnostic report is taken: tests that run at the same time would fight for the one default port. */
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
  /** All of stderr so far. */
  stderr(): string;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Ends it however it is; safe to call twice. */
  stop(): Promise<void>;
}

/** A child of ours would be one of the agent's own and no target. So a subshell that outlives its parent starts the victim, waits for it and
 *  tells its pid and its end on descriptor 3; the victim's stdin is descriptor 4: when the test dies, it closes and the victim ends. */
const KEEPER = '( env "$@" <&4 3>&- 4<&- & echo $! >&3; exec 4<&- ; wait $!; echo $? >&3 ) &';

const running = new Set<number>();
/** A child that a victim told of: a killed victim cannot end it. */
interface Born { readonly pid: number; readonly start: string | undefined }
const children = new Set<Born>();
process.on('exit', () => {
  for (const pid of running) kill(pid);
  endChildren(children);
});

/** Starts a victim and waits for its first word. It is nobody's child in the sense of the agent, so it can be a target. */
export async function victim(options: VictimOptions = {}): Promise<Victim> {
  const file = fileURLToPath(new URL(`../apps/${options.app ?? 'victim.mjs'}`, import.meta.url));
  const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
  const variables = Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`);
  const command = [...variables, options.program ?? process.execPath, ...options.nodeOptions ?? [], file, ...options.args ?? []];
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'sh', ...command], { env, stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'], ...options.cwd === undefined ? {} : { cwd: options.cwd } });
  const told = createInterface({ input: keeper.stdio[3] as Readable })[Symbol.asyncIterator]();
  const pid = Number((await told.next()).value);
  running.add(pid);
  const made = wrap(keeper, pid, told);
  await made.said('start');
  return made;
}

type End = Awaited<Victim['exited']>;

function wrap(keeper: ChildProcess, pid: number, told: AsyncIterator<string>): Victim {
  let stderr = '';
  let ended: End | undefined;
  const born: Born[] = [];
  const waiting: { did: string; resolve(answer: Answer): void; reject(error: Error): void }[] = [];
  const exited = (async (): Promise<End> => {
    ended = endOf(Number((await told.next()).value));
    running.delete(pid);
    for (const one of waiting.splice(0)) one.reject(new Error(`the victim ended (${ended.signal ?? ended.code}) before it did ${one.did}: ${stderr.slice(-1000)}`));
    return ended;
  })();
  const stdin = keeper.stdio[4] as Writable;
  stdin.on('error', () => { /* EPIPE: it ended; `exited` tells */ });
  keeper.stderr?.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  createInterface({ input: keeper.stdout as Readable }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer;
    if (answer['did'] === 'spawn-child') born.push({ pid: Number(answer['pid']), start: startOf(Number(answer['pid'])) });
    for (const child of born) children.add(child);
    const at = waiting.findIndex((one) => one.did === answer['did']);
    if (at >= 0) waiting.splice(at, 1)[0]?.resolve(answer);
  });
  const said = (did: string): Promise<Answer> => new Promise((resolve, reject) => {
    if (ended !== undefined) reject(new Error(`the victim has ended, it cannot do ${did}`));
    else waiting.push({ did, resolve, reject });
  });
  const send = (what: string, how: Answer = {}): void => { stdin.write(`${JSON.stringify({ do: what, ...how })}\n`); };
  return {
    pid, said, send, exited,
    do: async (what, how) => { const answer = said(what); send(what, how); return await answer; },
    stderr: () => stderr,
    stop: async () => { if (ended === undefined) kill(pid); await exited; endChildren(born); },
  };
}

/** A shell gives the death by signal n as 128 + n. */
function endOf(status: number): End {
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  return signal === undefined ? { code: status, signal: null } : { code: null, signal };
}

function endChildren(born: Iterable<Born>): void {
  for (const child of born) {
    if (child.start !== undefined && startOf(child.pid) === child.start) kill(child.pid);
    children.delete(child);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
