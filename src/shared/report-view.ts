// Owns how a report reads: one pure function from report to a neutral tree, drawn alike by the file and by the page.
import type { Finding, Report, Step } from './model.ts';
import { bytes, count, duration, plural } from './units.ts';
import { SEVERITY_WORDS, adviceSteps, card, evidence, instant, paragraphs, prose, severityTag, table } from './report-parts.ts';
import type { Drawing } from './report-parts.ts';
import { causeCards, causeChain, topCause } from './report-causes.ts';
import { timelineCard, windowText } from './report-timeline.ts';
import { windowLink, windowOfFinding } from './report-windows.ts';
import { el } from './view.ts';
import type { Element, View } from './view.ts';
export type { View } from './view.ts';

/** From here on a time of day alone would be ambiguous. */
const NEEDS_DAYS_MS = 20 * 3_600_000;
/** The advice boxes beside each other: stop it, fix it, be told. */
const BOXES = 3;

/** The whole report as one tree. The order is that of a good incident review: verdict, what to do, how it happened, proof, what ran. */
export function reportView(report: Report): View {
  const on: Drawing = { days: report.window.to - report.window.from > NEEDS_DAYS_MS };
  const cause = topCause(report);
  const top = topFinding(report);
  const steps = cause === undefined ? top && report.causes[0]?.id !== 'healthy' ? top.advice : '' : cause.advice.join('\n');
  const how = cause === undefined ? top && howItHappened(top, on) : causeChain(cause, on);
  return el('article', { class: 'report' },
    head(report), verdict(report), steps !== '' && advice(steps), how, ...causeCards(report, on), timelineCard(report, on),
    findings(report, cause === undefined ? top : undefined, on), openQuestions(report, on), inOrder(report, on), whatRan(report, on), files(report, on), masked(report, on), foot(report));
}

function head(report: Report): Element {
  const { app } = report;
  const part = (name: string, ...value: readonly View[]): Element => el('span', {}, `${name} `, el('b', {}, value));
  return el('header', { class: 'head' }, el('span', {}, el('b', {}, app.site)), part('instance', app.instance), part('machine', app.machine),
    el('span', {}, 'window ', el('b', {}, windowText(report.window.from, report.window.to)), ' ', el('span', { class: 'zone' }, 'UTC')),
    part('session', report.session), part('asked by', report.askedBy), ...(report.reason === undefined ? [] : [part('because', report.reason)]),
    ...(report.target === undefined ? [] : [part('process', `${report.target.name} ${report.target.pid}`)]));
}

function verdict(report: Report): Element {
  const { severity, text, detail } = report.headline;
  return el('div', { class: 'verdict' }, el('span', { class: `pill ${severity}` }, [SEVERITY_WORDS[severity], ...tally(report)].join(' · ')),
    el('h1', {}, text), el('div', { class: 'lead' }, detail.map((line) => el('p', {}, prose(line)))));
}

function tally(report: Report): string[] {
  const of = (severity: Finding['severity']): number => report.findings.filter((f) => f.severity === severity).length;
  const words = [
    of('critical') > 1 ? plural(of('critical'), 'critical finding') : '',
    of('warning') > 0 ? plural(of('warning'), 'warning') : '',
    report.state === 'partial' ? 'not all steps succeeded' : report.state === 'done' ? '' : `session ${report.state}`,
  ];
  return words.filter((word) => word !== '');
}

/** What the headline speaks of: the first finding, unless nothing is wrong. */
function topFinding(report: Report): Finding | undefined {
  const first = report.findings[0];
  return first?.severity === 'critical' || first?.severity === 'warning' ? first : undefined;
}

function advice(text: string): Element {
  const steps = adviceSteps(text).slice(0, BOXES);
  return el('section', { class: `card do of-${steps.length}`, 'aria-label': 'What to do' }, steps.map((step, i) => el('div', {},
    el('h2', {}, el('span', { class: 'n' }, String(i + 1)), step.label ?? 'Do this'), el('p', {}, prose(step.text)))));
}

function chainOf(finding: Finding): Finding['evidence'][number] | undefined {
  return finding.evidence.find((piece) => piece.kind === 'table' && piece.drawn === 'chain');
}

function howItHappened(top: Finding, on: Drawing): Element | undefined {
  const piece = chainOf(top);
  if (piece?.kind !== 'table') return undefined;
  return card('How it happened', piece.title, { id: 'how' }, evidence({ ...piece, title: undefined }, on));
}

function findings(report: Report, top: Finding | undefined, on: Drawing): Element | undefined {
  const shown = report.findings.filter((f) => f.severity === 'critical' || f.severity === 'warning' || f.severity === 'info');
  if (shown.length === 0) return undefined;
  return card('Findings', plural(shown.length, 'finding'), { id: 'findings' }, ...shown.map((f) => one(report, f, f === top, on)));
}

/** One finding, open; the chain of the first one stands above already. */
function one(report: Report, finding: Finding, isTop: boolean, on: Drawing): Element {
  const told = isTop ? chainOf(finding) : undefined;
  return el('details', { class: 'finding', id: `finding-${finding.id}`, open: true },
    el('summary', {}, severityTag(finding.severity), el('h3', {}, finding.title), el('span', { class: 'area' }, finding.area)),
    el('div', { class: 'finding-body' }, paragraphs(finding.why), windowLink(windowOfFinding(report, finding), on), adviceList(finding.advice), proof(finding.evidence.filter((e) => e !== told), on)));
}

function proof(pieces: Finding['evidence'], on: Drawing): Element | undefined {
  return pieces.length === 0 ? undefined : el('div', { class: 'proof' }, pieces.map((piece) => evidence(piece, on)));
}

function adviceList(text: string): Element | undefined {
  const steps = adviceSteps(text);
  if (steps.length === 0) return undefined;
  return el('ul', { class: 'advice' }, steps.map((s) => el('li', {}, s.label !== undefined && el('b', {}, `${s.label}: `), prose(s.text))));
}

function openQuestions(report: Report, on: Drawing): Element | undefined {
  const open = report.findings.filter((f) => f.severity === 'cannot-tell');
  if (open.length === 0) return undefined;
  return card('What could not be told', 'and what would settle it', { id: 'open-questions' }, ...open.map((f) => one(report, f, false, on)));
}

function inOrder(report: Report, on: Drawing): Element | undefined {
  const good = report.findings.filter((f) => f.severity === 'good');
  if (good.length === 0) return undefined;
  return card('Checked and in order', plural(good.length, 'check'), { id: 'in-order' },
    table([{ title: 'Area', unit: 'text' }, { title: 'What was seen', unit: 'text' }, { title: 'How it was judged', unit: 'text' }], good.map((f) => [el('span', { class: 'tag good' }, f.area), f.title, f.why]), on, 'Checked and in order'));
}

const STATE_WORDS: Readonly<Record<Step['state'], string>> = { waiting: 'not begun', running: 'not ended', done: 'done', failed: 'failed', skipped: 'not run', cancelled: 'cancelled' };

function whatRan(report: Report, on: Drawing): Element | undefined {
  const { steps } = report;
  if (steps.length === 0) return undefined;
  const done = steps.filter((s) => s.state === 'done').length;
  const tookMs = steps.reduce((sum, s) => sum + (s.tookMs ?? 0), 0);
  const rows = steps.map((s) => [s.stage === 'collect' ? 'collect' : 'analyze', s.title,
    el('span', {}, el('span', { class: `step ${s.state}` }, STATE_WORDS[s.state]), stepNote(s)), s.tookMs ?? null]);
  return card('What ran', `${count(done)} of ${plural(steps.length, 'step')} done, ${duration(tookMs)} of work`, { id: 'what-ran' },
    table([{ title: 'Stage', unit: 'text' }, { title: 'Step', unit: 'text' }, { title: 'Result', unit: 'text' }, { title: 'Time', unit: 'ms' }], rows, on, 'What ran'));
}

function stepNote(step: Step): string {
  const note = step.because ?? step.note ?? '';
  return `${note === '' ? '' : ` ${note}`}${step.code === undefined ? '' : ` (${step.code})`}`;
}

function files(report: Report, on: Drawing): Element | undefined {
  const { artifacts } = report;
  if (artifacts.length === 0) return undefined;
  const total = artifacts.reduce((sum, a) => sum + a.bytes, 0);
  const rows = artifacts.map((a) => [el('code', { 'data-artifact': a.name, 'data-instance': a.instance }, a.name), a.kind, a.bytes, a.masked ?? null, a.sha256, a.note ?? null]);
  return card('Files', `${plural(artifacts.length, 'file')}, ${bytes(total)}, all in the bundle`, { id: 'files', class: 'files' },
    table([{ title: 'Name', unit: 'code' }, { title: 'Kind', unit: 'text' }, { title: 'Size', unit: 'bytes' }, { title: 'Masked', unit: 'count' }, { title: 'SHA-256', unit: 'code' }, { title: 'Note', unit: 'text' }], rows, on, 'Files'));
}

function masked(report: Report, on: Drawing): Element | undefined {
  if (report.masked.length === 0) return undefined;
  const total = report.masked.reduce((sum, m) => sum + m.count, 0);
  return card('Masked', `${plural(total, 'value')} replaced before anything was kept`, { id: 'masked' },
    table([{ title: 'Where', unit: 'code' }, { title: 'What', unit: 'text' }, { title: 'Values', unit: 'count' }], report.masked.map((m) => [m.where, m.what, m.count]), on, 'Masked'));
}

function foot(report: Report): Element {
  const { app, tool } = report;
  const facts = [`${tool.name} ${tool.version}`, app.os, app.runtime, app.plan, app.hostName].filter((f) => f !== undefined);
  return el('footer', {}, el('p', {}, 'Made by ', facts.join(' · '), ' · ', instant(report.madeAt, 'full'), ' UTC'),
    el('p', {}, 'The same input gives the same report. Times are UTC', el('span', { class: 'zone-note' }, ''), '.'));
}
