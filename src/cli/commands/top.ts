// Owns `diag top`: processes and the article's five metrics, redrawn each second on a terminal.
import { setTimeout as sleep } from 'node:timers/promises';
import { metric } from '../../shared/metrics.ts';
import type { Diag } from '../../shared/connect.ts';
import { bytes, count, percent, quantity } from '../../shared/units.ts';
import type { Remote } from '../options.ts';
import { colour, print, printJson, safe, table } from '../print.ts';
import { withAgent } from '../reach.ts';
import { interrupted } from '../until.ts';

const EVERY_MS = 1_000;

export async function top(options: Remote & { once?: boolean }): Promise<void> {
  await withAgent(options, async ({ diag }) => {
    const stop = interrupted();
    const live = !options.once && !options.json && process.stdout.isTTY === true;
    if (!live && !(await measured(diag, stop))) print('No sample yet.');
    do {
      const [now, list] = await Promise.all([diag.now({ query: { minutes: 5 } }), diag.processes()]);
      if (options.json) { printJson({ now, processes: list.processes }); return; }
      if (live) process.stdout.write('\u001b[H\u001b[2J');
      draw(now, list.processes);
      if (live) await sleep(EVERY_MS, undefined, { signal: stop }).catch((error: unknown) => { if (!stop.aborted) throw error; });
    } while (live && !stop.aborted);
  });
}

/** An agent that was raised a moment ago has no rate yet: a rate needs two readings. */
async function measured(diag: Diag, stop: AbortSignal): Promise<boolean> {
  for (let tries = 0; tries < 30 && !stop.aborted; tries += 1) {
    const { processes } = await diag.processes();
    if (processes.some((p) => p.sample?.values['process.cpu'] !== undefined)) return true;
    await sleep(100);
  }
  return false;
}

function draw(now: Awaited<ReturnType<Diag['now']>>, processes: Awaited<ReturnType<Diag['processes']>>['processes']): void {
  print(colour('bold', now.verdict));
  for (const line of now.detail) print(safe(line));
  print();
  print(now.tiles.map((t) => `${metric(t.metric).title}: ${t.value === undefined ? '–' : quantity(t.value, metric(t.metric).unit)}`).join('   '));
  print();
  const rows = processes.map(({ info, sample }) => {
    const v = sample?.values ?? {};
    const show = (value: number | undefined, say: (n: number) => string): string => (value === undefined ? '–' : say(value));
    return [String(info.pid), info.ours ? `${info.role} (ours)` : info.role, show(v['process.cpu'], percent), show(v['process.working-set'], bytes), show(v['process.private-bytes'], bytes), show(v['process.threads'], count), show(v['process.handles'], count), safe((info.commandLine ?? info.name).slice(0, 80))];
  });
  print(table(['PID', 'Role', 'CPU', 'Memory', 'Private', 'Threads', 'Handles', 'Command'], rows, [0, 2, 3, 4, 5, 6]));
}
