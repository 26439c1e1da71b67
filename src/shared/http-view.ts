// Owns how an HTTP report reads as one page of its own: failures first, then latency, then traffic, then the rows and what was read; one neutral tree.
import type { HttpReport } from './http-report.ts';
import { failuresCard, burstsCard, statusesCard } from './http-view-failures.ts';
import { dimensionsCards, latencyCard, limitsCard, rowsCard, routesCard, trafficCard } from './http-view-rest.ts';
import { keyWord, plainCount, readWords, shareWord, sourceWords, upstreamWords } from './http-words.ts';
import type { Drawing } from './report-parts.ts';
import { card, instant, table } from './report-parts.ts';
import { windowText } from './report-timeline.ts';
import { duration, plural } from './units.ts';
import { el } from './view.ts';
import type { Element, View } from './view.ts';

/** What stands around the figures: who made the file, when, and from what filter. */
export interface HttpViewFrame { readonly madeAt: number; readonly tool: { readonly name: string; readonly version: string }; readonly filter?: string }

/** From here on a time of day alone would be ambiguous. */
const NEEDS_DAYS_MS = 20 * 3_600_000;

/** The whole page. Times are UTC, as in the log; the file's script shows them in local time. */
export function httpView(report: HttpReport, frame: HttpViewFrame): View {
  const on: Drawing = { days: report.to - report.from > NEEDS_DAYS_MS };
  return el('article', { class: 'report http-report' },
    head(report, frame), verdict(report),
    report.rows > 0 && [failuresCard(report, on), burstsCard(report, on), statusesCard(report, on), latencyCard(report), routesCard(report, on), limitsCard(report, on), rowsCard('Slowest requests', 'slowest', report.slowest, on), trafficCard(report), ...dimensionsCards(report, on), rowsCard('Failed requests, newest first', 'failed', report.failed, on, report.failures)],
    sourcesCard(report, on), foot(frame));
}

function head(report: HttpReport, frame: HttpViewFrame): Element {
  const part = (name: string, ...value: readonly View[]): Element => el('span', {}, `${name} `, el('b', {}, value));
  return el('header', { class: 'head' }, el('span', {}, el('b', {}, 'HTTP log')), part('window', ...windowText(report.from, report.to), ' ', el('span', { class: 'zone' }, 'UTC')),
    ...(frame.filter === undefined || frame.filter === '' ? [] : [part('filter', el('code', {}, frame.filter))]), part('read', plural(report.sources.length, 'log')));
}

function verdict(report: HttpReport): Element {
  const { failures, rows } = report;
  const tone = rows === 0 ? 'cannot-tell' : failures === 0 ? 'good' : 'critical';
  return el('div', { class: 'verdict' }, el('span', { class: `pill ${tone}` }, rows === 0 ? 'No requests' : failures === 0 ? 'None failed' : plural(failures, 'failure')),
    el('h1', {}, headline(report)), el('div', { class: 'lead' }, leads(report).map((line) => el('p', {}, line))));
}

export function headline({ failures, rows, malformed }: HttpReport): string {
  if (rows === 0) return malformed > 0 ? `No request could be read: ${plural(malformed, 'line')} are malformed.` : 'No request was found.';
  if (failures === 0) return `All ${plainCount(rows, 'request')} were answered with a status below 500.`;
  return `${plainCount(failures)} of ${plainCount(rows, 'request')} failed${failures === rows ? '' : ` (${shareWord(failures, rows) ?? ''})`}.`;
}

function leads(report: HttpReport): string[] {
  const status = report.statuses.find((s) => s.status >= 500);
  const worst = report.heat.rows.find((r) => r.key === status?.key);
  const { p50, p95, p99, max } = report.total;
  return [
    status === undefined ? '' : `${plainCount(status.count)} ended as ${keyWord(status.key)}${status.reason === undefined ? '' : ` (${status.reason})`}${worst === undefined ? '' : `, most often ${worst.method} ${worst.route}: ${plural(worst.count, 'time')}`}.`,
    p50 === undefined || p95 === undefined || p99 === undefined || max === undefined ? '' : `Half of the requests took up to ${duration(p50)}, 95 % up to ${duration(p95)}, 99 % up to ${duration(p99)}, the slowest ${duration(max)}.`,
    ...upstreamWords(report),
    readWords(report),
  ].filter((line) => line !== '');
}

function sourcesCard(report: HttpReport, on: Drawing): Element {
  const rows = report.sources.map((s) => [s.source, s.format, s.bytes, s.lines, s.rows, s.comments, s.malformed, s.from ?? null, s.to ?? null, sourceWords(s) ?? null]);
  return card('What was read', plural(report.sources.length, 'log'), { id: 'sources' },
    table([{ title: 'Log', unit: 'code' }, { title: 'Format', unit: 'text' }, { title: 'Size', unit: 'bytes' }, { title: 'Lines', unit: 'count' }, { title: 'Rows', unit: 'count' }, { title: 'Comments', unit: 'count' }, { title: 'Malformed', unit: 'count' }, { title: 'First', unit: 'at' }, { title: 'Last', unit: 'at' }, { title: 'Note', unit: 'text' }], rows, on, 'What was read'),
    el('p', { class: 'more' }, `${plural(report.lines, 'line')} = ${plural(report.rows, 'row')} + ${plural(report.comments, 'comment')} + ${plural(report.malformed, 'malformed line')} + ${plainCount(report.leftOut)} left out + ${plainCount(report.outside)} outside the window + ${plainCount(report.filteredOut)} left out by the filter.`));
}

function foot({ tool, madeAt }: HttpViewFrame): Element {
  return el('footer', {}, el('p', {}, `Made by ${tool.name} ${tool.version} · `, instant(madeAt, 'full'), ' UTC'),
    el('p', {}, 'Counts are exact; percentiles are at most 0.5 % off, the slowest is exact. A failure is a status of 500 or above. Times are UTC', el('span', { class: 'zone-note' }, ''), '.'));
}
