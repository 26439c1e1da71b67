// Owns the report: findings in order, the sentence that stands first, the timeline, and what could not be collected. Pure: same input, same bytes.
import type { AppInfo, ArtifactKind, Finding, ProcessInfo, Report, Session, Severity, Step } from '../shared/model.ts';
import type { Diagnosis } from '../shared/cause.ts';
import { count, plural } from '../shared/units.ts';
import type { Given } from './contracts.ts';
import { briefOf, httpFacts } from './parse/http-facts.ts';
import type { HttpBrief, Window } from './parse/http-facts.ts';
import { byText, clock, oneLine, shareText } from './parse/words.ts';
import { causeHeadline } from './report-headline.ts';
import { timelineOf } from './report-timeline.ts';
export { reportHtml } from './report-html.ts';

export interface ReportGiven {
  readonly session: Session;
  readonly app: AppInfo;
  readonly toolVersion: string;
  readonly target?: ProcessInfo;
  readonly window: Window;
  readonly findings: readonly Finding[];
  readonly readers: Given;
  /** The causes, where the step that names them ran. */
  readonly diagnosis?: Diagnosis | undefined;
  /** Of the HTTP log, when an analyzer has read it already; without it the log is read here. */
  readonly http?: HttpBrief | undefined;
}

const SEVERITIES: readonly Severity[] = ['critical', 'warning', 'cannot-tell', 'info', 'good'];
/** Causes before effects: a crash stands before the 502s it made, and an event before the requests it hit. */
const AREAS: readonly Finding['area'][] = ['application', 'memory', 'process', 'events', 'deployment', 'environment', 'http', 'collection'];
/** A step of these that did not run leaves no gap: the app is not of that kind. */
const OF_A_KIND = new Set(['php-error-log', 'node-report']);
const ALSO_TOLD = 2;

/** The report of a session that has ended. @throws what the readers of the HTTP log throw */
export async function makeReport(given: ReportGiven): Promise<Report> {
  const { session, app, window, readers } = given;
  const http = given.http ?? (readers['http-log'] ? briefOf(await httpFacts(readers['http-log'], window, new AbortController().signal)) : undefined);
  const findings = [...given.findings, ...collection(session.steps)].sort(inOrder);
  return {
    version: 1,
    tool: { name: 'AppServiceDiag', version: given.toolVersion },
    session: session.id,
    madeAt: session.endedAt ?? session.madeAt,
    askedBy: session.askedBy,
    ...(session.reason === undefined ? {} : { reason: session.reason }),
    window: { from: window.from, to: window.to },
    app,
    ...(given.target === undefined ? {} : { target: given.target }),
    state: session.state,
    headline: causeHeadline(given.diagnosis, gaps(session)) ?? headline(findings, http, session),
    steps: session.steps,
    causes: given.diagnosis?.causes.slice() ?? [],
    ...(given.diagnosis === undefined ? {} : { accounting: given.diagnosis.accounting }),
    findings,
    timeline: await timelineOf(readers, window, http),
    artifacts: [...session.artifacts].sort((a, b) => byText(a.instance, b.instance) || byText(a.name, b.name)),
    masked: masked(session),
  };
}

function inOrder(a: Finding, b: Finding): number {
  return SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || AREAS.indexOf(a.area) - AREAS.indexOf(b.area) || byText(a.id, b.id);
}

function headline(findings: readonly Finding[], http: HttpBrief | undefined, session: Session): Report['headline'] {
  const top = findings.find((f) => f.severity === 'critical') ?? findings.find((f) => f.severity === 'warning');
  const missing = gaps(session);
  if (top) return { severity: top.severity, text: sentence(top.title), detail: [top.why, ...failures(http, top), ...also(findings, top), ...missing] };
  if (http && http.total > 0) {
    const checks = findings.filter((f) => f.severity === 'good').length;
    return { severity: 'good', text: `Nothing failed in ${plural(http.total, 'request')}.`, detail: [`${plural(checks, 'check')} found nothing wrong.`, ...aborts(http), ...missing] };
  }
  if (session.state === 'failed') return { severity: 'cannot-tell', text: 'Nothing could be collected, so nothing can be told.', detail: missing };
  const why = http ? 'the HTTP log has no request in the window' : 'there is no HTTP log to look at';
  return { severity: 'cannot-tell', text: `Whether requests failed cannot be told: ${why}.`, detail: [...findings.filter((f) => f.severity === 'cannot-tell').slice(0, 1).map((f) => f.why), ...missing] };
}

const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

/** The user's trouble in numbers: failed requests, since when, and what was before. */
function failures(http: HttpBrief | undefined, top: Finding): string[] {
  if (!http || http.total === 0) return [];
  if (http.failures === 0) return [`No request failed among ${count(http.total)}.`];
  const { failing } = http;
  if (top.area === 'http' && failing.length === 1) return [];
  const firstAt = failing.reduce((at, c) => Math.min(at, c.firstAt), Infinity);
  const before = http.buckets.filter((b) => b.at + http.bucketMs <= firstAt).reduce((n, b) => n + b.ok + b.refused, 0);
  return [`In all ${count(http.failures)} of ${plural(http.total, 'request')} failed (${shareText(http.failures, http.total)}), the first at ${clock(firstAt)}${before > 0 ? `; before it ${count(before)} in a row went well` : ''}.`, ...aborts(http)];
}

function aborts(http: HttpBrief): string[] {
  const soon = http.aborts - http.waited;
  return [
    ...(http.waited === 0 ? [] : [`${plural(http.waited, 'client')} gave up after waiting more than 3 times as long as their route usually takes.`]),
    ...(soon === 0 ? [] : [`${plural(soon, 'more was', 'more were')} given up by the client, which is not the app's fault.`]),
  ];
}

/** Other critical findings; where a crash is told first, the failing codes are its effect and are told below. */
function also(findings: readonly Finding[], top: Finding): string[] {
  return findings.filter((f) => f !== top && f.severity === 'critical' && (f.area !== 'http' || top.area === 'http')).slice(0, ALSO_TOLD).map((f) => sentence(`Also: ${f.title}`));
}

const unsuccessful = (step: Step): boolean => step.state === 'failed' || step.state === 'cancelled' || (step.state === 'skipped' && step.stage === 'collect' && !OF_A_KIND.has(step.id));

function gaps(session: Session): string[] {
  const failed = session.steps.filter((s) => s.state === 'failed' || s.state === 'cancelled');
  if (failed.length === 0) return [];
  return [`${plural(failed.length, 'step')} of ${count(session.steps.length)} did not succeed (${failed.slice(0, 4).map((s) => oneLine(s.title, 60)).join(', ')}${failed.length > 4 ? ', …' : ''}): what ${failed.length === 1 ? 'it' : 'they'} would have shown is missing here.`];
}

/** Steps that failed, were stopped or could not run: one finding that says what is missing and how to get it. */
function collection(steps: readonly Step[]): Finding[] {
  const open = steps.filter(unsuccessful);
  if (open.length === 0) return [];
  const failed = open.filter((s) => s.state === 'failed').length;
  return [{
    id: 'collection-incomplete', area: 'collection', severity: 'cannot-tell',
    title: failed > 0 ? `${plural(failed, 'step')} of ${count(steps.length)} failed${open.length > failed ? `, ${count(open.length - failed)} did not run` : ''}: ${titles(open)}` : `${plural(open.length, 'step')} of ${count(steps.length)} did not run: ${titles(open)}`,
    why: 'What these steps would have shown took no part in this report. Where it could change the verdict, get it as the table says and diagnose again.', advice: '',
    evidence: [{ kind: 'table', columns: [{ title: 'Step', unit: 'text' }, { title: 'Result', unit: 'text' }, { title: 'Why, and how to get it', unit: 'text' }, { title: 'Code', unit: 'code' }], rows: open.map((s) => [oneLine(s.title, 80), s.state === 'skipped' ? 'not run' : s.state, oneLine(s.because ?? 'no reason was given', 400), s.code ?? null]) }], mitigations: [],
  }];
}

function titles(steps: readonly Step[]): string {
  return `${steps.slice(0, 3).map((s) => oneLine(s.title, 60)).join(', ')}${steps.length > 3 ? ` and ${count(steps.length - 3)} more` : ''}`;
}

const MASKED_WHAT: Readonly<Partial<Record<ArtifactKind, string>>> = { 'http-log': 'cookies and secret parameters of requests', environment: 'variables whose name or value speaks of a secret', 'process-list': 'secrets in command lines', 'open-files': 'secrets in names of files', 'node-report': 'secrets in the environment and in texts' };

function masked(session: Session): Report['masked'] {
  return session.artifacts.flatMap((ref) => (ref.masked === undefined || ref.masked === 0 ? [] : [{ where: ref.name, what: MASKED_WHAT[ref.kind] ?? 'secrets in texts', count: ref.masked }]))
    .sort((a, b) => byText(a.where, b.where));
}
