// Owns how the page writes times, changes and shares: local time of day with UTC on hover, true minus signs, one sentence each.
import type { Health, Offer, Role, SessionState, Step } from '../shared/model.ts';
import { metric, type MetricId } from '../shared/metrics.ts';
import { bytes, count, duration, percent, utc } from '../shared/units.ts';

const two = (n: number): string => String(n).padStart(2, '0');
const DAY = 86_400_000;

/** "02:14:07" in the reader's zone. */
export function time(at: number): string {
  const d = new Date(at);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** "02:14:07.113" in the reader's zone. */
export const timeMs = (at: number): string => `${time(at)}.${String(at % 1_000).padStart(3, '0')}`;

/** "2026-11-21 02:14:07" in the reader's zone. */
export function dayTime(at: number): string {
  const d = new Date(at);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${time(at)}`;
}

/** The time alone when it is within twelve hours of `now`, with its day otherwise. */
export const shortTime = (at: number, now: number): string => (Math.abs(now - at) < DAY / 2 ? time(at) : dayTime(at).slice(5));

/** For a title: the full instant in UTC. */
export const utcTitle = (at: number): string => utc(at);

/** "UTC+1", "UTC−3:30", "UTC". */
export function zone(at: number): string {
  const minutes = -new Date(at).getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const rest = Math.abs(minutes) % 60;
  return `UTC${minutes < 0 ? '−' : '+'}${Math.floor(Math.abs(minutes) / 60)}${rest === 0 ? '' : `:${two(rest)}`}`;
}

/** "31 s ago"; "just now" below a second and for a clock that is ahead. */
export function ago(at: number, now: number): string {
  const forMs = now - at;
  return forMs < 1_000 ? 'just now' : `${duration(Math.floor(forMs / 1_000) * 1_000)} ago`;
}

const sign = (n: number): string => (n < 0 ? '−' : n > 0 ? '+' : '±');

export interface Delta { readonly text: string; readonly worse: boolean }
/** A rise of these by more than a half is worth colour; fewer requests are not worse by themselves. */
const WORSE_WHEN_UP: ReadonlySet<MetricId> = new Set(['http.response-average', 'site.cpu-time', 'site.working-set', 'site.average-working-set']);
const WORSE_SHARE = 0.5;

/** The change against an hour ago: times as a difference, others as a share; absent when either is not known. */
export function delta(id: MetricId, value: number | undefined, hourAgo: number | undefined): Delta | undefined {
  if (value === undefined || hourAgo === undefined) return undefined;
  const by = value - hourAgo;
  const share = hourAgo === 0 ? undefined : by / hourAgo;
  const worse = WORSE_WHEN_UP.has(id) && share !== undefined && share > WORSE_SHARE;
  if (id === 'http.response-average') return { text: `${sign(by)}${duration(Math.abs(by))} to an hour ago`, worse };
  if (share === undefined) return { text: by === 0 ? 'as an hour ago' : 'none an hour ago', worse };
  if (Math.abs(share) < 0.005) return { text: 'as an hour ago', worse: false };
  if (share > 9) return { text: `${count(Number((value / hourAgo).toFixed(0)))} times an hour ago`, worse };
  return { text: `${sign(by)}${Math.abs(Math.round(share * 100))} % to an hour ago`, worse };
}

/** A number and its unit apart, for large figures with a small unit. */
export function split(text: string): { readonly number: string; readonly unit: string } {
  const at = text.indexOf(' ');
  return at < 0 ? { number: text, unit: '' } : { number: text.slice(0, at), unit: text.slice(at + 1) };
}

/** A metric's value as its row says. */
export function value(id: MetricId, n: number | null | undefined): string {
  if (n === null || n === undefined) return '–';
  const { unit } = metric(id);
  if (unit === 'bytes') return bytes(n);
  if (unit === 'ms') return duration(n);
  if (unit === 'percent') return percent(n);
  return count(n);
}

/** "502.3 · 12030"; what the log left out stays out. */
export function statusWord(row: { readonly status: number; readonly sub?: number | undefined; readonly win32?: number | undefined }): string {
  const sub = row.sub === undefined || row.sub === 0 ? '' : `.${row.sub}`;
  const win32 = row.win32 === undefined || row.win32 === 0 ? '' : ` · ${row.win32}`;
  return `${row.status}${sub}${win32}`;
}

/** The class of an HTTP status: colour and weight for what is not well. */
export const statusMark = (status: number): string => (status >= 500 ? 'code bad' : status >= 400 ? 'code warn' : 'plain-code');

export const HEALTH_WORDS: Readonly<Record<Health['word'], string>> = { healthy: 'Healthy', slow: 'Slow', failing: 'Failing', stopped: 'Stopped', unknown: 'Unknown' };
export const ROLE_WORDS: Readonly<Record<Role, string>> = { worker: 'worker', node: 'Node', php: 'PHP', java: 'Java', dotnet: '.NET', python: 'Python', scm: 'SCM', agent: 'agent', other: 'other' };
export const STATE_WORDS: Readonly<Record<SessionState, string>> = { running: 'Running', done: 'Done', partial: 'Partial', failed: 'Failed', cancelled: 'Cancelled', interrupted: 'Interrupted' };
export const STEP_WORDS: Readonly<Record<Step['state'], string>> = { waiting: 'waiting', running: 'running', done: 'done', failed: 'failed', skipped: 'not run', cancelled: 'cancelled' };

/** Parts of a sentence with `code` in backticks, so that it can be shown as code without any markup in it. */
export function inline(text: string): readonly { readonly code: boolean; readonly text: string }[] {
  return text.split('`').map((part, i, all) => ({ code: i % 2 === 1 && i < all.length - 1, text: part })).filter((p) => p.text !== '');
}

/** Why something is not offered, as a sentence. */
export const whyNot = ({ because = 'the agent gave no reason' }: Offer): string => `Not possible here: ${because.replace(/\.$/, '')}.`;
