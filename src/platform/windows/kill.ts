// Owns ending one process on Windows: by a handle of its own, so that it is this very process and no younger one with its number.
import { DiagError } from '../../shared/errors.ts';
import type { ProcessKey } from '../../shared/model.ts';
import { instantOf } from '../parse/nt-processes.ts';
import { INVALID_PARAMETER, Win32Error } from './codes.ts';
import { ACCESS, type Win32 } from './win32.ts';

/** As a task manager gives it; a program cannot be asked to end here unless it has a window or a console of its own. */
const EXIT_CODE = 1;
const ACCESS_DENIED = 5;

/** Does nothing when the process has ended already. @throws PROCESS_DENIED */
export function killProcess(win32: Win32, target: ProcessKey, lives: () => boolean): void {
  let handle;
  try {
    handle = win32.openProcess(ACCESS.terminate | ACCESS.queryLimited, target.pid);
  } catch (error) {
    if (error instanceof Win32Error && error.win32 === INVALID_PARAMETER) return;
    throw denied(target.pid, error);
  }
  try {
    if (instantOf(win32.createdAt(handle)) === target.startedAt) win32.terminate(handle, EXIT_CODE);
  } catch (error) {
    // One that is ending at this moment refuses to be ended.
    if (error instanceof Win32Error && error.win32 === ACCESS_DENIED && !lives()) return;
    throw denied(target.pid, error);
  } finally {
    win32.close(handle);
  }
}

function denied(pid: number, error: unknown): unknown {
  return error instanceof Win32Error ? new DiagError('PROCESS_DENIED', { pid, what: 'end', why: error.message }, { cause: error }) : error;
}
