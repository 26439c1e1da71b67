// Owns what the tests of the command share: the built program as a child with its streams, on a pty too, and an agent that listens.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { listen } from '../../src/server/listen.ts';
import { agentUnderTest, TOKEN, type AgentUnderTest } from '../support/agent.ts';
import { waitFor } from '../support/wait.ts';

export const ROOT = resolve(import.meta.dirname, '../..');
export const CLI = join(ROOT, 'dist/cli.js');

export interface Ran { readonly code: number | null; readonly signal: string | null; readonly stdout: string; readonly stderr: string }
export interface Started {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  readonly ended: Promise<Ran>;
}

/** Variables of the test run that would change what the command does. */
const OURS = /^(DIAG_|PORT$|WEBSITE_|IISNODE_|NO_COLOR$|FORCE_COLOR$|NODE_)/;
function environment(more: Record<string, string>): NodeJS.ProcessEnv {
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OURS.test(name))), TERM: 'xterm', ...more };
}

/** Any program, its streams kept; without `input` it has none. */
export function startProgram(program: string, args: readonly string[], env: Record<string, string> = {}, cwd?: string, input: 'ignore' | 'pipe' = 'ignore'): Started {
  const child = spawn(program, args, { env: environment(env), stdio: [input, 'pipe', 'pipe'], ...(cwd === undefined ? {} : { cwd }) });
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  const ended = new Promise<Ran>((done, failed) => {
    child.on('error', failed);
    child.on('close', (code, signal) => { done({ code, signal, stdout, stderr }); });
  });
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

export function start(args: readonly string[], env: Record<string, string> = {}, cwd?: string): Started {
  return startProgram(process.execPath, [CLI, ...args], env, cwd);
}

/** Runs the built command to its end. */
export function diag(args: readonly string[], env: Record<string, string> = {}, cwd?: string): Promise<Ran> {
  return start(args, env, cwd).ended;
}

const SCRIPT = '/usr/bin/script';
/** Why tests on a terminal are skipped; undefined = they are not. */
export const noTerminal = existsSync(SCRIPT) ? undefined : 'SKIPPED: no /usr/bin/script on this machine (Debian: bsdutils)';

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
export interface OnTerminal extends Started { type(keys: string): void }
export const CTRL_C = '\u0003';
/** The command on a terminal of 100 by 30: stdout and stderr come together, as a person sees them; what is typed goes through the terminal. */
export function startOnTerminal(args: readonly string[], env: Record<string, string> = {}): OnTerminal {
  const line = `stty cols 100 rows 30; exec ${[process.execPath, CLI, ...args].map(quoted).join(' ')}`;
  const started = startProgram(SCRIPT, ['--quiet', '--return', '--command', line, '/dev/null'], { ...env, SHELL: '/bin/sh' }, undefined, 'pipe');
  started.child.stdin?.on('error', () => { /* EPIPE: it has ended */ });
  return { ...started, type: (keys) => { started.child.stdin?.write(keys); } };
}

/** Control characters other than newline and tab, and marks that turn text around. */
export const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

export interface Running extends AgentUnderTest {
  readonly url: string;
  /** The command against this agent. */
  diag(...args: readonly string[]): Promise<Ran>;
  start(...args: readonly string[]): Started;
  remote: readonly string[];
}

/** A real agent over a home of its own, on a port. */
export async function runningAgent(): Promise<Running> {
  const given = await agentUnderTest({ nodeOptions: ['--inspect-port=0'] });
  const listening = await listen(given.agent, join(ROOT, 'public'));
  await waitFor('the observer to measure the victim', () => given.agent.observed.latest().get(`${given.victim.pid}:${given.agent.observed.processes().find((p) => p.pid === given.victim.pid)?.startedAt}`)?.values['process.cpu'] !== undefined);
  const remote = ['--url', listening.url, '--token', TOKEN];
  return {
    ...given, url: listening.url, remote,
    diag: (...args) => diag([...args, ...remote]),
    start: (...args) => start([...args, ...remote]),
    async stop() {
      await listening.close();
      await given.stop();
    },
  };
}

/** A folder that is removed after the work. */
export async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'cli-test-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function lives(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}
