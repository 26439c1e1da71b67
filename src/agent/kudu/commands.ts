// Owns command lines that a user sends as Kudu takes them: run by the shell in a folder, few at once, audited, answered whatever becomes of them.
import { stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { DiagError } from '../../shared/errors.ts';
import { duration } from '../../shared/units.ts';
import { runCommandLine, type CommandEnd } from '../../platform/command-line.ts';
import type { Parts } from '../agent.ts';
import type { Config } from '../config.ts';

/** As Kudu answers: status 200 whatever happened; -1 where there is no exit code to tell. */
export interface CommandResult { readonly Output: string; readonly Error: string; readonly ExitCode: number }
export interface Commands {
  run(order: { readonly command: string; readonly dir: string }, who: string): Promise<CommandResult>;
  /** Resolves when none runs any more. */
  idle(): Promise<void>;
}

/** Kudu's own default, and the setting that changes it, in seconds. */
const IDLE_SECONDS = 60;
const IDLE_SETTING = 'SCM_COMMAND_IDLE_TIMEOUT';
const MAX_IDLE_SECONDS = 24 * 3_600;
const MAX_AT_ONCE = 16;
/** Kept of each output: enough for any answer a person reads; the rest is counted. */
const HEAD_BYTES = 1024 * 1024;
const TAIL_BYTES = 3 * 1024 * 1024;
const AUDIT_CHARS = 500;

/** What the agent was told for itself alone. */
const OURS = /^DIAG_/i;

export function createCommands({ platform, audit }: Pick<Parts, 'platform' | 'audit'>, config: Pick<Config, 'env'>, mask: (text: string) => string, ending: AbortSignal): Commands {
  const { folders } = platform.host;
  const idleMs = idleSeconds(config) * 1_000;
  const env = { ...Object.fromEntries(Object.entries(config.env).filter(([name]) => !OURS.test(name))), HOME: folders.home };
  const running = new Set<Promise<CommandResult>>();
  return {
    async run(order, who) {
      if (running.size >= MAX_AT_ONCE) throw new DiagError('TOO_MANY', { what: 'commands', limit: MAX_AT_ONCE });
      const one = ran(order, who);
      running.add(one);
      try {
        return await one;
      } finally {
        running.delete(one);
      }
    },
    idle: async () => { await Promise.allSettled(running); },
  };

  /** Whoever asked may be gone by its end: the command is not the request's, as with Kudu, whose callers are cut off after 230 s. */
  async function ran({ command, dir }: { command: string; dir: string }, who: string): Promise<CommandResult> {
    const began = platform.clock.monotonic();
    const cwd = isAbsolute(dir) ? resolve(dir) : join(folders.home, dir);
    const end: CommandEnd = await isFolder(cwd)
      ? await runCommandLine({ command, cwd, env, idleMs, headBytes: HEAD_BYTES, tailBytes: TAIL_BYTES, signal: ending }, platform)
      : { output: '', error: '', lostBytes: 0, how: 'no-start', why: `The folder ${cwd} is not there` };
    await audit(who, 'run command', mask(`${command.slice(0, AUDIT_CHARS)} (in ${cwd.slice(0, AUDIT_CHARS)})`), `${said(end)} after ${duration(platform.clock.monotonic() - began)}`);
    return resultOf(end, idleMs);
  }
}

function idleSeconds({ env }: Pick<Config, 'env'>): number {
  const given = Number(env[IDLE_SETTING] ?? env[`APPSETTING_${IDLE_SETTING}`]);
  return Number.isFinite(given) && given >= 1 ? Math.min(given, MAX_IDLE_SECONDS) : IDLE_SECONDS;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;                                              // a command that cannot start there says so in its answer
  }
}

const said = ({ how, exitCode }: CommandEnd): string => (how === 'exit' ? `exit code ${exitCode ?? 'unknown'}` : how);

function resultOf(end: CommandEnd, idleMs: number): CommandResult {
  const why = whyOf(end, idleMs);
  return { Output: end.output, Error: why === undefined ? end.error : `${end.error}${end.error === '' || end.error.endsWith('\n') ? '' : '\n'}${why}\n`, ExitCode: end.how === 'exit' ? end.exitCode ?? -1 : -1 };
}

function whyOf({ how, why }: CommandEnd, idleMs: number): string | undefined {
  if (how === 'idle') return `The command was ended: it had written nothing and used no CPU for ${duration(idleMs)}. The app setting ${IDLE_SETTING} (in seconds) allows more.`;
  if (how === 'cancelled') return 'The command was ended with the agent.';
  return why === undefined ? undefined : `${why}.`;
}
