// Owns the HTTP report and its rows on a terminal: failures first, then latency, then traffic, then what was read.
import type { HttpGroups, HttpReport } from '../shared/http-report.ts';
import { headline } from '../shared/http-view.ts';
import { burstWords, distinctWords, limitWords, othersWords, readWords, shareWord, sourceWords, upstreamWords } from '../shared/http-words.ts';
import type { RequestRow } from '../shared/model.ts';
import { count, duration, plural, utc } from '../shared/units.ts';
import { colour, print, safeLine, table, wrap } from './print.ts';

const BURSTS = 5;
const LIMITS = 5;
const GROUPS = 5;
/** Notes on sources that are shown; the rest is counted. */
const SOURCES = 10;

/** `limit`: lines of the tables of statuses and routes. */
export function printHttp(report: HttpReport, limit: number): void {
  print(colour('bold', headline(report)));
  print(colour('dim', `${utc(report.from)} to ${utc(report.to)}`));
  if (report.rows > 0) {
    failures(report, limit);
    latency(report, limit);
    traffic(report, limit);
  }
  read(report);
}

function failures(report: HttpReport, limit: number): void {
  const failed = report.statuses.filter(({ status }) => status >= 500);
  if (failed.length > 0) {
    section('Failures by status');
    print(table(['STATUS', 'ROWS', 'SHARE', 'P95', 'FIRST', 'LAST', 'SAYS'], failed.slice(0, limit).map((one) => [one.key, count(one.count), shareWord(one.count, report.rows) ?? '', ms(one.p95), utc(one.firstAt), utc(one.lastAt), safeLine(one.reason ?? '')]), [1, 2, 3]));
    rest(failed.length - limit, 'status', 'statuses');
    const routes = report.routes.filter((one) => one.failures > 0);
    section('Failures by route');
    print(table(['ROUTE', 'FAILED', 'OF', 'P95'], routes.slice(0, limit).map((one) => [name(one), count(one.failures), count(one.count), ms(one.p95)]), [1, 2, 3]));
    rest(routes.length - limit, 'route');
  }
  const upstream = upstreamWords(report);
  if (upstream.length > 0) {
    section('Upstream');
    for (const line of upstream) print(wrap(line, '    ', '  '));
  }
  if (report.bursts.length > 0) {
    section('Bursts');
    for (const burst of report.bursts.slice(0, BURSTS)) print(wrap(safeLine(burstWords(burst)), '    ', '  '));
    rest(report.bursts.length - BURSTS, 'burst');
  }
}

function latency(report: HttpReport, limit: number): void {
  const { p50, p95, p99, max } = report.total;
  if (max === undefined) return;
  section('Latency');
  print(`  p50 ${ms(p50)}, p95 ${ms(p95)}, p99 ${ms(p99)}, longest ${ms(max)}`);
  for (const one of report.limits.slice(0, LIMITS)) print(wrap(safeLine(limitWords(one)), '    ', '  '));
  const slow = report.routes.filter((one) => one.p95 !== undefined).sort((a, b) => (b.p95 ?? 0) - (a.p95 ?? 0));
  print(table(['SLOWEST ROUTES', 'P50', 'P95', 'P99', 'LONGEST', 'ROWS'], slow.slice(0, limit).map((one) => [name(one), ms(one.p50), ms(one.p95), ms(one.p99), ms(one.max), count(one.count)]), [1, 2, 3, 4, 5]));
  rest(slow.length - limit, 'route');
}

function traffic(report: HttpReport, limit: number): void {
  section('Traffic');
  const busy = [...report.routes].sort((a, b) => b.count - a.count);
  print(table(['ROUTE', 'ROWS', 'FAILED', '4XX'], busy.slice(0, limit).map((one) => [name(one), count(one.count), count(one.failures), count(one.clientErrors)]), [1, 2, 3]));
  const { count: others, distinct, estimated } = report.otherRoutes;
  if (others > 0) print(colour('dim', `  and ${plural(others, 'request')} on ${distinctWords({ distinct, ...(estimated === undefined ? {} : { estimated }) }, 'other route')}`));
  else rest(busy.length - limit, 'route');
  for (const [word, groups] of [['clients', report.clients], ['hosts', report.hosts], ['user agents', report.agents], ['instances', report.instances]] as const) group(word, groups);
}

function group(word: string, groups: HttpGroups): void {
  if (groups.distinct === 0) return;
  const told = [...groups.top].sort((a, b) => b.count - a.count).slice(0, GROUPS).map((one) => `${safeLine(one.name)} ${count(one.count)}${one.failures > 0 ? ` (${count(one.failures)} failed)` : ''}`);
  const others = groups.top.length > GROUPS || othersWords(groups) !== undefined;
  print(wrap(`${word}: ${told.join(', ')}${others ? `, … of ${count(groups.distinct)}` : ''}`, '    ', '  '));
}

function read(report: HttpReport): void {
  print();
  print(colour('dim', wrap(readWords(report), '')));
  const told = report.sources.map((source) => [source.source, sourceWords(source)] as const).filter(([, words]) => words !== undefined);
  for (const [source, words] of told.slice(0, SOURCES)) print(colour('dim', wrap(`${safeLine(source)}: ${safeLine(words ?? '')}`, '    ', '  ')));
  rest(told.length - SOURCES, 'log');
}

/** Newest first, one a line. */
export function printRows(rows: readonly RequestRow[], more: boolean): void {
  if (rows.length === 0) { print('No row.'); return; }
  print(table(['TIME', 'STATUS', 'TOOK', 'REQUEST', 'CLIENT', 'WHERE'], rows.map((row) => [
    new Date(row.at).toISOString().replace('.000Z', 'Z'), [row.status, row.sub, row.win32].filter((part) => part !== undefined).join('.'), ms(row.takenMs),
    safeLine(`${row.method} ${row.path}${row.query === undefined ? '' : `?${row.query}`}`), safeLine(row.client ?? ''), safeLine(`${row.source}:${row.offset}`),
  ]), [2]));
  if (more) print(colour('dim', 'There are older ones: --limit shows more, --to goes back.'));
}

function section(title: string): void {
  print();
  print(colour('bold', title));
}

function rest(left: number, one: string, many?: string): void {
  if (left > 0) print(colour('dim', `  and ${many === undefined ? plural(left, `more ${one}`) : plural(left, `more ${one}`, `more ${many}`)}`));
}

const name = ({ method, route }: { method: string; route: string }): string => safeLine(`${method} ${route}`);
const ms = (forMs: number | undefined): string => (forMs === undefined ? '' : duration(forMs));
