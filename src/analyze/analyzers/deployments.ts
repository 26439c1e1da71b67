// Owns the judgement of deployments and configuration changes: did the failures begin with one?
import type { Finding } from '../../shared/model.ts';
import { ChangesFile, DeploymentsFile } from '../../shared/artifacts.ts';
import type { Deployment } from '../../shared/artifacts.ts';
import { count, duration, plural, utc } from '../../shared/units.ts';
import type { Analyzer } from '../contracts.ts';
import { httpFacts } from '../parse/http-facts.ts';
import type { HttpFacts } from '../parse/http-facts.ts';
import { readAll, unreadableFinding } from '../parse/json-artifacts.ts';
import { byText, clock, oneLine } from '../parse/words.ts';

/** A deployment whose effect shows later than this is not told from any other cause by time alone. */
const BEFORE_FAILURES_MS = 3_600_000;
const TOLD = 10;

interface Marked { readonly at: number; readonly title: string; readonly what: 'deployment' | 'configuration' }

export const deployments: Analyzer = {
  id: 'deployments',
  title: 'Deployments',
  needs: [],
  uses: ['deployments', 'changes', 'http-log'],
  async analyze(given, { window }, cancel) {
    const [read, changed] = [await readAll(given.deployments, DeploymentsFile), await readAll(given.changes, ChangesFile)];
    const all = read.files.flatMap((f) => f.deployments);
    const marks = marksOf(all, changed.files.flatMap((f) => f.changes));
    const http = given['http-log'] ? await httpFacts(given['http-log'], window, cancel) : undefined;
    const findings: Finding[] = [];
    if (read.files.length > 0 || changed.files.length > 0) findings.push(judged(marks.filter((m) => m.at >= window.from - BEFORE_FAILURES_MS && m.at <= window.to), all, http));
    const failed = all.filter((d) => d.status !== undefined && /fail/i.test(d.status) && (d.endedAt ?? d.startedAt ?? 0) >= window.from - BEFORE_FAILURES_MS);
    if (failed.length > 0) findings.push(unsuccessful(failed));
    return [...findings, ...unreadableFinding('deployments', 'deployment', [...read.unreadable, ...changed.unreadable])];
  },
};

/** Deployments by their end, when the new files are all there; the same one may stand in both sources. */
function marksOf(all: readonly Deployment[], changes: readonly { readonly at: number; readonly kind: string; readonly title: string }[]): Marked[] {
  const marks: Marked[] = all.flatMap((d) => { const at = d.endedAt ?? d.startedAt; return at === undefined ? [] : [{ at, title: nameOf(d), what: 'deployment' as const }]; });
  for (const change of changes) {
    if (change.kind !== 'deployment' && change.kind !== 'configuration') continue;
    if (change.kind === 'deployment' && marks.some((m) => Math.abs(m.at - change.at) < 120_000)) continue;
    marks.push({ at: change.at, title: oneLine(change.title), what: change.kind });
  }
  return marks.sort((a, b) => a.at - b.at || byText(a.title, b.title));
}

function nameOf(d: Deployment): string {
  const message = d.message === undefined || d.message.trim() === '' ? '' : ` "${oneLine(d.message, 60)}"`;
  return `Deployment ${oneLine(d.id, 40).slice(0, 10)}${message}${d.deployer === undefined ? '' : ` by ${oneLine(d.deployer, 40)}`}`;
}

function judged(marks: readonly Marked[], all: readonly Deployment[], http: HttpFacts | undefined): Finding {
  const firstFailedAt = http?.codes.filter((c) => c.status >= 500).reduce<number | undefined>((at, c) => (at === undefined || c.firstAt < at ? c.firstAt : at), undefined);
  const before = firstFailedAt === undefined || http?.failures === 0 ? undefined : marks.filter((m) => m.at <= firstFailedAt + 999 && m.at >= firstFailedAt - BEFORE_FAILURES_MS).at(-1);
  if (before && http && firstFailedAt !== undefined) return began(before, firstFailedAt, http);
  const evidence = all.length === 0 ? [] : [history(all)];
  if (marks.length === 0) return { id: 'no-deployment', area: 'deployment', severity: 'good', title: 'Nothing was deployed or configured in the window or the hour before it', why: `${plural(all.length, 'deployment')} on record.`, advice: '', evidence, mitigations: [] };
  const last = marks.at(-1);
  return {
    id: 'deployments-seen', area: 'deployment', severity: 'info', title: `${plural(marks.length, 'change')} in the window or the hour before it, the last: ${last?.title ?? ''} at ${clock(last?.at ?? 0)}`,
    why: http === undefined ? 'Without the HTTP log it cannot be told whether requests failed after it.' : http.failures === 0 ? 'No request failed after it.' : 'The first failed request of the window came before it.', advice: '', evidence, mitigations: [],
  };
}

function began(mark: Marked, firstFailedAt: number, http: HttpFacts): Finding {
  const okBefore = http.buckets.filter((b) => b.at + http.bucketMs <= mark.at).reduce((n, b) => n + b.ok + b.refused, 0);
  return {
    id: `${mark.what}-before-failures`, area: 'deployment', severity: 'warning',
    title: `The first failure came ${duration(Math.max(0, firstFailedAt - mark.at))} after ${mark.title}`,
    why: `${mark.title} was complete at ${clock(mark.at)}; the first failed request of the window is of ${clock(firstFailedAt)}. ${okBefore > 0 ? `Before it ${plural(okBefore, 'request')} of the window went well and none failed.` : 'The window holds no request before it, so whether they failed then is not known.'} That they follow each other is no proof that one caused the other.`,
    advice: `Compare what it changed with the place that fails.\nIf the site must work again now: go back to the deployment before it, or swap the slots back.`,
    evidence: [{ kind: 'series', title: `Failed requests per ${duration(http.bucketMs)}`, metric: 'http.5xx', points: http.buckets.map((b) => [b.at, b.failed]) }], mitigations: [],
  };
}

function unsuccessful(failed: readonly Deployment[]): Finding {
  const last = failed[0];
  return {
    id: 'deployment-failed', area: 'deployment', severity: 'warning', title: `${plural(failed.length, 'deployment')} failed${last ? `: ${nameOf(last)}` : ''}`,
    why: 'A deployment that stops half way can leave old and new files mixed.', advice: 'Read its log (the SCM site, site/deployments) and deploy again.', evidence: [history(failed)], mitigations: [],
  };
}

function history(all: readonly Deployment[]): Finding['evidence'][number] {
  const sorted = [...all].sort((a, b) => (b.endedAt ?? b.startedAt ?? 0) - (a.endedAt ?? a.startedAt ?? 0) || byText(a.id, b.id));
  return {
    kind: 'table', title: `${count(all.length)} on record, newest first`, columns: [{ title: 'Ended', unit: 'text' }, { title: 'Deployment', unit: 'text' }, { title: 'Result', unit: 'text' }, { title: 'Took', unit: 'ms' }, { title: 'Active', unit: 'text' }],
    rows: sorted.slice(0, TOLD).map((d) => [d.endedAt === undefined ? null : utc(d.endedAt), nameOf(d), d.status === undefined ? null : oneLine(d.status, 40), d.endedAt !== undefined && d.startedAt !== undefined ? Math.max(0, d.endedAt - d.startedAt) : null, d.active === true ? 'yes' : null]), more: Math.max(0, sorted.length - TOLD),
  };
}
