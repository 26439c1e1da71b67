// Owns the opening of shells on this system: on a pseudo-terminal where one can be had, else on pipes, with the reason.
import { DiagError, sayError } from '../../shared/errors.ts';
import type { Population } from '../end.ts';
import type { Env } from '../identity.ts';
import { findShells, pipeArgsOf } from './kinds.ts';
import { openPipes } from './pipes.ts';
import { loadPty, openPty } from './pty.ts';
import type { Shell, ShellOrder, Shells } from './shell.ts';

/** App Service's sandbox has no console host; what the package for Windows does not carry is not tried elsewhere either. */
const NO_CONSOLE = 'on Windows there is no pseudo-terminal in the sandbox of App Service';

export interface ShellSettings {
  readonly windows: boolean;
  /** A reason to take pipes although a terminal may be there. */
  readonly withoutTerminal?: string;
  /** Of a process that was just listed. */
  nameOf?(pid: number): string | undefined;
}

export function shellsOf(population: Population, env: Env, { windows, withoutTerminal, nameOf }: ShellSettings): Shells {
  return {
    list: () => findShells(env, windows),
    async open(order) {
      const kind = findShells(env, windows).find(({ id }) => id === order.shell);
      if (kind === undefined) throw new DiagError('SHELL_FAILED', { shell: order.shell, why: 'it is not on this machine' });
      const why = windows ? NO_CONSOLE : withoutTerminal;
      const opened = why === undefined ? await onTerminal(kind.path, order, population) : why;
      if (typeof opened !== 'string') return opened;
      return await openPipes({ ...order, program: kind.path, args: pipeArgsOf(kind.id), windows, why: opened, nameOf }, population);
    },
  };
}

/** The shell, or why there is no terminal. */
async function onTerminal(program: string, order: ShellOrder, population: Population): Promise<Shell | string> {
  let node;
  try {
    node = await loadPty();
  } catch (error) {
    return `node-pty does not load here (${(sayError(error).split('\n')[0] ?? '').slice(0, 200)})`;
  }
  try {
    return openPty(node, program, order, population);
  } catch (error) {
    return `the system gives no pseudo-terminal (${sayError(error).slice(0, 200)})`;
  }
}
