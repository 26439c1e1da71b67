// Owns the question whether a process lives, asked without the code under test; a zombie does not.
import { readFileSync } from 'node:fs';

export function stateOf(pid: number): string | undefined { return fieldsOf(pid)?.[0]; }

/** Start in clock ticks since boot: with the pid it names one process. */
export function startOf(pid: number): string | undefined { return fieldsOf(pid)?.[19]; }

function fieldsOf(pid: number): string[] | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return line.slice(line.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return undefined;
    throw error;
  }
}

export function lives(pid: number): boolean {
  const state = stateOf(pid);
  return state !== undefined && state !== 'Z' && state !== 'X';
}
