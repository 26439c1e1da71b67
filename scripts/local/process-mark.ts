// Owns telling one process from a later one with the same pid, and ending a whole process group.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process as it was seen: the pid alone is reused, pid and start time are not. */
export interface Marked {
  readonly pid: number;
  /** Start time in the system's own words; only ever compared for equality. */
  readonly mark: string;
}

/** Start time of a living process, or nothing when there is none (a zombie is none). */
export function markOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      // The name in parentheses may hold spaces and parentheses itself: fields count from the last one. Field 3 is the state, 22 the start.
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
    }
    if (process.platform === 'win32') {
      process.kill(pid, 0);
      return 'alive'; // no cheap start time there: a record older than its process cannot be told apart
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', timeout: 5000 }).trim() || undefined;
  } catch {
    return undefined; // every way to fail here means the same: no such process that we may see
  }
}

/** Whether the process is that leader's own or one of its group: what a shell line starts is the worker as others see it. */
export function isOfGroup(pid: number, leader: number): boolean {
  if (pid === leader) return true;
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) === leader;
    }
    return process.platform !== 'win32' && Number(execFileSync('ps', ['-o', 'pgid=', '-p', String(pid)], { encoding: 'utf8', timeout: 5000 })) === leader;
  } catch {
    return false; // as in markOf: no such process that we may see
  }
}

export function lives({ pid, mark }: Marked): boolean {
  return markOf(pid) === mark;
}

/** Signals a process we started as leader of its own group, with all its children. False when nothing was left to signal. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    if (process.platform === 'win32') {
      execFileSync('taskkill', ['/PID', String(pid), '/T', '/F'], { stdio: 'ignore', timeout: 5000 });
    } else {
      process.kill(-pid, signal);
    }
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ESRCH' || process.platform === 'win32') return false;
    throw cause;
  }
}

/** Ends the group of a recorded process if it is still that process. True when it was. */
export function endOrphan(orphan: Marked): boolean {
  return lives(orphan) && signalGroup(orphan.pid, 'SIGKILL');
}
