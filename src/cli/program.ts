// Owns the diag command line: commands, options, and the help that a newcomer reads.
import { Command, Option } from 'commander';
import { ALWAYS, diagnosers } from '../analyze/diagnosers/index.ts';
import { analyze } from './commands/analyze.ts';
import { app } from './commands/app.ts';
import { env } from './commands/env.ts';
import { bundle } from './commands/bundle.ts';
import { diagnose } from './commands/diagnose.ts';
import { dumpRead } from './commands/dump-read.ts';
import { heap } from './commands/heap.ts';
import { dumpCommand } from './dump-command.ts';
import { httpLogCommand } from './commands/http-log-command.ts';
import { doctor, doctorXdt } from './commands/doctor.ts';
import { logs } from './commands/logs.ts';
import { profile } from './commands/profile.ts';
import { restart } from './commands/restart.ts';
import { autohealCommand } from './autoheal-commands.ts';
import { rulesCommands } from './rules-commands.ts';
import { serve } from './commands/serve.ts';
import { sessions } from './commands/sessions.ts';
import { top } from './commands/top.ts';
import { LogProviderId } from '../shared/log-bundle.ts';
import { systemClock } from '../platform/clock.ts';
import { command, diag } from './command.ts';
import { instant } from './instant.ts';
import { FAIL_ON, list, number, some } from './options.ts';

const MAX_PID = 4_194_304;
const MAX_LINES = 5_000;
/** History is kept for five days. */
const MAX_MINUTES = 7_200;
const REASON_CHARS = 500;

const ROOT_HELP = `
Which agent: --url names a running one; without it, the agent that runs for the
home (--home, DIAG_HOME), and when none runs, one is raised for this command.
Behind an SCM site, https://user:password@<app>.scm.azurewebsites.net/diag
signs in with deployment credentials, --token with an access token.

Examples:
  diag top                                    what is wrong now, live
  diag diagnose --out report                  collect, analyze, keep the files
  diag logs                                   which logs there are
  diag logs stderr.txt -f --level error,fatal follow the errors of one
  diag analyze bundle.zip                     judge a bundle again, offline

Exit codes: 0 fine, 1 findings at or above --fail-on, 2 wrong command line,
3 could not run. With --json the answer is on stdout and nothing else.`;

export function program(): Command {
  const root = diag().addHelpText('after', ROOT_HELP);
  observe(root);
  analyzing(root);
  root.addCommand(remote(command('restart', 'end the worker; the platform starts the next'))
    .description('Ends one process of the site, named by its pid and start time, after asking. The platform starts the next one; requests in flight on it fail, unless --overlapped lets the next one answer first. With --site, --instances or --platform more than one worker.')
    .option('--pid <pid>', 'which process (default: the worker, when there is one only)', number(1, MAX_PID))
    .option('--overlapped', 'start the next worker first, where the platform can')
    .option('--site', 'all workers of this instance')
    .option('--instances', 'one instance after another, each asked whether it is well')
    .option('--pause <seconds>', 'between two instances (default: 90)', number(0, 3_600))
    .option('--probe <path>', 'what an instance is asked for (default: /)', some)
    .option('--platform', 'the whole site, by the management API')
    .option('--cancel', 'stop the restart over the instances')
    .option('--reason <text>', 'why, kept in the audit', reason)
    .option('-y, --yes', 'do not ask')
    .action(restart));
  root.addCommand(remote(dumpCommand(command('dump', 'dump a process of this machine, now or when something happens'))));
  for (const one of rulesCommands(remote)) root.addCommand(one);
  root.addCommand(autohealCommand(remote));
  root.addCommand(doctors());
  root.addCommand(command('serve', 'run the agent and its page')
    .description('Runs the agent and its page until Ctrl+C, and prints a link that signs you in once.')
    .option('--port <port>', 'TCP port (default: PORT, else 8081)', number(0, 65_535))
    .option('--host <name>', 'address to listen on (default: 127.0.0.1, this machine only)', some)
    .option('--home <dir>', 'home folder laid out as App Service\'s, made when it is not there (default: DIAG_HOME)', some)
    .option('--json', 'print where it listens as JSON')
    .action(serve));
  return root;
}

function doctors(): Command {
  const asked = remote(command('doctor', 'what works here and what does not, and what to do'))
    .description('Looks at Node, home, logs, rights and settings, and says what is missing, why, and what to do. With xdt: looks at an applicationHost.xdt before it is uploaded.')
    .addOption(failOn())
    .action(doctor);
  asked.addCommand(command('doctor xdt', 'refuse an applicationHost.xdt that would take the site down')
    .description('Reads a transform and names, with the line, what would take both sites down. Needs no agent.')
    .argument('<file>', 'applicationHost.xdt or scmApplicationHost.xdt')
    .option('--json', 'print the faults as JSON')
    .action((file: string, _own: object, self: Command) => doctorXdt(file, { json: self.optsWithGlobals<{ json?: boolean }>().json === true })));
  return asked;
}

function observe(root: Command): void {
  root.addCommand(remote(command('top', 'what is wrong now, the five metrics and the processes, live'))
    .description('Shows the verdict of the last five minutes, the five metrics and the site\'s processes; each second on a terminal until Ctrl+C, once where the output is piped or JSON.')
    .option('--once', 'print once and end')
    .action(top));
  root.addCommand(remote(command('app', 'the Node apps that carry the preload, from inside'))
    .description('Shows the Node apps of the site that carry the preload: requests in flight, routes, dependencies, event loop, heap and exceptions of the last minute, and why one has just ended.')
    .option('--pid <pid>', 'one process (default: all together)', number(1, MAX_PID))
    .action(app));
  root.addCommand(remote(command('env', 'settings, connection strings, variables and limits; compared'))
    .description('Shows the environment of the app\'s worker, secrets masked, and its limits. With --compare: what differs from another instance or a saved moment; hidden values are told equal or different, never shown.')
    .option('--agent', 'the agent\'s own environment')
    .option('--compare <what>', 'an instance, or a saved moment', some)
    .option('--with <what>', 'the other side (default: now)', some)
    .option('--save [note]', 'save the environment as it is now, to compare with later')
    .action(env));
  root.addCommand(remote(command('logs', 'list the logs, print the end of one, or follow it'))
    .description('Without a name: lists the logs. With one: prints its last entries, and with --follow what comes. A stack trace belongs to its entry. Secrets are masked. A broken connection resumes where it broke.')
    .argument('[log]', 'its id, its name, or a part of its name')
    .option('-f, --follow', 'go on with what comes, until Ctrl+C')
    .addOption(new Option('-n, --last <entries>', `how many entries first, at most ${MAX_LINES}`).argParser(number(0, MAX_LINES)).default(200))
    .option('--text <text>', 'only entries with this text', some)
    .option('--regex <pattern>', 'only entries that match (RE2 syntax)', some)
    .option('--not', 'turns --text or --regex around')
    .option('--level <levels>', 'only these, with commas: fatal,error,warn,info,debug,trace,unknown', list)
    .action(logs));
}

function analyzing(root: Command): void {
  root.addCommand(remote(command('diagnose', 'Diagnose now: collect, analyze, report'))
    .description('Starts a session: diagnosers collect, analyzers judge, the report says what is wrong, why, and what to do. Shows its steps on a terminal; Ctrl+C cancels it and leaves nothing.')
    .option('--out <dir>', 'write report.json, report.html and bundle.zip there', some)
    .option('--only <ids>', 'exactly these diagnosers, with commas', list)
    .option('--skip <ids>', 'without these', list)
    .option('--pid <pid>', 'the process to study (default: the worker)', number(1, MAX_PID))
    .option('--minutes <minutes>', 'how far back to look (default: 15)', number(1, MAX_MINUTES))
    .option('--reason <text>', 'why, kept in the report', reason)
    .addOption(failOn())
    .addHelpText('after', `\nDiagnosers (* unless --only or --skip says otherwise):\n${diagnoserList()}`)
    .action(diagnose));
  root.addCommand(command('analyze', 'judge log files, a session folder or a bundle, offline')
    .description('Judges what lies on this machine, without an agent: a bundle, a session folder, or log files and folders of them. The same input gives the same report.')
    .argument('<path...>', 'bundle.zip, a folder, or log files')
    .option('--out <dir>', 'write report.json and report.html there', some)
    .option('--json', 'print the report as JSON')
    .addOption(failOn())
    .action(analyze));
  root.addCommand(httpLogCommand(async () => (await import('./commands/http-log-html.ts')).writeHttpHtml));
  root.addCommand(command('dump-read', 'read a memory dump: why it died, stacks, memory, offline')
    .description('Reads an ELF core of Linux or a minidump of Windows that lies on this machine, of any size, without an agent: why the process died, where each thread stood, which JavaScript ran and which exception was thrown, what fills the memory. Values of secrets are masked.')
    .argument('<file>', 'the core or minidump')
    .option('--threads', 'the stacks of all threads, not only of the first')
    .option('--no-files', 'do not open the binaries of this machine for names')
    .option('--json', 'print all that was read as JSON')
    .action(dumpRead));
  root.addCommand(command('heap', 'read a heap snapshot: who holds the memory, what leaks, offline')
    .description('Reads a .heapsnapshot of any size that lies on this machine, without an agent: leak suspects with variable, file and line, classes, the largest objects and the way that keeps each alive. With --base: what grew since an earlier snapshot of the same process.')
    .argument('<file>', 'the snapshot')
    .option('--base <file...>', 'one or two earlier snapshots, oldest first')
    .option('--json', 'print all that was read as JSON')
    .action(heap));
  root.addCommand(command('profile', 'read a profile: who burns the CPU or allocates, offline')
    .description('Reads a CPU or allocation profile that lies on this machine, without an agent: the hot path with function, file and line, what blocks the event loop, sums by function, module and package. Reads .cpuprofile, .heapprofile, pprof, perf script, collapsed stacks, speedscope and .jfr.')
    .argument('<file>', 'the profile')
    .option('--base <file>', 'an earlier profile to compare with')
    .option('--speedscope <file>', 'write it in the format of speedscope')
    .option('--pprof <file>', 'write it as pprof')
    .option('--json', 'print all that was read as JSON')
    .action(profile));
  root.addCommand(remote(command('sessions', 'list the sessions that are kept'))
    .description('Lists the kept sessions, newest first, with what each found.')
    .action(sessions));
  root.addCommand(remote(command('bundle', 'download a session, or the logs of the site, as a zip'))
    .description('Downloads report and artifacts of a session as one zip; resumes when the connection breaks. With --logs: the logs of the site, failed request traces and deployments, secrets masked, with a manifest of what is in it and what is not.')
    .argument('[session]', 'its id, as diag sessions lists it')
    .option('--logs [providers]', `the site's logs instead: all, or some of ${LogProviderId.options.join(', ')}`)
    .option('--from <when>', 'of logs: from this instant on, such as 2h ago', instant(systemClock.now))
    .option('--to <when>', 'of logs: up to this instant', instant(systemClock.now))
    .option('--max-mb <n>', 'of logs: at most so many megabytes before they are packed, the newest', number(1, 65_536))
    .option('--out <file>', 'file or folder to write to (default: <session>.zip or logs.zip here)', some)
    .action(bundle));
}

function remote(c: Command): Command {
  const options = [
    new Option('--url <url>', 'address of a running agent, such as https://<app>.scm.azurewebsites.net/diag').argParser(some),
    new Option('--token <token>', 'its token (default: DIAG_TOKEN, else the one in the home)').argParser(some),
    new Option('--home <dir>', 'talk to the agent of this home folder (default: DIAG_HOME)').argParser(some),
  ];
  for (const option of options) c.addOption(option.helpGroup('Which agent:'));
  return c.option('--json', 'print the answer as JSON');
}

function failOn(): Option {
  return new Option('--fail-on <severity>', 'exit 1 when a finding is at least this severe').choices([...FAIL_ON]).default('critical');
}

function reason(text: string): string {
  return some(text).slice(0, REASON_CHARS);
}

const COSTS = { free: '', 'slows-app': ' (slows the app)', 'pauses-app': ' (pauses the app)' } as const;

function diagnoserList(): string {
  const width = Math.max(...diagnosers.map((d) => d.id.length));
  return diagnosers.map((d) => `  ${d.preselected ? '*' : ' '} ${d.id.padEnd(width)}  ${d.title}${ALWAYS.includes(d.id) ? ' (always)' : COSTS[d.cost]}`).join('\n');
}
