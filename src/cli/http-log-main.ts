// Owns `diag http-log` alone; built to dist/diag-http-log.js.
import type { SpareThreads } from '../observe/http-log/scan/contract.ts';
import { diag } from './command.ts';
import { httpLogCommand } from './commands/http-log-command.ts';
import { run } from './run.ts';

/** `spare`: threads that were started while this was loaded. Ends the process: to take two threads' memory apart before it is given back takes longer than to read 40 MB. */
export async function main(spare: SpareThreads | undefined): Promise<void> {
  try {
    await run(() => diag().addCommand(httpLogCommand(async () => (await import('./commands/http-log-html.ts')).writeHttpHtml, spare)));
  } finally {
    await spare?.end();
  }
  await Promise.all([process.stdout, process.stderr].map(written));
  process.exit();
}

/** Once all that was printed is on its way, or nobody reads it. */
async function written(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((done) => { stream.write('', () => { done(); }); });
}
