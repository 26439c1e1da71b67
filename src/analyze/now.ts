// Owns the Now screen's answer to "what is wrong?": one sentence, its likely cause, the health in one word, and what was looked at.
import type { Health, Now, ProcessInfo, RequestRow } from '../shared/model.ts';
import type { MetricId } from '../shared/metrics.ts';
import { bytes, count, duration, percent, plural } from '../shared/units.ts';
import { meaning } from '../observe/http-log/meaning.ts';
import type { Observed } from '../observe/observe.ts';
import type { History } from '../store/store.ts';
import { CHANGES_MS, NOW_METRICS, mean, nowFacts, sum, valuesOf } from './now-facts.ts';
import type { NowFacts } from './now-facts.ts';
import { slowBeyondChance } from './causes/healthy.ts';
import { nowCause } from './now-cause.ts';
import { byText, clock, codeName, oneLine, shareText, times } from './parse/words.ts';

const FAILED_SHOWN = 10;
const ERRORS_SHOWN = 10;
const CHANGES_SHOWN = 50;
/** Users notice one failure in a hundred; a single failure is told, but does not turn the page red. */
const FAILING_SHARE = 0.01;
const FAILING_LEAST = 2;
/** Slow is what is slow here: three times the hour before is beyond its noise, and under a second nobody waits. Without an hour before, five seconds. */
const SLOW_FACTOR = 3;
const SLOW_LEAST_MS = 1_000;
const SLOW_ALONE_MS = 5_000;
/** A percentile of fewer requests is the luck of one. */
const SLOW_LEAST_REQUESTS = 20;
/** A stopped site answers nothing but 503.0: so many in a row at the end say it. */
const STOPPED_ROWS = 5;
const COVERED_SHARE = 0.8;
const FAR_LONGER = 'more than 3 times as long as their route usually takes';
const EXPLAINS_BEFORE_MS = 3_600_000;

type State = 'no-log' | 'stopped' | 'crashing' | 'failing' | 'slow' | 'idle' | 'healthy';
interface Looked { readonly facts: NowFacts; readonly hasLog: boolean; readonly workers: readonly ProcessInfo[]; readonly canSeeProcesses: boolean }

/** The landing page of the last `minutes` before `at`, from what the observer holds; reads no log file. */
export async function nowOf(observed: Observed, history: History, minutes: number, at: number): Promise<Now> {
  const facts = await nowFacts(observed, history, minutes, at);
  const processes = observed.processes();
  const looked: Looked = {
    facts, canSeeProcesses: processes.length > 0, workers: processes.filter((p) => p.ours !== true && p.role !== 'scm' && p.role !== 'agent'),
    hasLog: facts.total > 0 || (await observed.logs.catalog(new AbortController().signal)).sources.some((s) => s.kind === 'http'),
  };
  const state = stateOf(looked);
  const cause = state === 'crashing' || state === 'stopped' ? nowCause(facts.story, facts.errors) : undefined;
  return {
    at, from: facts.from, to: facts.to,
    health: { word: WORDS[state], reason: reasonOf(state, looked) },
    verdict: verdictOf(state, looked), detail: detailOf(state, looked), ...(cause === undefined ? {} : { cause: cause.id }), checked: checked(observed, looked),
    tiles: NOW_METRICS.map((id) => tile(id, facts)), stepMs: facts.series.stepMs, strip: facts.strip,
    requests: { total: facts.total, failed: facts.failures, ...(facts.lastAt === undefined ? {} : { lastAt: facts.lastAt }) },
    changes: facts.changes.slice(0, CHANGES_SHOWN), failed: facts.failed.slice(0, FAILED_SHOWN), errors: facts.errors.slice(0, ERRORS_SHOWN),
  };
}

const WORDS: Readonly<Record<State, Health['word']>> = { 'no-log': 'unknown', stopped: 'stopped', crashing: 'failing', failing: 'failing', slow: 'slow', idle: 'healthy', healthy: 'healthy' };

function stateOf({ facts, hasLog, workers, canSeeProcesses }: Looked): State {
  const newestRows = facts.failed.slice(0, STOPPED_ROWS);
  const refusedAtEnd = newestRows.length === STOPPED_ROWS && newestRows.every(isStopped) && newestRows[0]?.at === facts.lastAt;
  const last = facts.changes.find((c) => c.kind === 'stopped' || c.kind === 'start');
  const noWorker = canSeeProcesses && workers.length === 0;
  if (refusedAtEnd || (noWorker && (last?.kind === 'stopped' || facts.story.crashes.length === 0))) return 'stopped';
  if (facts.story.crashes.length > 0) return 'crashing';
  if (facts.failures >= FAILING_LEAST && facts.failures / facts.total >= FAILING_SHARE) return 'failing';
  if (!hasLog) return 'no-log';
  if (isSlow(facts) || slowBeyondChance(facts.waited, facts.total)) return 'slow';
  return facts.total === 0 ? 'idle' : 'healthy';
}

const isStopped = (row: RequestRow): boolean => row.status === 503 && (row.sub ?? 0) === 0;

function isSlow({ p95, p95HourAgo, total }: NowFacts): boolean {
  if (p95 === undefined || total < SLOW_LEAST_REQUESTS) return false;
  return p95HourAgo === undefined ? p95 >= SLOW_ALONE_MS : p95 >= SLOW_LEAST_MS && p95 >= p95HourAgo * SLOW_FACTOR;
}

const lately = (facts: NowFacts): string => `in the last ${facts.minutes === 1 ? 'minute' : `${count(facts.minutes)} minutes`}`;
const failedOf = (facts: NowFacts): string => `${count(facts.failures)} of ${plural(facts.total, 'request')} failed`;

function verdictOf(state: State, { facts }: Looked): string {
  const crashed = `the worker crashed ${times(facts.story.crashes.length)}`;
  switch (state) {
    case 'stopped': return facts.story.crashes.length > 0 ? `The app is stopped: ${crashed} ${lately(facts)}.` : facts.failures > 0 ? `The app is stopped: ${failedOf(facts)} ${lately(facts)}.` : 'The app is not running: no process of the site is there.';
    case 'crashing': return facts.failures > 0 ? `${failedOf(facts)} ${lately(facts)}: ${crashed}.` : `T${crashed.slice(1)} ${lately(facts)}; no failed request was seen.`;
    case 'failing': return `${failedOf(facts)} ${lately(facts)}: ${mostly(facts)}.`;
    case 'slow': return !isSlow(facts) ? `Requests are slow: clients gave up ${count(facts.waited)} of ${count(facts.total)} ${lately(facts)} after waiting ${FAR_LONGER}.` : `Requests are slow: 95 % took up to ${duration(facts.p95 ?? 0)} ${lately(facts)}${facts.p95HourAgo === undefined ? '' : `, ${duration(facts.p95HourAgo)} an hour ago`}.`;
    case 'no-log': return 'Whether requests fail cannot be told: there is no HTTP log.';
    case 'idle': return `No request ${lately(facts)}.`;
    case 'healthy': return healthyVerdict(facts);
  }
}

function healthyVerdict(facts: NowFacts): string {
  if (facts.failures > 0) return `${failedOf(facts)} ${lately(facts)}.`;
  const gone = facts.aborts + facts.waited;
  if (gone > 0) return `No request failed ${lately(facts)}; clients gave up ${count(gone)} of ${count(facts.total)}.`;
  return `All ${plural(facts.total, 'request')} of the last ${facts.minutes === 1 ? 'minute' : `${count(facts.minutes)} minutes`} were answered.`;
}

/** "49 as 502.3 · 12002 (HTTP timed out)": the most frequent code, in words. */
function mostly(facts: NowFacts): string {
  const codes = new Map<string, { n: number; row: RequestRow }>();
  for (const row of facts.failed) {
    const key = codeName(row);
    codes.set(key, { n: (codes.get(key)?.n ?? 0) + 1, row });
  }
  const [top] = [...codes].sort((a, b) => b[1].n - a[1].n || byText(a[0], b[0]));
  if (!top) return 'their codes are no longer in memory';
  const says = top[1].row.reason ?? meaning(top[1].row.status, top[1].row.sub, top[1].row.win32)?.says;
  return `${top[1].n === facts.failed.length ? 'all' : count(top[1].n)} as ${top[0]}${says === undefined ? '' : ` (${says})`}`;
}

function reasonOf(state: State, { facts, workers }: Looked): string {
  switch (state) {
    case 'stopped': return facts.failures > 0 ? 'the newest requests were all answered 503 by the front end' : 'no process of the site is running';
    case 'crashing': return `the worker crashed ${times(facts.story.crashes.length)}${facts.failures > 0 ? ` and ${failedOf(facts)} (${shareText(facts.failures, facts.total)})` : ''}`;
    case 'failing': return `${shareText(facts.failures, facts.total)} of the requests failed; from ${FAILING_SHARE * 100} % on users notice`;
    case 'slow': return !isSlow(facts) ? `${shareText(facts.waited, facts.total)} of the requests were given up by clients that had waited ${FAR_LONGER}` : `p95 is ${duration(facts.p95 ?? 0)}${facts.p95HourAgo === undefined ? `, beyond ${duration(SLOW_ALONE_MS)}` : `, more than ${SLOW_FACTOR} times that of an hour ago`}`;
    case 'no-log': return 'there is no HTTP log';
    case 'idle': return workers.length > 0 ? `no requests; ${plural(workers.length, 'process', 'processes')} of the site ${workers.length === 1 ? 'is' : 'are'} running` : 'no requests, and processes cannot be seen here';
    case 'healthy': return facts.failures > 0 ? `${shareText(facts.failures, facts.total)} failed, under ${FAILING_SHARE * 100} %` : 'no failed request, no crash';
  }
}

function detailOf(state: State, looked: Looked): string[] {
  const { facts } = looked;
  if (state === 'no-log') return ['Turn it on: App Service logs, Web server logging, File System. It is written about a minute late.'];
  if (state === 'slow') return isSlow(facts) ? aborts(facts) : soonAborts(facts);
  if (state === 'idle' || state === 'healthy') return facts.waited > 0 ? aborts(facts) : [];
  if (facts.story.crashes.length > 0) return crashDetail(looked);
  const first = facts.failed.at(-1);
  return [...(first ? [began(first.at, facts)] : []), ...busiest(facts), ...aborts(facts)];
}

function crashDetail({ facts }: Looked): string[] {
  const { story } = facts;
  const [top] = story.culprits;
  const first = story.crashes[0];
  const lines: string[] = [];
  const seen = top?.exception === undefined ? facts.changes.find((c) => c.kind === 'exit' && c.detail !== undefined)?.detail : undefined;
  // What an exit is told with when nothing in memory explains it: the process's own note.
  const what = nowCause(story, facts.errors)?.words ?? (seen === undefined ? undefined : oneLine(seen, 120));
  if (what !== undefined) lines.push(`Likely cause: ${what}${story.trigger === undefined ? '' : `, each time while ${oneLine(story.trigger)} was running`}.`);
  else lines.push('The log lines in memory hold no exception near the exits: Diagnose now reads all of them.');
  if (first) lines.push(began(first.exit.at, facts));
  if (facts.failures > 0) lines.push(`This explains ${count(story.explained)} of ${plural(facts.failures, 'failed request')}${facts.failed.length < facts.failures ? ` (the newest ${count(facts.failed.length)} were looked at)` : ''}.`);
  if (story.culprits.length > 1) lines.push(`${plural(story.culprits.length, 'different cause')}: ${story.culprits.slice(0, 3).map((c) => `${c.exception?.type ?? 'unknown'} ${times(c.crashes.length)}`).join(', ')}.`);
  return [...lines, ...aborts(facts)];
}

/** Since when, and what was changed just before. That it came before is all that is said. */
function began(at: number, facts: NowFacts): string {
  const change = facts.changes.find((c) => (c.kind === 'deployment' || c.kind === 'configuration' || c.kind === 'rule') && c.at <= at + 999 && c.at >= at - EXPLAINS_BEFORE_MS);
  return `Began ${clock(at)}${change === undefined ? '' : `, ${duration(Math.max(0, at - change.at))} after ${oneLine(change.title, 80)}`}.`;
}

/** One route that holds most of the failures is worth naming. */
function busiest(facts: NowFacts): string[] {
  const routes = new Map<string, number>();
  for (const row of facts.failed) routes.set(`${row.method} ${row.route}`, (routes.get(`${row.method} ${row.route}`) ?? 0) + 1);
  const [top] = [...routes].sort((a, b) => b[1] - a[1] || byText(a[0], b[0]));
  return top && top[1] * 2 > facts.failed.length ? [`${count(top[1])} of them were ${oneLine(top[0])}.`] : [];
}

function aborts(facts: NowFacts): string[] {
  return [...(facts.waited === 0 ? [] : [`${plural(facts.waited, 'client')} gave up after waiting ${FAR_LONGER}.`]), ...soonAborts(facts)];
}

function soonAborts(facts: NowFacts): string[] {
  return facts.aborts === 0 ? [] : [`${plural(facts.aborts, 'more was', 'more were')} given up by the client.`];
}

function checked(observed: Observed, { facts, hasLog, workers, canSeeProcesses }: Looked): string[] {
  const failing = observed.health().filter((s) => s.state === 'failing').map((s) => `${oneLine(s.id, 40)} cannot be measured: ${oneLine(s.error ?? 'no reason given', 120)}`);
  const lost = observed.lost().filter((l) => l.count > 0).map((l) => `${count(l.count)} lost: ${oneLine(l.what, 80)}`);
  return [
    hasLog ? `HTTP log: ${plural(facts.total, 'request')}${facts.lastAt === undefined ? '' : `, the last at ${clock(facts.lastAt)}`}` : 'HTTP log: there is none',
    canSeeProcesses ? `Processes: ${workers.length === 0 ? 'none of the site' : workers.slice(0, 3).map((p) => `${oneLine(p.name, 30)} ${p.pid}`).join(', ')}${workers.length > 3 ? ` and ${workers.length - 3} more` : ''}` : 'Processes: cannot be seen here',
    `Exits and changes of ${duration(CHANGES_MS)}: ${count(facts.changes.length)}`, `Error entries: ${count(facts.errors.length)}`, ...failing, ...lost,
  ];
}

/** One of the article's five: requests and CPU time are those of the window, times and sizes its mean, the working set its newest value. */
function tile(metric: MetricId, facts: NowFacts): Now['tiles'][number] {
  const points = valuesOf(facts.series, metric);
  const value = valueOf(metric, facts.series);
  const hourAgo = covered(valuesOf(facts.hourAgo, metric)) ? valueOf(metric, facts.hourAgo) : undefined;
  const note = value === undefined ? undefined : noteOf(metric, value, facts);
  return { metric, ...(value === undefined ? {} : { value }), ...(hourAgo === undefined ? {} : { hourAgo }), ...(note === undefined ? {} : { note }), points: [...points] };
}

/** A window that was measured in part only cannot be compared: a sum over half of it would look like a drop. */
function covered(values: readonly (number | null)[]): boolean {
  return values.length > 0 && values.filter((v) => v !== null).length >= values.length * COVERED_SHARE;
}

function valueOf(metric: MetricId, series: NowFacts['series']): number | undefined {
  const values = valuesOf(series, metric);
  if (metric === 'http.requests' || metric === 'site.cpu-time') return sum(values);
  if (metric === 'http.response-average') return weighted(values, valuesOf(series, 'http.requests'));
  if (metric === 'site.working-set') return values.filter((v) => v !== null).at(-1);
  return mean(values);
}

/** The average of the window weighs each step by its requests: a quiet second must not count as much as a busy one. */
function weighted(values: readonly (number | null)[], weights: readonly (number | null)[]): number | undefined {
  let total = 0;
  let weight = 0;
  values.forEach((value, i) => {
    const w = weights[i];
    if (value === null || w === null || w === undefined) return;
    total += value * w;
    weight += w;
  });
  return weight === 0 ? mean(values) : total / weight;
}

function noteOf(metric: MetricId, value: number, facts: NowFacts): string | undefined {
  const forMs = facts.to - facts.from;
  if (metric === 'http.requests') return `${count((value / forMs) * 1_000)} per second`;
  if (metric === 'site.cpu-time') return `${percent((value / forMs) * 100)} of one core`;
  if (metric !== 'site.working-set') return undefined;
  const peak = valuesOf(facts.series, metric).reduce<number>((top, v) => Math.max(top, v ?? 0), 0);
  return `at most ${bytes(peak)} in the window`;
}
