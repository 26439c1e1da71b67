// Owns `diag top`: the verdict, the article's five metrics and the processes, redrawn each second on a terminal.
import { DiagError } from '../../shared/errors.ts';
import { metric } from '../../shared/metrics.ts';
import type { Diag } from '../../shared/connect.ts';
import { bytes, count, percent, plural, quantity } from '../../shared/units.ts';
import { systemClock, within } from '../../platform/clock.ts';
import type { Remote } from '../options.ts';
import { colour, cut, columns, print, printJson, remark, rows, safeLine, table, wrap } from '../print.ts';
import { withAgent, type Reached } from '../reach.ts';
import { stop } from '../until.ts';

const EVERY_MS = 1_000;
/** An agent that was raised a moment ago needs two readings, a second apart, for its first rate. */
const MEASURED_MS = 10_000;
const LOOK_MS = 100;
const MINUTES = 5;

type Now = Awaited<ReturnType<Diag['now']>>;
type Processes = Awaited<ReturnType<Diag['processes']>>['processes'];

export async function top(options: Remote & { readonly once?: boolean }): Promise<void> {
  await withAgent(options, async (reached) => {
    if (!options.once && !options.json && process.stdout.isTTY === true) { await live(reached); return; }
    const { now, processes } = await measured(reached.diag);
    if (options.json) printJson({ now, processes });
    else print(drawn(now, processes).join('\n'));
  });
}

async function look(diag: Diag): Promise<{ now: Now; processes: Processes }> {
  const [now, { processes }] = await Promise.all([diag.now({ query: { minutes: MINUTES } }), diag.processes()]);
  return { now, processes };
}

/** Until Ctrl+C, which is its normal end. */
async function live(from: Reached): Promise<void> {
  let reached = from;
  try {
    for (;;) {
      reached = await turn(reached);
      await systemClock.wait(EVERY_MS, stop);
    }
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}

async function turn(reached: Reached): Promise<Reached> {
  try {
    const { now, processes } = await look(reached.diag);
    redraw(drawn(now, processes));
    return reached;
  } catch (error) {
    if (!(error instanceof DiagError) || error.code !== 'UNREACHABLE') throw error;
    redraw([colour('red', safeLine(error.message)), 'Trying again …']);
    return reached.again();
  }
}

/** From the top of the screen; what was there is overwritten line by line, so that nothing flickers. */
function redraw(lines: readonly string[]): void {
  const room = Math.max(2, rows() - 1);
  const shown = lines.length > room ? [...lines.slice(0, room - 1), colour('dim', `… ${plural(lines.length - room + 1, 'more line')}`)] : lines;
  process.stdout.write(`\u001b[H${shown.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`);
}

/** What is shown is what was found to have its rates: a process may join between two looks. */
async function measured(diag: Diag): Promise<{ now: Now; processes: Processes }> {
  const limit = within(MEASURED_MS, stop);
  for (;;) {
    const seen = await look(diag);
    if (await hasRates(diag, seen.processes)) return seen;
    if (limit.aborted) { remark('No rate was measured yet.'); return seen; }
    await systemClock.wait(LOOK_MS, stop);
  }
}

/** A site without processes has no rates: the sampler says whether it has looked. */
async function hasRates(diag: Diag, processes: Processes): Promise<boolean> {
  // A rate needs two readings, and the site's processes may be found one reading after the agent's own.
  if (processes.length > 0) return processes.every((p) => p.sample?.values['process.cpu'] !== undefined);
  return (await diag.agent()).samplers.some((s) => s.id === 'processes' && s.lastAt !== undefined);
}

function drawn(now: Now, processes: Processes): string[] {
  const tiles = now.tiles.map((t) => `${metric(t.metric).title}: ${t.value === undefined ? '–' : quantity(t.value, metric(t.metric).unit)}`).join('   ');
  return [
    ...wrap(safeLine(now.verdict), '').split('\n').map((line) => colour('bold', line)),
    ...now.detail.flatMap((line) => wrap(safeLine(line), '').split('\n')),
    '', ...wrap(tiles, '').split('\n'), '',
    ...table(['PID', 'Role', 'CPU', 'Memory', 'Private', 'Threads', 'Handles', 'Command'], [...processes].sort(byWeight).map(row), [0, 2, 3, 4, 5, 6]).split('\n'),
  ];
}

/** The site's before ours, the worker first, then the largest. */
function byWeight(a: Processes[number], b: Processes[number]): number {
  const rank = ({ info }: Processes[number]): number => (info.ours ? 2 : info.role === 'worker' ? 0 : 1);
  const size = ({ sample }: Processes[number]): number => sample?.values['process.working-set'] ?? -1;
  return rank(a) - rank(b) || size(b) - size(a) || a.info.pid - b.info.pid;
}

const COMMAND_CHARS = 120;

function row({ info, sample }: Processes[number]): string[] {
  const v = sample?.values ?? {};
  const show = (value: number | undefined, say: (n: number) => string): string => (value === undefined ? '–' : say(value));
  const command = cut(safeLine(info.commandLine ?? info.name), Math.min(COMMAND_CHARS, columns()));
  return [String(info.pid), info.ours ? `${info.role} (ours)` : info.role, show(v['process.cpu'], percent), show(v['process.working-set'], bytes), show(v['process.private-bytes'], bytes), show(v['process.threads'], count), show(v['process.handles'], count), command];
}
