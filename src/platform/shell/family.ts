// Owns what a shell has started: found by parents, and on Linux by its session too, in which those are that lost their parent.
import { readFileSync, readdirSync } from 'node:fs';
import { endOwn, type Population } from '../end.ts';
import { below } from '../roles.ts';

/** Windows gives each console a program that draws it, as a child of the first one in it: it is no work of the shell, and who ends it ends the shell. */
const CONSOLE = /^(conhost|openconsole)(\.exe)?$/i;

/** From the asking to the killing. */
const GRACE_MS = 1_500;

export interface Family {
  /** Everything below the shell, without it. */
  members(): Promise<number[]>;
  /** The shell, what is below it, and what its session holds. */
  end(): Promise<void>;
}

/** Called while the shell lives, and used as long as it does: after its end its number may be another's. */
export function familyOf(population: Population, shell: number, nameOf?: (pid: number) => string | undefined): Family {
  return {
    async members() {
      const all = await population.everyone();
      return [...below(all, [shell])].filter((pid) => pid !== shell && all.has(pid) && !CONSOLE.test(nameOf?.(pid) ?? ''));
    },
    async end() {
      await endOwn(population, [shell, ...sessionOf(shell)], { ask: 'SIGHUP', graceMs: GRACE_MS }, new AbortController().signal);
    },
  };
}

/** Fields after the name in /proc/PID/stat (proc_pid_stat(5)). */
const FIELD = { session: 3, foreground: 5 } as const;

/** Members of the session that the shell leads; empty where there is no /proc. */
function sessionOf(leader: number): number[] {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return [];                                                 // no such system: parents are all there is
  }
  return names.filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => fieldsOf(pid)?.[FIELD.session] === String(leader));
}

/** The process group that the terminal of this process gives its keys to. */
export function foregroundGroup(pid: number): number | undefined {
  const group = Number(fieldsOf(pid)?.[FIELD.foreground]);
  return Number.isInteger(group) && group > 1 ? group : undefined;
}

function fieldsOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;                                          // it has just ended
  }
}
