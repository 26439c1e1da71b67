// Owns the run of the diag process: runs a command line and turns its end into words and an exit code: 0 fine, 1 findings, 2 usage, 3 could not run.
import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { dumpWords } from './dump-words.ts';
import { exitCode } from './exit.ts';
import { faultOf, type Fault } from './fault.ts';
import { clearLine } from './live-line.ts';
import { printJson, remark, safe } from './print.ts';
import { outputClosed, stop, watchForEnd } from './until.ts';

/** Once in a process. */
export async function run(program: () => Command): Promise<void> {
  watchForEnd();
  try {
    await program().parseAsync(dumpWords(process.argv));
  } catch (error) {
    clearLine();
    if (error instanceof CommanderError) misread(error);
    else if (stop.aborted && isAbort(error)) interrupted();
    else tell(faultOf(error), true);
  }
}

/** Commander has said it on stderr, or shown the help that was asked for; a program that wants JSON gets it as JSON too. */
function misread(error: CommanderError): void {
  if (error.exitCode === 0) return;
  tell({ exit: 2, code: 'BAD_INPUT', detail: error.message.replace(/^error: /, '') }, false);
}

/** The reader of a pipe has what it wanted; a user who pressed Ctrl+C has not. */
function interrupted(): void {
  if (!outputClosed()) tell({ exit: 3, code: 'CANCELLED', detail: 'Interrupted.' }, true);
}

function tell({ exit, code, detail, next }: Fault, aloud: boolean): void {
  exitCode(exit);
  if (process.argv.includes('--json')) printJson({ error: { code, detail, ...(next === undefined ? {} : { next }) } });
  if (aloud) remark(`diag: ${safe(detail)} [${code}]${next === undefined ? '' : `\n      ${safe(next)}`}`);
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
