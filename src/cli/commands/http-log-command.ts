// Owns the options and the help of `diag http-log`.
import { Option } from 'commander';
import type { Command } from 'commander';
import { systemClock } from '../../platform/clock.ts';
import type { SpareThreads } from '../../observe/http-log/scan/contract.ts';
import { command } from '../command.ts';
import { instant } from '../instant.ts';
import { failureLimit, number, some } from '../options.ts';
import { httpLog } from './http-log.ts';
import type { HtmlWriter, HttpLogOptions } from './http-log.ts';

const MAX_ROWS = 10_000;
const FILTER_HELP = `
A filter is terms with spaces between them; all must hold:
  status:502.3,5xx  failed  method:POST  path:/api/*
  route:"GET /api/orders/{id}"  query:…  referrer:…  upstream:…
  client:10.0.0.4  host:…  agent:curl  family:Chrome
  taken>1000  taken>=2s  sent>1000000  win32:64  a text to look for
A comma means or, - in front not, * stands for anything, quotes keep spaces.

Examples:
  diag http-log u_ex261121.log                     what failed, what is slow
  diag http-log LogFiles/http/RawLogs --from '1h ago' --json
  diag http-log logs.zip access.log.2.gz --filter 'status:502.3' --rows`;

/** `html` writes the report as a page; it is loaded only when it is asked for. `spare`: threads that were started for large logs. */
export function httpLogCommand(html: HtmlWriter, spare?: SpareThreads): Command {
  const at = instant(() => systemClock.now());
  return command('http-log', 'sum up HTTP logs, or find their rows, offline')
    .description('Reads HTTP logs that lie on this machine, without an agent: IIS, nginx, Apache, NCSA and JSON lines, also in gzip and zip; folders with all they hold. Failures first, then latency, then traffic. The SCM site\'s rows and the agent\'s own requests are left out and counted.')
    .argument('<path...>', 'logs, or folders of them')
    .option('--from <time>', 'only rows from then: 2026-11-21T09:00Z, epoch ms, or 1h ago', at)
    .option('--to <time>', 'only rows up to then', at)
    .option('--filter <filter>', 'only rows that it lets through (see below)', some)
    .option('--format <format>', 'their format, when it is guessed wrong: iis-w3c, ncsa-combined, nginx:<log_format>, apache:<LogFormat>, …', some)
    .option('--rows', 'print the newest rows instead of the report')
    .addOption(new Option('--limit <n>', `rows, or lines of a table, at most ${MAX_ROWS}`).argParser(number(1, MAX_ROWS)).default(20))
    .option('--all', 'with the rows that are left out else')
    .option('--html <file>', 'write the report there as one page that needs nothing else', some)
    .option('--json', 'print the report, or the rows, as JSON')
    .option('--fail-on <failures>', 'exit 1 when so many requests failed: a number, or a share such as 0.5%', failureLimit)
    .addHelpText('after', FILTER_HELP)
    .action((paths: string[], options: HttpLogOptions) => httpLog(paths, options, html, spare));
}
