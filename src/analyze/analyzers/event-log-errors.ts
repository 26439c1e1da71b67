// Owns the judgement of the event log: its rows grouped by provider and id, with what the known ones mean.
import type { Finding } from '../../shared/model.ts';
import { EventLogFile } from '../../shared/artifacts.ts';
import { count, plural } from '../../shared/units.ts';
import type { Analyzer } from '../contracts.ts';
import type { EventRow } from '../parse/exits.ts';
import { readAll, unreadableFinding } from '../parse/json-artifacts.ts';
import { byText, clock, cut, oneLine, slug, times } from '../parse/words.ts';

const GROUPS_TOLD = 20;
const ROWS_TOLD = 6;

interface Known { readonly severity: Finding['severity']; readonly says: string; readonly why: string; readonly advice: string }
/** Rows whose meaning is documented; provider in small letters, without the words around it. */
const KNOWN: readonly { readonly provider: RegExp; readonly id: number; readonly text?: RegExp; readonly known: Known }[] = [
  { provider: /^httpplatformhandler/i, id: 1002, known: { severity: 'warning', says: 'the worker process crashed', why: 'HttpPlatformHandler saw the worker end with an exit code. Requests in flight on it end as 502.3 · 12030, requests until the next one listens as 502.3 · 12029.', advice: 'The crash finding above tells why, where the application log says it.' } },
  { provider: /^httpplatformhandler/i, id: 1003, known: { severity: 'critical', says: 'rapid-fail protection stopped the app', why: 'The worker failed as often within a minute as the limit allows. From here on the site answers 503.0 without asking the app.', advice: 'Fix what makes the worker crash: it starts again after the minute, and crashes again.\nUndo the last deployment when the crashes began with it.' } },
  { provider: /^httpplatformhandler/i, id: 1000, known: { severity: 'critical', says: 'the worker process failed to start', why: 'The process ended, or did not listen on its port within the start limit. Until it does, every request ends as 502.3.', advice: 'Run the start command in the console of the SCM site and read what it says.\nThe app must listen on the port in `PORT` (`HTTP_PLATFORM_PORT`) within the limit.' } },
  { provider: /^httpplatformhandler/i, id: 1001, text: /fail|error|unable|could not/i, known: { severity: 'critical', says: 'the worker process failed to start', why: 'HttpPlatformHandler could not start the process.', advice: 'Check processPath and arguments in web.config.' } },
  { provider: /^httpplatformhandler/i, id: 1001, known: { severity: 'info', says: 'the worker process started', why: 'A start is a fact, not a fault. Many of them are restarts.', advice: '' } },
  { provider: /^application error/i, id: 1000, known: { severity: 'critical', says: 'a process crashed in native code', why: 'Windows ended the process after an exception in native code; the row names the module and the exception code.', advice: 'Note module and exception code.\nA crash dump shows the stack: collect a memory dump of the worker, or set up a dump at crash.' } },
  { provider: /^\.net runtime/i, id: 1026, known: { severity: 'critical', says: 'a .NET process ended of an unhandled exception', why: 'No handler caught the exception, and .NET ends the process then.', advice: 'The row holds type and stack: fix the topmost frame of your own code, and handle errors of background threads and timers.' } },
  { provider: /^\.net runtime/i, id: 0, text: /change notification|recycl/i, known: { severity: 'info', says: 'a changed file recycled the app', why: 'ASP.NET restarts the app when a watched file changes: a deployment, or something that writes into wwwroot.', advice: 'When nobody deployed: find what writes into wwwroot.' } },
  { provider: /^asp\.net/i, id: 1309, known: { severity: 'warning', says: 'an unhandled exception or a time-out in a request', why: 'ASP.NET answered the request with 500. The row holds the exception and the URL.', advice: 'Fix the topmost frame of your own code.' } },
  { provider: /aspnetcore module/i, id: 1000, known: { severity: 'critical', says: 'the ASP.NET Core module reports a failed start', why: 'The app did not start; requests end as 500.3x or 502.5.', advice: 'Read the row and the stdout log.' } },
];
const RECYCLED = /requested recycle due to '([^']{1,40})'|recycle[^.]{0,60}due to '?([A-Za-z ]{1,40})'? limit/i;

interface Group { readonly provider: string; readonly id: number; readonly known: Known; readonly slug: string; readonly rows: EventRow[] }

export const eventLogErrors: Analyzer = {
  id: 'event-log-errors',
  title: 'Event log',
  needs: ['event-log'],
  async analyze(given) {
    const { files, unreadable } = await readAll(given['event-log'], EventLogFile);
    const rows = files.flatMap((file) => file.rows).sort((a, b) => a.at - b.at || (a.record ?? 0) - (b.record ?? 0));
    const groups = grouped(rows);
    const findings = groups.filter((g) => g.known.severity !== 'info' || g.slug.startsWith('recycled')).slice(0, GROUPS_TOLD).map(told);
    const quiet = files.length > 0 && !groups.some((g) => g.known.severity !== 'info');
    return [...findings, ...(quiet ? [nothing(rows)] : []), ...unreadableFinding('event-log-errors', 'events', unreadable)];
  },
};

function grouped(rows: readonly EventRow[]): Group[] {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const made = kindOf(row);
    const group = groups.get(made.slug) ?? { provider: row.provider, id: row.id, ...made, rows: [] };
    groups.set(made.slug, group);
    group.rows.push(row);
  }
  return [...groups.values()].sort((a, b) => b.rows.length - a.rows.length || byText(a.slug, b.slug));
}

function kindOf(row: EventRow): { known: Known; slug: string } {
  const recycled = RECYCLED.exec(row.text.slice(0, 2_000));
  if (recycled) return recycle(recycled[1] ?? recycled[2] ?? 'a');
  const entry = KNOWN.find((k) => k.provider.test(row.provider) && k.id === row.id && (k.text?.test(row.text.slice(0, 2_000)) ?? true));
  if (entry) return { known: entry.known, slug: `event-${slug(row.provider)}-${row.id}${entry.known.severity === 'info' ? '-notice' : ''}` };
  const severity = row.level === 'error' ? 'warning' : 'info';
  return { slug: `event-${slug(row.provider)}-${row.id}${row.level === 'error' ? '' : `-${row.level}`}`, known: { severity, says: 'an error', why: 'The meaning of this event is the provider\'s own; its text stands below.', advice: 'Compare its times with those of the failed requests.' } };
}

function recycle(limit: string): { known: Known; slug: string } {
  return {
    slug: `recycled-by-${slug(limit)}`,
    known: { severity: 'warning', says: `an auto-heal rule recycled the worker for its '${oneLine(limit, 40)}' limit`, why: 'A rule of the site (auto-heal, or proactive auto-heal of the platform) ended the worker. Requests in flight on it fail, and the next ones wait for the start.', advice: 'Look at what reached the limit: the rule hides it, it does not cure it.' },
  };
}

function told(group: Group): Finding {
  const [first, last] = [group.rows[0], group.rows.at(-1)];
  const when = !first || !last ? '' : first === last ? ` at ${clock(first.at)}` : `, first at ${clock(first.at)}, last at ${clock(last.at)}`;
  return {
    id: group.slug, area: 'events', severity: group.known.severity,
    title: `${oneLine(group.provider, 60)} ${group.id}, ${times(group.rows.length)}: ${group.known.says}${when}`,
    why: group.known.why, advice: group.known.advice,
    evidence: [{
      kind: 'table', title: 'Events, newest first', columns: [{ title: 'Time (UTC)', unit: 'at' }, { title: 'Level', unit: 'text' }, { title: 'Text', unit: 'text' }],
      rows: group.rows.slice(-ROWS_TOLD).reverse().map((row) => [row.at, row.level, cut(row.text, 1_500)]), more: Math.max(0, group.rows.length - ROWS_TOLD),
    }], mitigations: [],
  };
}

function nothing(rows: readonly EventRow[]): Finding {
  const starts = rows.filter((row) => row.level === 'info').length;
  return {
    id: 'event-log-quiet', area: 'events', severity: 'good', title: rows.length === 0 ? 'The event log has no event in the window' : `No error among ${plural(rows.length, 'event')} of the event log`,
    why: rows.length === 0 ? 'Crashes, failed starts and recycles would stand there.' : `${count(starts)} of them are plain notices; no crash, no failed start, no recycle.`, advice: '', evidence: [], mitigations: [],
  };
}
