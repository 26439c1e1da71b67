// Owns what rows of the event log mean as changes: crashes with exit codes, failed starts, recycles.
import type { EventLogRow } from '../platform/platform.ts';
import { maskText } from '../shared/mask.ts';
import type { Change } from '../shared/model.ts';

/** A change without its id, or an exit that still has to find its process. */
export interface EventChange extends Omit<Change, 'id'> {
  /** The end of the process `pid`: joins what is known of that exit. */
  readonly ends?: boolean;
}

const MAX_DETAIL = 200;
/** Texts of events are bounded by the platform; patterns look at this much. */
const MAX_TEXT = 4_000;

type Reader = (row: EventLogRow, text: string) => Omit<EventChange, 'at'> | undefined;

/** Provider and event id to what it means. Sources: HttpPlatformHandler's and ANCM's event tables, W3SVC-WP's auto-heal rows. */
const READERS: Readonly<Record<string, Reader>> = {
  'HttpPlatformHandler 1000': (_row, text) => failedStart(text),
  'HttpPlatformHandler 1002': (_row, text) => crash(text),
  'HttpPlatformHandler 1003': (_row, text) => ({ kind: 'stopped', level: 'critical', title: 'The application is stopped: too many failures in a minute (rapid-fail protection)', detail: firstLine(text) }),
  'W3SVC-WP 2299': (_row, text) => recycle(text),
  'IIS-Process-Monitoring 9020': (_row, text) => recycle(text),
  '.NET Runtime 1026': (_row, text) => ({ kind: 'exit', level: 'critical', title: 'A .NET process ended by an unhandled exception', detail: dotnetException(text) }),
  '.NET Runtime 0': (_row, text) => /recycl|shut ?down|change notification/i.test(text) ? { kind: 'restart', level: 'neutral', title: 'The application domain was recycled', detail: firstLine(text) } : undefined,
  'Application Error 1000': (_row, text) => faulting(text),
  'ASP.NET 1309': () => undefined,
};

/** What a row says has changed; undefined for the many rows that report no change. */
export function eventChange(row: EventLogRow): EventChange | undefined {
  const text = row.text.slice(0, MAX_TEXT);
  const provider = /^ASP\.NET \d/.test(row.provider) ? 'ASP.NET' : row.provider;
  const read = READERS[`${provider} ${row.id}`] ?? (row.provider === 'IIS AspNetCore Module V2' && row.level === 'error' ? aspNetCore : undefined);
  const found = read?.(row, text);
  return found === undefined ? undefined : { ...found, at: row.at };
}

function crash(text: string): Omit<EventChange, 'at'> | undefined {
  const pid = pidOf(text);
  const ended = endOf(text);
  if (pid === undefined) return { kind: 'exit', level: 'critical', title: `The app's process crashed${sayEnd(ended)}`, ...ended };
  return { kind: 'exit', level: 'critical', title: exitTitle('Worker', pid, ended), pid, ...ended, ends: true };
}

function failedStart(text: string): Omit<EventChange, 'at'> {
  const pid = pidOf(text);
  const ended = endOf(text);
  const title = pid === undefined ? 'The app\'s process could not be started' : `Worker ${pid} did not start listening${sayEnd(ended)}`;
  return { kind: 'exit', level: 'critical', title, detail: firstLine(text), ...(pid === undefined ? {} : { pid, ends: true }), ...ended };
}

function recycle(text: string): Omit<EventChange, 'at'> {
  const limit = /due to '?([A-Za-z ]{1,40}?)'? limit/i.exec(text)?.[1];
  return { kind: 'restart', level: 'warning', title: limit === undefined ? 'Auto-heal recycled the worker' : `Auto-heal recycled the worker: limit "${limit}"`, detail: firstLine(text) };
}

function faulting(text: string): Omit<EventChange, 'at'> {
  const hex = /Faulting process id: 0x([0-9a-f]{1,8})\b/i.exec(text)?.[1];
  const name = /Faulting application name: ([^,\n]{1,80})/i.exec(text)?.[1];
  const code = /Exception code: (0x[0-9a-f]{1,8})/i.exec(text)?.[1];
  const module = /Faulting module name: ([^,\n]{1,80})/i.exec(text)?.[1];
  const detail = [code === undefined ? undefined : `exception ${code}`, module === undefined ? undefined : `in ${module}`].filter((part) => part !== undefined).join(' ');
  const pid = hex === undefined ? undefined : Number.parseInt(hex, 16);
  return { kind: 'exit', level: 'critical', title: `${clean(name ?? 'A process')} crashed`, detail: clean(detail === '' ? firstLine(text) : detail), ...(pid === undefined || pid === 0 ? {} : { pid, ends: true }) };
}

function aspNetCore(_row: EventLogRow, text: string): Omit<EventChange, 'at'> {
  const ended = endOf(text);
  const pid = pidOf(text);
  return { kind: 'exit', level: 'critical', title: `The ASP.NET Core app failed to start${sayEnd(ended)}`, detail: firstLine(text), ...ended, ...(pid === undefined ? {} : { pid, ends: true }) };
}

/** "Exception Info: System.InvalidOperationException: message" as .NET Runtime 1026 writes it. */
function dotnetException(text: string): string {
  return clean(/Exception Info: ([^\r\n]{1,300})/.exec(text)?.[1] ?? firstLine(text));
}

function pidOf(text: string): number | undefined {
  const digits = /\bprocess(?: id)?:? '?(\d{1,9})\b/i.exec(text)?.[1];
  const pid = Number(digits);
  return digits === undefined || pid === 0 ? undefined : pid;
}

export interface End { readonly exitCode?: number; readonly signal?: string }

function endOf(text: string): End {
  const code = /exit code:? '?(-?\d{1,10}|0x[0-9a-f]{1,8})\b/i.exec(text)?.[1];
  const signal = /\bsignal (SIG[A-Z0-9]{2,10})\b/.exec(text)?.[1];
  return { ...(code === undefined ? {} : { exitCode: Number(code) }), ...(signal === undefined ? {} : { signal }) };
}

/** "Worker 5988 exited with code 1", "Worker 5988 was ended by SIGKILL". */
export function exitTitle(what: string, pid: number, end: End): string {
  return end.signal === undefined ? `${what} ${pid} exited${sayEnd(end)}` : `${what} ${pid} was ended by ${end.signal}`;
}

function sayEnd(end: End): string {
  if (end.signal !== undefined) return ` (${end.signal})`;
  return end.exitCode === undefined ? '' : ` with code ${end.exitCode}`;
}

function firstLine(text: string): string {
  return clean(text.trim().split(/\r?\n/, 1)[0] ?? '');
}

function clean(text: string): string {
  const masked = maskText(text.trim()).text;
  return masked.length > MAX_DETAIL ? `${masked.slice(0, MAX_DETAIL - 1)}…` : masked;
}
