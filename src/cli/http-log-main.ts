// Owns `diag http-log` alone; built to dist/diag-http-log.js.
import type { SpareThreads } from '../observe/http-log/scan/contract.ts';
import { diag } from './command.ts';
import { httpLogCommand } from './commands/http-log-command.ts';
import { run } from './run.ts';

/** `spare`: threads that were started while this was loaded. */
export async function main(spare: SpareThreads | undefined): Promise<void> {
  try {
    await run(() => diag().addCommand(httpLogCommand(async () => (await import('./commands/http-log-html.ts')).writeHttpHtml, spare)));
  } finally {
    await spare?.end();
  }
}
