// Owns the options of `diag dump` and their help: ours in words, ProcDump's in its spelling.
import { Option, type Command } from 'commander';
import { systemClock } from '../platform/clock.ts';
import { dump } from './commands/dump.ts';
import { address, amount, megabytes, metricLimit, signalNames, until } from './dump-options.ts';
import { list, number, some } from './options.ts';

const MAX_COUNT = 100;
const MAX_SECONDS = 86_400;
const MAX_PROFILE_SECONDS = 600;
const MAX_PERCENT = 100_000;
const COMMENT_CHARS = 2_000;

const HELP = `
ProcDump's words work too: -ma -mp -mm (how much), -n -s (how often),
-c -cl -m -ml -tc -h -e -e 1 -f -t -p (when), -w (wait for the start),
-r (from a copy, which is done anyhow), -a (refuse a long pause), -at, -dc.

Examples:
  diag dump 4711                               a full dump now
  diag dump node -c 150 -s 5 -n 3 --out dumps  1.5 cores busy for 5 s, 3 times
  diag dump 4711 -e 1 -f TypeError,timeout     at such a throw, caught or not
  diag dump server.js -w -e -t                 from its start: when it dies
  diag dump 4711 -p 'p95>2s' --report          a report when it is slow
  diag dump 4711 --heap                        a heap snapshot, where it is safe

Exit codes: 0 fine, 2 wrong command line, 3 could not run.`;

export function dumpCommand(command: Command): Command {
  command
    .description('Takes a dump of a process of this machine, at once or when one of the triggers fires; the process runs on. Beside each file lies a .json with what made it, what it cost and what is missing. Ctrl+C ends it within a second and leaves neither a half file nor a stopped process.')
    .argument('<target>', 'pid, name of the program, or of the script that it runs')
    .option('--out <dir>', 'folder for the files (default: here)', some);
  const groups: Readonly<Record<string, readonly Option[]>> = { 'What to take (default: a memory dump):': taking(), 'When (any of them; default: now):': triggers(), 'How often and how long:': limits() };
  for (const [group, options] of Object.entries(groups)) for (const option of options) command.addOption(option.helpGroup(group));
  return command.addHelpText('after', HELP).action(dump);
}

function taking(): Option[] {
  return [
    new Option('--full', '(-ma) all memory'),
    new Option('--mini-plus', '(-mp) stacks and what they point to; Windows'),
    new Option('--mini', '(-mm) stacks; Windows'),
    new Option('--heap', 'a heap snapshot of Node: stops the app about 80 ms per MB of heap; refused where it could kill it'),
    new Option('--heap-profile <seconds>', 'a sampling heap profile of Node: stops nothing').argParser(number(1, MAX_PROFILE_SECONDS)),
    new Option('--cpu-profile <seconds>', 'a CPU profile of Node').argParser(number(1, MAX_PROFILE_SECONDS)),
    new Option('--report', 'the diagnostic report of Node'),
    new Option('-r, --clone', 'from a copy of the process: the default where it is possible'),
  ];
}

function triggers(): Option[] {
  return [
    new Option('-c, --cpu <percent>', 'CPU at or above; 200 is two cores').argParser(amount(MAX_PERCENT)),
    new Option('--cpu-below <percent>', '(-cl) CPU below').argParser(amount(MAX_PERCENT)),
    new Option('-m, --memory <mb>', 'private memory at or above: 800, 1.5g').argParser(megabytes),
    new Option('--memory-below <mb>', '(-ml) private memory below').argParser(megabytes),
    new Option('--threads <count>', '(-tc) threads at or above').argParser(number(1, MAX_PERCENT)),
    new Option('--hang', '(-h) the event loop of Node does not answer for --seconds'),
    new Option('--probe <url>', 'the address does not answer for --seconds').argParser(address),
    new Option('--exceptions <which>', '(-e, -e 1) exceptions of JavaScript and faults of native code: unhandled, or first for caught ones too').choices(['unhandled', 'first']),
    new Option('-f, --filter <texts>', 'only exceptions with one of these in type and text; * is anything').argParser(list),
    new Option('-t, --exit', 'in the last moment of the process'),
    new Option('--signal <names>', 'when the process gets one of these signals').argParser(signalNames),
    new Option('-p, --metric <limit>', 'a metric of the site: p95>2s, 5xx>5%; can be given again').argParser((text: string, before: ReturnType<typeof metricLimit>[] | undefined) => [...before ?? [], metricLimit(text)]),
    new Option('-w, --wait', 'wait for the process to start'),
  ];
}

function limits(): Option[] {
  return [
    new Option('-n, --count <count>', 'how many dumps').argParser(number(1, MAX_COUNT)).default(1),
    new Option('-s, --seconds <seconds>', 'how long a limit must be reached; between dumps of now, the time between them').argParser(number(0, MAX_SECONDS)).default(10),
    new Option('--until <time>', '(-at) begin no dump after it: 14:30, 10m, seconds').argParser(until(() => systemClock.now())),
    new Option('-a, --avoid-outage', 'refuse what would stop the app for more than a second'),
    new Option('--max-pause <ms>', 'refuse what would stop it for longer than this').argParser(number(1, 3_600_000)),
    new Option('--comment <text>', '(-dc) kept in the record of each file').argParser((text: string) => some(text).slice(0, COMMENT_CHARS)),
  ];
}
