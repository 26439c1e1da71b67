// Owns the failures of the HTTP page: the heat map as a table with its numbers in it, bursts in words, requests by status.
import { gridOf, linesOf, newIds } from './http-heat.ts';
import type { Grid, HeatLine } from './http-heat.ts';
import type { HttpReport } from './http-report.ts';
import { burstsOf, burstWords, keyWord, shareWord, sharesWords, shortCount } from './http-words.ts';
import type { Drawing } from './report-parts.ts';
import { statusCell } from './http-view-rest.ts';
import { card, instant, table, tableTime, utcForm } from './report-parts.ts';
import { count, duration, plural } from './units.ts';
import { el } from './view.ts';
import type { Element } from './view.ts';

/** As many columns as a printed page has room for readable numbers. */
const MOST_COLUMNS = 24;
/** Every so many columns have a time above them; the others have it for who hears the table. */
const LABEL_EVERY = 4;
const SHOWN_ROWS = 60;

export function failuresCard(report: HttpReport, on: Drawing): Element {
  const grid = gridOf(report.heat, MOST_COLUMNS);
  const fresh = newIds(report);
  const lines = linesOf(report.heat, grid, fresh);
  if (lines.length === 0) return card('Failures', undefined, { id: 'failures' }, el('p', { class: 'empty body' }, 'No request was answered with a status of 500 or above.'));
  const cut = lines.slice(SHOWN_ROWS);
  const hidden = { kinds: report.heat.more === undefined ? undefined : report.heat.more + cut.length, failures: (report.heat.otherFailures ?? 0) + cut.reduce((n, l) => n + l.row.count, 0) };
  const note = `by status, route and time; a column is ${duration(grid.stepMs)}${fresh === undefined || fresh.size === 0 ? '' : `; ${count(fresh.size)} new in the last hour`}`;
  return card('Failures', note, { id: 'failures' }, heatTable(report, grid, lines.slice(0, SHOWN_ROWS), on),
    el('p', { class: 'more' }, hidden.kinds === 0 ? '' : `and ${plural(hidden.failures, 'failure')} of ${hidden.kinds === undefined ? 'more kinds than are told apart' : plural(hidden.kinds, 'more kind')}. `, 'The stronger a cell stands out, the more failures it has; each says its number.'));
}

function heatTable(report: HttpReport, grid: Grid, lines: readonly HeatLine[], on: Drawing): Element {
  const { heat } = report;
  const form = on.days ? 'day' : grid.stepMs >= 60_000 ? 'minute' : 'time';
  const columns = Array.from({ length: grid.columns }, (_, i) => heat.from + i * grid.stepMs);
  const times = columns.map((at, i) => el('th', { scope: 'col', class: 'at' }, el('span', { class: i % LABEL_EVERY === 0 ? undefined : 'sr' }, instant(at, form))));
  const rows = lines.map((line) => {
    const byColumn = new Map(line.cells.map((c) => [c.column, c]));
    const cells = columns.map((_, i) => {
      const c = byColumn.get(i);
      return c === undefined ? el('td', {}) : el('td', { class: `h${c.shade}`, title: `${plural(c.count, 'failure')}, ${utcForm(c.from, 'full')} to ${utcForm(c.to, 'time')} UTC` }, shortCount(c.count));
    });
    return el('tr', {}, el('th', { scope: 'row' }, el('b', { class: 'key' }, keyWord(line.row.key)), el('span', {}, ` ${line.row.method} ${line.row.route}`), line.isNew && el('em', {}, 'new')), el('td', { class: 'num' }, count(line.row.count)), cells);
  });
  return el('div', { class: 'scroll', role: 'group', 'aria-label': 'Failures by status, route and time', tabindex: 0 },
    el('table', { class: 'heat' }, el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'Status and request'), el('th', { scope: 'col', class: 'num' }, 'All'), times)), el('tbody', {}, rows)));
}

export function burstsCard(report: HttpReport, on: Drawing): Element | undefined {
  if (report.bursts.length === 0) return undefined;
  return card('Bursts', 'failures close together, and what they share', { id: 'bursts' }, el('ol', { class: 'chain' }, burstsOf(report).map((b) => el('li', { class: 'root' },
    el('span', { class: 'when' }, tableTime(b.from, on)), el('span', { class: 'rail', 'aria-hidden': 'true' }), el('div', {}, el('h3', {}, `${burstWords(b)}.`), el('p', {}, sharesWords(b)))))));
}

export function statusesCard(report: HttpReport, on: Drawing): Element {
  const ordered = [...report.statuses.filter((s) => s.status >= 500), ...report.statuses.filter((s) => s.status < 500)];
  const rows = ordered.map((s) => [statusCell(keyWord(s.key), s.status), s.reason ?? null, s.count, shareWord(s.count, report.rows) ?? null, s.p50 ?? null, s.p95 ?? null, s.max ?? null, s.firstAt, s.lastAt]);
  return card('By status', 'status.sub · win32', { id: 'statuses' }, table([{ title: 'Status', unit: 'text' }, { title: 'Meaning', unit: 'text' }, { title: 'Requests', unit: 'count' }, { title: 'Share', unit: 'text' }, { title: 'p50', unit: 'ms' }, { title: 'p95', unit: 'ms' }, { title: 'Slowest', unit: 'ms' }, { title: 'First', unit: 'at' }, { title: 'Last', unit: 'at' }], rows, on, 'Requests by status'));
}
