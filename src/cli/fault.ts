// Owns what an error becomes at the keyboard: its sentence, its code, the next step in words of this command, and the exit code.
import { DiagError, sayError } from '../shared/errors.ts';
import { ApiProblem } from '../shared/api-problem.ts';
import type { Exit } from './exit.ts';

export interface Fault { readonly exit: Exit; readonly code: string; readonly detail: string; readonly next?: string }

/** What the user typed is wrong; everything else could not run. */
const USAGE: readonly string[] = ['BAD_INPUT', 'FILTER_BAD', 'HTTP_FILTER_BAD', 'LOG_FORMAT_BAD', 'DIAGNOSER_UNKNOWN', 'AUTO_HEAL_BAD', 'AUTO_HEAL_UNSAID'];

/** The catalog's next steps speak to the page's user; these speak to ours. An empty one says that there is nothing better. */
const NEXT: Readonly<Record<string, string>> = {
  BAD_INPUT: 'See diag <command> --help.',
  TOKEN_MISSING: 'Give it with --token or in DIAG_TOKEN. A standalone agent keeps it in its home, in data/DaaS/diag/token; with --home it is read from there.',
  SOURCE_UNKNOWN: 'diag logs lists the logs.',
  SESSION_UNKNOWN: 'diag sessions lists the sessions: it may have aged out.',
  DIAGNOSER_UNKNOWN: 'diag diagnose --help lists the diagnosers.',
  PROCESS_GONE: 'diag top --once lists the processes.',
  UNREACHABLE: 'Check the address and that the agent is running.',
  NOT_FOUND: '',
};

/** System errors with a next step worth saying. */
const SYSTEM: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Another program listens there: choose another with --port.',
  EACCES: 'This user may not do that.',
  ENOSPC: 'The disk is full.',
};

export function faultOf(error: unknown): Fault {
  if (error instanceof DiagError || error instanceof ApiProblem) {
    const { code } = error;
    const next = NEXT[code] ?? (error instanceof ApiProblem ? error.problem.next : error.next);
    return { exit: USAGE.includes(code) ? 2 : 3, code, detail: error.message, ...(next ? { next } : {}) };
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'INTERNAL';
  const next = SYSTEM[code];
  return { exit: 3, code, detail: sayError(error), ...(next ? { next } : {}) };
}
