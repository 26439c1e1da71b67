// Owns ends, starts, restarts and changes of the app as events: event log, what was seen to change, deployments, and what dying processes wrote.
import type { Change } from '../../shared/model.ts';
import type { Deployment } from '../../shared/artifacts.ts';
import { exitsOf, type EventRow } from '../parse/exits.ts';
import { oneLine } from '../parse/words.ts';
import type { ChangeEvent, DeathEvent, ExitEvent, RestartEvent, StartEvent } from './event.ts';
import type { LogEvents } from './read-logs.ts';

export interface Lives {
  /** Since when somebody would have seen a process end. */
  readonly watchedFrom: number;
  readonly exits: readonly ExitEvent[]; readonly starts: readonly StartEvent[]; readonly restarts: readonly RestartEvent[]; readonly changes: readonly ChangeEvent[];
}

/** What writes into the event log when a worker ends. */
const HOSTS = /HttpPlatformHandler|AspNetCore|^WAS$|Application Error|Windows Error Reporting|\.NET Runtime/i;

/** An agent that has just begun saw no end before it; the event log may have. */
function watchedFrom(events: readonly EventRow[], changes: readonly Change[]): number {
  const [first] = changes.filter(({ kind }) => kind === 'agent' || kind === 'start' || kind === 'exit').sort((a, b) => a.at - b.at);
  const began = changes.find(({ kind, id, at }) => kind === 'agent' && id === `agent:${at}`);
  if (began === undefined || first === undefined || events.some(({ provider }) => HOSTS.test(provider))) return Number.NEGATIVE_INFINITY;
  // What began with the agent is what it found.
  return began.at - first.at <= FOUND_MS ? began.at : Number.NEGATIVE_INFINITY;
}

/** The event log is exact, sampling sees an exit up to two seconds later, and a fault is told by several rows. */
const SAME_MS = 10_000;
/** A deployment as Kudu records it and as the agent saw it. */
const SAME_CHANGE_MS = 120_000;
/** The first list of processes and the word of the agent's start. */
const FOUND_MS = 5_000;
/** A stop that was asked for has happened by then. */
const ASKED_MS = 35_000;

export function livesOf(given: { readonly events: readonly EventRow[]; readonly changes: readonly Change[]; readonly deployments: readonly Deployment[]; readonly logs: LogEvents; readonly deaths?: readonly (DeathEvent & { readonly at: number })[]; readonly hasExits: boolean }): Lives {
  const restarts = restartsOf(given.events, given.changes);
  const changes = changesOf(given.changes, given.deployments);
  const starts = startsOf(given.events, given.changes);
  const seen = exitsOf(given.events, given.changes).map((exit): ExitEvent => {
    const change = given.changes.find((c) => c.kind === 'exit' && c.pid === exit.pid && Math.abs(c.at - exit.at) <= SAME_MS);
    const told = given.events.find((row) => row.at === exit.at && row.text.includes(String(exit.pid ?? '')));
    const startedAt = Number(/^exit:\d+:(\d+)$/.exec(change?.id ?? '')?.[1] ?? NaN);
    const start = starts.filter((s) => s.pid === exit.pid && s.at <= exit.at).at(-1)?.at;   // the observer names an exit whose start it did not see by the exit's own time
    const asked = restarts.some((r) => Math.abs(exit.at - r.at) <= ASKED_MS) || changes.some((c) => exit.at >= c.at - 1_000 && exit.at - c.at <= ASKED_MS);
    // A process that ends with 0 although nobody asked for it ends by itself: the event log calls that a crash.
    const byItself = exit.code === 0 && !asked && exit.from !== 'changes';
    return {
      at: exit.at, pid: exit.pid, code: exit.code, signal: exit.signal, planned: (exit.planned && !byItself) || (asked && exit.signal === 'SIGTERM') || (exit.from === 'changes' && wasAsked(exit, given.events)), starting: exit.starting,
      startedAt: Number.isNaN(startedAt) || startedAt >= exit.at ? start : startedAt, said: change?.detail, instance: told?.computer,
      proof: told ? { where: `event log, ${told.provider} ${told.id}`, line: oneLine(told.text, 300) } : { where: 'what was seen to change', line: change?.title },
    };
  });
  const faults = faultsOf(given.events).filter((fault) => !seen.some((exit) => same(exit, fault)));
  const all = withDeaths([...seen, ...faults], given.deaths ?? []);
  return { watchedFrom: watchedFrom(given.events, given.changes), exits: [...all, ...(given.hasExits ? [] : fromLogs(given.logs))].sort((a, b) => a.at - b.at || (a.pid ?? 0) - (b.pid ?? 0)), starts, restarts, changes };
}

/** A dump knows better what its process died of than who saw it end; without anybody who saw it, it is the end. */
function withDeaths(exits: readonly ExitEvent[], deaths: readonly (DeathEvent & { readonly at: number })[]): ExitEvent[] {
  const all = [...exits];
  for (const { pid, at, signal, said, thrown, proof } of deaths) {
    const twin = pid === undefined ? -1 : all.findIndex((e) => e.pid === pid);
    const seen = all[twin];
    if (seen) all[twin] = { ...seen, signal: seen.signal ?? (seen.code === undefined ? signal : undefined), said: said ?? seen.said, thrown, planned: false };
    else all.push({ at, pid, code: signal === undefined ? 1 : undefined, signal, planned: false, starting: false, startedAt: undefined, said, instance: undefined, thrown, proof });
  }
  return all;
}

/** The handler that starts an app writes a row when it crashes. One that it saw start, and of whose end it has nothing to say while it starts the next, was asked to end. */
function wasAsked(exit: { readonly at: number; readonly pid?: number | undefined; readonly code?: number | undefined; readonly signal?: string | undefined }, events: readonly EventRow[]): boolean {
  if (exit.pid === undefined || exit.code !== undefined || exit.signal !== undefined) return false;
  const names = (row: EventRow): boolean => new RegExp(`process '?${exit.pid}\\b`, 'i').test(row.text);
  const own = events.filter(names);
  const handler = own.find((row) => row.id === 1001 && row.at <= exit.at)?.provider;
  return handler !== undefined && !own.some((row) => row.level === 'error' && row.at >= exit.at - SAME_MS) && events.some((row) => row.provider === handler && row.id === 1001 && Math.abs(row.at - exit.at) <= ASKED_MS && !names(row));
}

function same(a: Pick<ExitEvent, 'at' | 'pid'>, b: Pick<ExitEvent, 'at' | 'pid'>): boolean {
  return Math.abs(a.at - b.at) <= SAME_MS && (a.pid === undefined || b.pid === undefined || a.pid === b.pid);
}

/** Rows that tell of a process's end in words of their own: a fault of a module, an unhandled .NET exception, a failed start of ASP.NET Core. */
function faultsOf(events: readonly EventRow[]): ExitEvent[] {
  const found: ExitEvent[] = [];
  for (const row of events) {
    const native = row.provider === 'Application Error' && row.id === 1000;
    const managed = row.provider === '.NET Runtime' && (row.id === 1026 || row.id === 1023 || row.id === 1025);
    const unstarted = /AspNetCore Module/.test(row.provider) && row.level === 'error';
    if (!native && !managed && !unstarted) continue;
    const hex = /Faulting process id: 0x([0-9a-f]{1,8})\b/i.exec(row.text)?.[1];
    const fault: ExitEvent = {
      at: row.at, pid: hex === undefined ? undefined : Number.parseInt(hex, 16), code: undefined, signal: native ? /Exception code: (0x[0-9a-f]{1,8})/i.exec(row.text)?.[1] : undefined, planned: false, starting: unstarted, startedAt: undefined,
      said: oneLine(/Exception Info: ([^\r\n]{1,300})/.exec(row.text)?.[1] ?? row.text.split('\n')[0] ?? '', 240), instance: row.computer, proof: { where: `event log, ${row.provider} ${row.id}`, line: oneLine(row.text, 300) },
    };
    const twin = found.findIndex((f) => same(f, fault));
    const before = found[twin];
    if (before) found[twin] = { ...before, signal: before.signal ?? fault.signal, pid: before.pid ?? fault.pid };
    else found.push(fault);
  }
  return found;
}

/** Said by a runtime when the process ends of it; PHP and web frameworks say "fatal" and "unhandled" of one request. */
const LAST_WORDS = /(?:^|\n)Node\.js v\d|(?:^|\n)Unhandled exception\. |(?:^|\n)panic: |Exception in thread "main"|process was terminated|triggerUncaughtException/;

/** Where nobody saw exits, an exception that nothing catches is one: the runtime's own last words. */
function fromLogs(logs: LogEvents): ExitEvent[] {
  const of = (at: number, pid: number | undefined, code: number, where: string): ExitEvent => ({ at, pid, code, signal: undefined, planned: false, starting: false, startedAt: undefined, said: undefined, instance: undefined, proof: { where } });
  const thrown = logs.exceptions.filter((e) => LAST_WORDS.test(e.sample.text)).flatMap((e) => e.seen.filter((s) => s.fatal && s.at !== undefined).map((s) => of(s.at as number, s.pid, 1, oneLine(e.sample.source, 120))));
  const heap = logs.signs.filter((s) => s.sign === 'js-heap-out').flatMap((s) => s.times.map((at) => of(at, [...s.pids][0], 134, s.proof.where)));
  const kept: ExitEvent[] = [];
  for (const exit of [...thrown, ...heap].sort((a, b) => a.at - b.at)) if (!kept.some((k) => Math.abs(k.at - exit.at) < 1_000 && k.pid === exit.pid)) kept.push(exit);
  return kept;
}

function startsOf(events: readonly EventRow[], changes: readonly Change[]): StartEvent[] {
  const listening = events.filter((row) => row.id === 1001 && /started successfully/i.test(row.text)).map((row): StartEvent => ({
    at: row.at, pid: numberIn(/process '?(\d{1,9})/i, row.text), listening: true, port: numberIn(/port '?(\d{1,5})/i, row.text), proof: { where: `event log, ${row.provider} ${row.id}` },
  }));
  const started = changes.filter((c) => c.kind === 'start').map((c): StartEvent => ({ at: c.at, pid: c.pid, listening: false, port: undefined, proof: { where: 'what was seen to change' } }));
  return [...listening, ...started].sort((a, b) => a.at - b.at);
}

function numberIn(pattern: RegExp, text: string): number | undefined {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

const RULE = /auto-?heal|\brule\b|\blimit\b|proactive|watchdog/i;

function restartsOf(events: readonly EventRow[], changes: readonly Change[]): RestartEvent[] {
  const seen = changes.filter((c) => c.kind === 'restart' || c.kind === 'rule' || c.kind === 'stopped').map((c): RestartEvent => ({
    at: c.at, by: c.kind === 'stopped' ? 'stopped' : c.kind === 'rule' || RULE.test(c.title) ? 'rule' : 'user', said: oneLine(c.detail === undefined ? c.title : `${c.title}: ${c.detail}`, 200), proof: { where: 'what was seen to change', line: c.title },
  }));
  for (const row of events) {
    const by = restartOf(row);
    if (by === undefined || seen.some((r) => Math.abs(r.at - row.at) <= SAME_MS && (r.by === by || by === 'platform'))) continue;
    seen.push({ at: row.at, by, said: oneLine(row.text, 200), proof: { where: `event log, ${row.provider} ${row.id}`, line: oneLine(row.text, 300) } });
  }
  return seen.sort((a, b) => a.at - b.at);
}

/** Sources: the tables of W3SVC-WP, IIS-Process-Monitoring and HttpPlatformHandler. */
function restartOf(row: EventRow): RestartEvent['by'] | undefined {
  const text = row.text.slice(0, 2_000);
  if (/requested recycle due to|requested (?:a )?recycle/i.test(text) || row.id === 9020) return 'rule';
  if (/rapid[- ]?fail|exceeded (?:the )?(?:maximum )?(?:number of )?(?:rapid )?fail|has been (?:automatically )?disabled|too many failures/i.test(text)) return 'stopped';
  if (/change notification|configuration (?:file )?change|CONFIG change|HostingEnvironment initiated shutdown|recycl/i.test(text) && row.provider !== 'HttpPlatformHandler') return 'platform';
  return undefined;
}

function changesOf(changes: readonly Change[], deployments: readonly Deployment[]): ChangeEvent[] {
  const seen = changes.filter((c) => c.kind === 'deployment' || c.kind === 'configuration').map((c): ChangeEvent => ({
    at: c.at, kind: c.kind === 'deployment' ? 'deployment' : 'configuration', said: oneLine(c.detail === undefined ? c.title : `${c.title}: ${c.detail}`, 160), failed: c.level === 'critical', proof: { where: 'what was seen to change', line: c.title },
  }));
  for (const one of deployments) {
    const at = one.endedAt ?? one.startedAt;
    if (at === undefined || seen.some((c) => c.kind === 'deployment' && Math.abs(c.at - at) < SAME_CHANGE_MS)) continue;
    const message = one.message === undefined ? '' : `: ${oneLine(one.message, 80)}`;
    seen.push({ at, kind: 'deployment', said: `Deployment ${oneLine(one.id, 10).replace(/….*$/, '')}${message}`, failed: one.status === 'failed', proof: { where: 'deployments.json', line: one.id } });
  }
  return seen.sort((a, b) => a.at - b.at);
}
