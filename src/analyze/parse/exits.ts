// Owns what is known of worker exits: event log rows and observed changes brought together, each exit once.
import type { Change } from '../../shared/model.ts';
import type { EventLogFile } from '../../shared/artifacts.ts';

export type EventRow = EventLogFile['rows'][number];
/** The end of a process, as everyone tells it. */
export interface ProcessEnd {
  readonly at: number;
  readonly pid: number | undefined;
  readonly code: number | undefined;
  readonly signal: string | undefined;
  /** It ended by a request: a restart, a stop, a recycle, SIGTERM, or exit code 0. */
  readonly planned: boolean;
  /** It ended before it ever listened. */
  readonly starting: boolean;
}

export interface Exit extends ProcessEnd {
  readonly from: 'event-log' | 'changes' | 'both';
  /** What was known of its reason when it was told: a note that the process left, its last error entry. */
  readonly reason?: string;
}

/** The same exit seen by two observers: the event log is exact, sampling sees it up to two seconds later. */
const SAME_EXIT_MS = 10_000;
/** A restart asked for takes at most a grace of 30 s until the old process is gone. */
const RESTART_MS = 35_000;

const CRASHED = /process\s+'?(\d{1,10})'?[^\n]{0,120}?crashed with exit code\s+'?(-?\d{1,12})'?(?:\s*\(signal (SIG[A-Z0-9]{1,12})\))?/i;
const NOT_LISTENING = /process\s+'?(\d{1,10})'?[^\n]{0,120}?failed to listen[^\n]{0,120}?ended with exit code\s+'?(-?\d{1,12})'?(?:\s*\(signal (SIG[A-Z0-9]{1,12})\))?/i;

/** All exits, oldest first. */
export function exitsOf(events: readonly EventRow[], changes: readonly Change[]): Exit[] {
  const restarts = changes.filter((c) => c.kind === 'restart').map((c) => c.at);
  const planned = (at: number, code: number | undefined, signal: string | undefined): boolean =>
    code === 0 || code === 143 || signal === 'SIGTERM' || restarts.some((asked) => at >= asked - 1_000 && at <= asked + RESTART_MS);
  const found: Exit[] = [];
  for (const row of events) {
    const exit = ofEvent(row);
    if (exit) found.push({ ...exit, planned: planned(exit.at, exit.code, exit.signal) });
  }
  for (const change of changes) {
    if (change.kind !== 'exit') continue;
    const twin = found.findIndex((e) => e.from === 'event-log' && Math.abs(e.at - change.at) <= SAME_EXIT_MS && (change.pid === undefined || e.pid === change.pid));
    const seen = found[twin];
    const reason = change.detail === undefined ? {} : { reason: change.detail };
    if (seen) found[twin] = { ...seen, ...reason, from: 'both', planned: seen.planned || asked(change) || planned(change.at, seen.code, seen.signal) };
    else found.push({ at: change.at, pid: change.pid, code: change.exitCode, signal: change.signal, planned: asked(change) || planned(change.at, change.exitCode, change.signal), starting: false, from: 'changes', ...reason });
  }
  return found.sort((a, b) => a.at - b.at || (a.pid ?? 0) - (b.pid ?? 0));
}

/** The observer calls an exit neutral when it knows who asked for it. */
const asked = (change: Change): boolean => change.level === 'neutral' || change.level === 'good';

function ofEvent(row: EventRow): Omit<Exit, 'planned'> | undefined {
  const text = row.text.slice(0, 4_000);
  const crashed = CRASHED.exec(text);
  const match = crashed ?? NOT_LISTENING.exec(text);
  if (!match) return undefined;
  return { at: row.at, pid: Number(match[1]), code: Number(match[2]), signal: match[3], starting: crashed === null, from: 'event-log' };
}

/** Starts and "listening" events, oldest first: where a gap without a worker ends. */
export function startsOf(events: readonly EventRow[], changes: readonly Change[]): number[] {
  const listening = events.filter((row) => row.id === 1001 && /started successfully/i.test(row.text)).map((row) => row.at);
  const started = changes.filter((c) => c.kind === 'start').map((c) => c.at);
  return [...listening, ...started].sort((a, b) => a - b);
}

/** "exit code 1", "signal SIGSEGV", or that nobody saw it. */
export function exitWords(exit: Pick<Exit, 'code' | 'signal'>): string {
  if (exit.signal !== undefined) return `signal ${exit.signal}`;
  if (exit.code !== undefined) return `exit code ${exit.code}`;
  return 'an exit code that nobody saw';
}
