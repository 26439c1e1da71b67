// Owns how an HTTP report is said: what was read and left out, bursts, time limits, distinct counts; the same on the page and in the file.
import type { z } from 'zod';
import type { HttpBurst, HttpGroups, HttpLimit, HttpReport, HttpSource } from './http-report.ts';
import { bytes, count, duration, percent, plural } from './units.ts';

export type Burst = HttpBurst;
export type Limit = z.infer<typeof HttpLimit>;
type Share = Burst['shares'][number];

/** "502.3 · 12030" of "502.3.12030"; zeros say nothing and are left out. */
export function keyWord(key: string): string {
  const [status = key, sub, win32] = key.split('.');
  return `${status}${sub === undefined || sub === '0' ? '' : `.${sub}`}${win32 === undefined || win32 === '0' ? '' : ` · ${win32}`}`;
}

/** "1,203", or "1,203 requests"; the noun agrees with its number. */
export const plainCount = (n: number, one?: string): string => (one === undefined ? count(n) : plural(n, one));

/** The status of a key, 0 when it is none. */
export const keyStatus = (key: string): number => Number(/^\d{3}/.exec(key)?.[0] ?? 0);

/** "5.7 %" of "51 of 900"; absent where there is nothing to be a share of. */
export const shareWord = (n: number, of: number): string | undefined => (of === 0 ? undefined : n > 0 && n / of < 0.0005 ? 'under 0.1 %' : percent(Number(((100 * n) / of).toFixed(1))));

/** What the figures stand on, in one line: lines = rows and what was not counted as one, each with its number. */
export function readWords(report: HttpReport): string {
  const read = report.sources.filter((s) => s.format !== 'unknown').length, unread = report.sources.length - read;
  const left = [
    unread > 0 ? `${plural(unread, 'file')} in no format that is known` : '',
    report.malformed > 0 ? plural(report.malformed, 'malformed line') : '',
    report.leftOut > 0 ? `${plural(report.leftOut, 'row')} of the SCM site and of this tool left out` : '',
    report.outside > 0 ? `${plural(report.outside, 'row')} outside the window` : '',
    report.filteredOut > 0 ? `${plural(report.filteredOut, 'row')} left out by the filter` : '',
  ].filter((w) => w !== '');
  return `${plural(report.rows, 'request')} from ${plural(report.lines, 'line')} (${bytes(report.bytes)}) of ${plural(read, 'log')}${left.length === 0 ? '' : `; ${left.join(', ')}`}.`;
}

/** What is wrong with a log, or how sure its format is; absent when all of it was read as what it is. */
export function sourceWords(source: HttpSource): string | undefined {
  const parts = [
    (source.note ?? '').replace(/\.+$/, ''),
    source.malformed > 0 ? `${plural(source.malformed, 'malformed line')}, ${source.malformedAt.length < source.malformed ? 'the first ' : ''}at byte ${source.malformedAt.map(count).join(', ')}` : '',
    source.confidence < 1 && source.confidence > 0 ? `read as ${source.format}, ${percent(Math.round(source.confidence * 100))} sure` : '',
  ].filter((w) => w !== '');
  return parts.length === 0 ? undefined : `${parts.join('; ')}.`;
}

/** "1,203 clients", "about 12,400 clients (at most 0.8 % off)". */
export function distinctWords(groups: { readonly distinct: number; readonly estimated?: number | undefined }, one: string, many = `${one.replace(/y$/, 'ie')}s`): string {
  const word = plural(groups.distinct, one, many);
  return groups.estimated === undefined ? word : `about ${word} (at most ${percent(groups.estimated)} off)`;
}

/** "1,203", or "1,203 to 1,260" where more distinct values came by than are told apart. */
export const countWords = (g: { readonly count: number; readonly maybeMore?: number | undefined }): string => (g.maybeMore === undefined || g.maybeMore === 0 ? count(g.count) : `${count(g.count)} to ${count(g.count + g.maybeMore)}`);

/** What the values beyond those told add up to; absent when all are told. */
export function othersWords(groups: HttpGroups): string | undefined {
  const { count: rows, failures } = groups.others;
  if (rows === 0) return undefined;
  return `${plural(rows, 'request')} of others${failures > 0 ? `, ${count(failures)} failed` : ''}`;
}

/** "14 of 16 requests failed within 3 s, most as 502.3 · 12030". */
export function burstWords(burst: Burst): string {
  const all = burst.failures >= burst.rows;
  const forMs = Math.max(1_000, burst.to - burst.from);
  const how = burst.shares.find((s) => s.dimension === 'status' && s.value === burst.key)?.share;
  const as = how !== undefined && how >= 0.995 ? 'as' : 'most as';
  return `${all ? (burst.rows === 1 ? 'The only request' : `All ${count(burst.rows)} requests`) : `${count(burst.failures)} of ${plural(burst.rows, 'request')}`} failed within ${duration(forMs)}, ${as} ${keyWord(burst.key)}`;
}

const DIMENSIONS: Readonly<Record<Share['dimension'], string>> = { status: 'ended as', route: 'asked for', method: 'were', host: 'went to', client: 'came from', instance: 'ran on', agent: 'came with' };
/** A share that all requests of the time have as well is no clue. */
const CLUE = 0.1;

/** What the failures have in common that other requests of the time have less, strongest first. */
export function sharesWords(burst: Burst): string {
  const clues = burst.shares.filter((s) => s.share - s.ofAll >= CLUE && !(s.dimension === 'status' && s.value === burst.key)).sort((a, b) => (b.share - b.ofAll) - (a.share - a.ofAll));
  if (clues.length === 0) return 'They share nothing that the other requests of that time do not.';
  const one = (s: Share): string => `${percent(Math.round(s.share * 100))} ${DIMENSIONS[s.dimension]} ${s.dimension === 'status' ? keyWord(s.value) : s.value} (of all requests then ${percent(Math.round(s.ofAll * 100))})`;
  const from = burst.sampled === undefined ? '' : ` Told from a sample of ${plural(burst.sampled.failures, 'failure')} and ${count(burst.sampled.rows)} of all requests.`;
  return `${clues.map(one).join('; ')}.${from}`;
}

/** "12 requests took about 230 s", and "the front end's limit. All of them failed. Most of them: POST /export (9)." */
export const limitWhat = (limit: Limit): string => `${plural(limit.count, 'request')} took about ${limitWord(limit.limitMs)}`;
export function limitWords(limit: Limit): string {
  const top = limit.routes[0];
  const failed = limit.failures === 0 ? 'None failed' : limit.failures === limit.count ? (limit.count === 1 ? 'It failed' : 'All of them failed') : `${count(limit.failures)} failed`;
  return `${limit.says}. ${failed}.${top === undefined ? '' : ` ${whereWords(limit, top)}.`}`;
}

/** As many routes as a sentence holds. */
const NAMED_ROUTES = 3;
function whereWords(limit: Limit, top: Limit['routes'][number]): string {
  if (top.count === limit.count) return `${limit.count === 1 ? 'It was' : 'All were'} ${top.method} ${top.route}`;
  const named = limit.routes.slice(0, NAMED_ROUTES);
  const most = named.reduce((n, r) => n + r.count, 0) * 2 > limit.count;
  return `${most ? 'Most of them' : 'On many routes, the most frequent'}: ${named.map((r) => `${r.method} ${r.route} (${count(r.count)})`).join(', ')}`;
}

/** In the order of time, as they are numbered. */
export const burstsOf = (report: HttpReport): readonly Burst[] => [...report.bursts].sort((a, b) => a.from - b.from);

/** Limits are known by their seconds: "230 s", not "3 min 50 s". */
export const limitWord = (limitMs: number): string => `${count(limitMs / 1_000)} s`;

/** "12", "1.2k", "34k", "1.2M": for a cell too narrow for all digits; the exact number is told beside it. */
export function shortCount(n: number): string {
  if (n < 1_000) return String(n);
  const [size, unit] = n < 999_500 ? [n / 1_000, 'k'] as const : [n / 1_000_000, 'M'] as const;
  return `${size < 9.95 ? size.toFixed(1).replace(/\.0$/, '') : Math.round(size)}${unit}`;
}

/** Five shades: a cell's share of the largest one on a scale of roots, so that one failure beside a thousand is still seen. */
export const SHADES = 5;
export function shadeOf(n: number, most: number): number {
  if (n <= 0) return 0;
  return Math.max(1, Math.min(SHADES, Math.ceil(Math.sqrt(n / Math.max(1, most)) * SHADES)));
}

/** Whose failures they were, and what of the time the upstream took: sentences; none where the logs tell of no upstream. */
export function upstreamWords({ upstream }: HttpReport): string[] {
  if (upstream === undefined) return [];
  const { failures: { ofUpstream, ofServer, withoutUpstream }, took, total } = upstream;
  const all = ofUpstream + ofServer + withoutUpstream;
  const parts = [
    ofUpstream > 0 ? `${count(ofUpstream)} came from the upstream or for want of it` : '',
    ofServer > 0 ? `${count(ofServer)} from the server although the upstream had answered` : '',
    withoutUpstream > 0 ? `${count(withoutUpstream)} from the server without asking an upstream` : '',
  ].filter((w) => w !== '');
  const pair = (of: number | undefined, whole: number | undefined): string => `${duration(of ?? 0)}${whole === undefined ? '' : ` of the request's ${duration(whole)}`}`;
  return [
    ...(all === 0 ? [] : [`Of ${plural(all, 'failure')} with a word on the upstream, ${parts.join(', ')}.`]),
    ...(took.p50 === undefined ? [] : [`In the middle the upstream took ${pair(took.p50, total.p50)}; at 95 % ${pair(took.p95, total.p95)}; at most ${duration(took.max ?? 0)}.`]),
  ];
}
