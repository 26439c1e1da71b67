// Owns the metrics of a session's window: the site's and the target's history as series.
import { z } from 'zod';
import type { MetricsFile } from '../../shared/artifacts.ts';
import { metrics as table } from '../../shared/metrics.ts';
import type { ProcessKey, Series } from '../../shared/model.ts';
import { plural } from '../../shared/units.ts';
import type { Collecting, Diagnoser } from '../contracts.ts';
import { writeJson } from '../write.ts';

/** Points a series: 15 minutes by the second, a day by two minutes. */
const POINTS = 900;
/** Processes whose series are kept, the target first: in a crash loop each worker lives for seconds. */
const MAX_PROCESSES = 20;

export const metrics: Diagnoser = {
  id: 'metrics',
  title: 'Metrics',
  about: 'CPU, memory, threads, handles, requests and response times of the window, from the agent\'s own history.',
  options: z.strictObject({}),
  cost: 'free',
  preselected: true,
  produces: ['metrics'],
  offered: () => ({ yes: true }),
  async collect(run) {
    await run.history.flush();
    const written = await writeSeries(run, 'metrics-site.json', undefined);
    const tracks = await run.history.tracks(run.window.from, run.window.to);
    const isTarget = (key: ProcessKey): boolean => key.pid === run.target?.pid && key.startedAt === run.target.startedAt;
    const chosen = [...tracks].sort((a, b) => Number(isTarget(b)) - Number(isTarget(a)) || b.startedAt - a.startedAt || a.pid - b.pid).slice(0, MAX_PROCESSES);
    for (const key of chosen) {
      run.cancel.throwIfAborted();
      if (run.enough.aborted) break;
      await writeSeries(run, `metrics-${key.pid}-${key.startedAt}.json`, key);
    }
    run.progress(`${plural(written, 'series', 'series')} of the site, ${plural(chosen.length, 'process', 'processes')}`, 1);
  },
};

/** Series without one value are left out: absent stays absent. Returns how many there were. */
async function writeSeries(run: Collecting, name: string, process: ProcessKey | undefined): Promise<number> {
  const ids = table.filter((m) => m.scope === (process ? 'process' : 'site')).map((m) => m.id) as Parameters<typeof run.history.read>[0]['metrics'];
  const all: Series = await run.history.read({ metrics: ids, ...run.window, points: POINTS, now: run.platform.clock.now(), ...(process && { process }) });
  const series = all.series.filter((s) => s.values.some((v) => v !== null));
  if (series.length === 0) return 0;
  const file: MetricsFile = { version: 1, series: { ...all, series } };
  await writeJson(run, 'metrics', name, file);
  return series.length;
}
