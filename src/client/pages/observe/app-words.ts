// Owns the words of the App part: what a request waits for, what a process is doing, codes and statuses in one cell.
import type { AppWait } from '../../../shared/app-link.ts';
import type { AppBrief, AppDependencyView, AppFlightView, AppLookupView } from '../../../shared/app-view.ts';
import { count, duration, percent } from '../../../shared/units.ts';

export const ms = (n: number | undefined): string => (n === undefined ? '–' : duration(n < 1 ? Number(n.toFixed(2)) : Number(n.toFixed(1))));
export const shareOf = (n: number | undefined): string => (n === undefined ? '–' : percent(n * 100));
export const num = (n: number | undefined): string => (n === undefined ? '–' : count(n));
/** "12.4 /s": counts of the time that was seen. */
export const perSecond = (n: number | undefined, coversMs: number): string => (n === undefined || coversMs <= 0 ? '–' : `${count(rounded(n / coversMs * 1_000))} /s`);
const rounded = (n: number): number => (n >= 100 ? Math.round(n) : Number(n.toFixed(n >= 10 ? 1 : 2)));

const WAITS: Readonly<Record<AppWait['for'], (on: string | undefined) => string>> = {
  call: (on) => `a call${on === undefined ? '' : ` to ${on}`}`,
  connection: (on) => `a free connection${on === undefined ? '' : ` to ${on}`}`,
  dns: (on) => `DNS${on === undefined ? '' : ` of ${on}`}`,
  socket: (on) => `a socket${on === undefined ? '' : ` to ${on}`}`,
  file: () => 'a file', timer: () => 'a timer', child: () => 'a child process', crypto: () => 'crypto or zlib in the thread pool', other: () => 'other work', nothing: () => 'nothing of its own',
};

/** "a call to https://pay.example, for 2.4 s"; undefined: nobody followed this request. */
export function waitWords(flight: Pick<AppFlightView, 'waits'>): string | undefined {
  const { waits } = flight;
  if (waits === undefined) return undefined;
  if (waits.length === 0) return WAITS.nothing(undefined);
  return waits.map((wait) => `${WAITS[wait.for](wait.on)}${wait.forMs === undefined ? '' : `, for ${ms(wait.forMs)}`}`).join('; ');
}

/** "ECONNREFUSED 12, ETIMEDOUT 3" */
export const pairs = (of: readonly (readonly [string | number, number])[]): string => of.map(([what, times]) => `${what} ${count(times)}`).join(', ');
export const total = (of: readonly (readonly [unknown, number])[]): number => of.reduce((sum, [, times]) => sum + times, 0);

/** The look-ups of the name in an address such as https://api.example:8443. */
export function lookupOf(to: Pick<AppDependencyView, 'host'>, lookups: readonly AppLookupView[]): AppLookupView | undefined {
  const name = to.host.replace(/^[a-z+]+:\/\//i, '').replace(/:\d+$/, '').toLowerCase();
  return lookups.find((one) => one.name.toLowerCase() === name);
}

export const BY_WORDS: Readonly<Record<AppDependencyView['by'], string>> = { http: 'http', undici: 'fetch', socket: 'socket', driver: 'driver' };
export const KIND_WORDS = { exception: 'exception', rejection: 'rejection', warning: 'warning', caught: 'handled' } as const;

/** What stands behind a process in the list. */
export function stateWords({ state, endedAt, at }: AppBrief): string {
  if (state === 'ended') return 'ended';
  if (state === 'files') return 'by files';
  if (state === 'connecting' || at === undefined) return endedAt === undefined ? 'connecting' : 'ended';
  return 'live';
}

/** Requests in flight have no id: the n-th oldest of a path stays the n-th oldest while it is there. */
export function keyed(flights: readonly AppFlightView[]): readonly (AppFlightView & { readonly key: string })[] {
  const seen = new Map<string, number>();
  return flights.map((flight) => {
    const name = `${flight.pid ?? ''} ${flight.method} ${flight.path}`;
    const n = (seen.get(name) ?? 0) + 1;
    seen.set(name, n);
    return { ...flight, key: `${name} ${n}` };
  });
}
