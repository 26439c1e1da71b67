// Owns what stands on the timeline of a report: requests per bucket, metrics, and everything that changed, from whatever was collected.
import type { Change, Report } from '../shared/model.ts';
import type { MetricId } from '../shared/metrics.ts';
import { ChangesFile, DeploymentsFile, EventLogFile, MetricsFile } from '../shared/artifacts.ts';
import type { Given } from './contracts.ts';
import { bucketOf } from './parse/http-facts.ts';
import type { HttpBrief, Window } from './parse/http-facts.ts';
import { exitWords, exitsOf } from './parse/exits.ts';
import { readAll } from './parse/json-artifacts.ts';
import { oneLine } from './parse/words.ts';

const SERIES: readonly MetricId[] = ['http.response-p95', 'site.working-set', 'site.cpu'];
/** Points of a lane: two per pixel of a narrow page, one of a wide one. */
const MAX_POINTS = 450;
/** A crash loop writes hundreds; the newest stay, all are in changes.json. */
const MAX_CHANGES = 500;
/** The same deployment as Kudu records it and as we saw it. */
const SAME_DEPLOYMENT_MS = 120_000;

type Points = Report['timeline']['series'][number]['points'];

export async function timelineOf(readers: Given, window: Window, http: HttpBrief | undefined): Promise<Report['timeline']> {
  const metrics = (await readAll(readers.metrics, MetricsFile)).files.map((f) => f.series);
  const series = SERIES.map((id) => {
    const points = metrics.flatMap((s) => s.series.filter((one) => one.metric === id && one.process === undefined).flatMap((one) => one.values.map((value, i): Points[number] => [s.at[i] ?? s.from, value])));
    return { metric: id, points: points.length > 0 ? thinned(points) : fromLog(id, http) };
  }).filter((s) => s.points.some(([, value]) => value !== null));
  return { stepMs: http?.bucketMs ?? bucketOf(window), requests: http ? http.buckets.map((b) => ({ at: b.at, ok: b.ok, refused: b.refused, failed: b.failed })) : [], series, changes: await changesOf(readers, window) };
}

/** Without the agent's own history the HTTP log still knows the response times. */
function fromLog(id: MetricId, http: HttpBrief | undefined): Points {
  return id === 'http.response-p95' && http ? http.p95.map(([at, ms]): Points[number] => [at, ms]) : [];
}

/** Of each step the highest value: a peak must not be thinned away. */
function thinned(points: Points): Points {
  const every = Math.ceil(points.length / MAX_POINTS);
  const out: Points = [];
  for (let i = 0; i < points.length; i += every) {
    const step = points.slice(i, i + every);
    const values = step.flatMap(([, v]) => (v === null ? [] : [v]));
    out.push([step[0]?.[0] ?? 0, values.length === 0 ? null : Math.max(...values)]);
  }
  return out;
}

/** What was seen to change, and what only the event log or the deployments know. */
async function changesOf(readers: Given, window: Window): Promise<Change[]> {
  const seen = (await readAll(readers.changes, ChangesFile)).files.flatMap((f) => f.changes);
  const events = (await readAll(readers['event-log'], EventLogFile)).files.flatMap((f) => f.rows);
  const deployments = (await readAll(readers.deployments, DeploymentsFile)).files.flatMap((f) => f.deployments);
  const all: Change[] = seen.map((c) => ({ ...c, title: oneLine(c.title), ...(c.detail === undefined ? {} : { detail: oneLine(c.detail, 300) }) }));
  for (const exit of exitsOf(events, seen)) {
    if (exit.from !== 'event-log') continue;
    all.push({
      id: `exit-${exit.pid ?? 0}-${exit.at}`, at: exit.at, kind: 'exit', level: exit.planned ? 'neutral' : 'critical', title: `Worker ${exit.pid ?? ''} exited with ${exitWords(exit)}`.replace('  ', ' '), detail: 'from the event log',
      ...(exit.pid === undefined ? {} : { pid: exit.pid }), ...(exit.code === undefined ? {} : { exitCode: exit.code }), ...(exit.signal === undefined ? {} : { signal: exit.signal }),
    });
  }
  for (const deployment of deployments) {
    const at = deployment.endedAt ?? deployment.startedAt;
    if (at === undefined || all.some((c) => c.kind === 'deployment' && Math.abs(c.at - at) < SAME_DEPLOYMENT_MS)) continue;
    all.push({ id: `deployment-${deployment.id}`, at, kind: 'deployment', level: 'neutral', title: `Deployment ${oneLine(deployment.id, 40).slice(0, 10)}`, ...(deployment.message === undefined ? {} : { detail: oneLine(deployment.message, 200) }) });
  }
  return all.filter((c) => c.at >= window.from && c.at <= window.to).sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)).slice(-MAX_CHANGES);
}
