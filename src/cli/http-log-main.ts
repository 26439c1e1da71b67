// Owns `diag http-log` alone; built to dist/diag-http-log.js.
import { diag } from './command.ts';
import { httpLogCommand } from './commands/http-log-command.ts';
import { run } from './run.ts';

void run(() => diag().addCommand(httpLogCommand(async () => (await import('./commands/http-log-html.ts')).writeHttpHtml)));
