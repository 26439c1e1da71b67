// Owns the diag command: its commands, their options, and the exit codes 0 fine, 1 findings, 2 usage, 3 could not run.
import { Command, CommanderError, Option } from 'commander';
import { DiagError, sayError } from '../shared/errors.ts';
import { ApiProblem } from '../shared/connect.ts';
import { VERSION } from '../agent/config.ts';
import { analyze } from './commands/analyze.ts';
import { bundle } from './commands/bundle.ts';
import { diagnose } from './commands/diagnose.ts';
import { logs } from './commands/logs.ts';
import { restart } from './commands/restart.ts';
import { serve } from './commands/serve.ts';
import { sessions } from './commands/sessions.ts';
import { top } from './commands/top.ts';
import { FAIL_ON, number } from './options.ts';
import { exitCode } from './exit.ts';

function program(): Command {
  const diag = new Command('diag').description('Finds out why a web app answers 502 and 503: observe, analyze, mitigate.').version(VERSION).exitOverride().showHelpAfterError();
  const remote = (c: Command): Command => c
    .option('--url <url>', 'address of a running agent, such as https://<app>.scm.azurewebsites.net/diag (default: the agent of the home)')
    .option('--token <token>', 'its token (default: DIAG_TOKEN, or the token file of the home)')
    .option('--home <dir>', 'a home folder laid out as App Service\'s')
    .option('--json', 'print JSON only');
  const failOn = new Option('--fail-on <severity>', 'exit 1 when a finding is at least this severe').choices([...FAIL_ON]).default('critical');

  diag.command('serve').description('run the agent and its page').option('--port <port>', 'TCP port', number(0, 65_535)).option('--host <name>', 'address to listen on (default: loopback)').option('--home <dir>', 'home folder').option('--json', 'print where it listens as JSON').action(serve);
  remote(diag.command('top').description('the site\'s processes and the five metrics, live').option('--once', 'print once and end')).action(top);
  remote(diag.command('logs').description('list the logs, or print one').argument('[source]', 'id, or the end of the name').option('-f, --follow', 'go on with what comes').option('-n, --last <lines>', 'how many entries first', number(0, 5_000), 200).option('--text <text>', 'only entries with this text').option('--regex <pattern>', 'only entries that match (RE2 syntax)').option('--not', 'only those that do not match').option('--level <levels>', 'only these levels, with commas')).action(logs);
  remote(diag.command('diagnose').description('Diagnose now: collect, analyze, report').option('--out <dir>', 'write report.json, report.html and bundle.zip here').option('--only <ids>', 'these diagnosers, with commas').option('--skip <ids>', 'the preselected ones without these').option('--pid <pid>', 'the process to study (default: the worker)', number(1, 4_194_304)).option('--minutes <minutes>', 'how far back to look', number(1, 7_200)).option('--reason <text>', 'why, kept in the report')).addOption(failOn).action(diagnose);
  diag.command('analyze').description('analyze log files, a session folder or a bundle again, offline').argument('<path...>').option('--out <dir>', 'write report.json and report.html here').option('--json', 'print the report as JSON').addOption(failOn).action(analyze);
  remote(diag.command('sessions').description('list the kept sessions')).action(sessions);
  remote(diag.command('bundle').description('download the bundle of a session').argument('<session>').option('--out <file>', 'where to write it (default: <session>.zip here)')).action(bundle);
  remote(diag.command('restart').description('restart the worker').option('--pid <pid>', 'which process (default: the only worker)', number(1, 4_194_304)).option('--reason <text>', 'why, kept in the audit').option('-y, --yes', 'do not ask')).action(restart);
  return diag;
}

async function main(): Promise<void> {
  try {
    await program().parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) { exitCode(error.exitCode === 0 ? 0 : 2); return; }
    exitCode(error instanceof DiagError && error.code === 'BAD_INPUT' ? 2 : 3);
    const next = error instanceof ApiProblem ? error.problem.next : error instanceof DiagError ? error.next : undefined;
    const code = error instanceof ApiProblem || error instanceof DiagError ? ` [${error.code}]` : '';
    if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: { code: code.slice(2, -1) || 'INTERNAL', detail: sayError(error), ...(next ? { next } : {}) } })}\n`);
    process.stderr.write(`diag: ${sayError(error)}${code}${next ? `\n      ${next}` : ''}\n`);
  }
}

void main();
