// Owns the last step of a write: a finished file takes the name of what it replaces, and the system's own code of what went wrong.
import { rename } from 'node:fs/promises';
import { systemClock } from './clock.ts';

/** Windows refuses to rename over a file that a virus scanner or a reader holds open for a moment. */
const BUSY_CODES: readonly string[] = ['EPERM', 'EACCES', 'EBUSY'];
const RENAME_TRIES = 6;
const RENAME_PAUSE_MS = 20;
/** The pauses end by themselves, after 300 ms together. */
const NEVER = new AbortController().signal;

/** The system's code of an error ('ENOENT'), or an empty word. */
export function codeIn(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Renames over what has the name; waits a little where it is held. @throws what the system says, once the tries are used up */
export async function renameOver(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      if (attempt >= RENAME_TRIES || !BUSY_CODES.includes(codeIn(error))) throw error;
      await systemClock.wait(RENAME_PAUSE_MS * attempt, NEVER);
    }
  }
}
