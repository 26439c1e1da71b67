// Owns what the requests that are under way in an app wait for, as the app itself tells: those that wait for the same kind of thing, and the rows that ended so.
import type { CauseFact } from '../../shared/cause.ts';
import { duration, plural } from '../../shared/units.ts';
import type { FlightEvent } from '../events/event.ts';
import type { Row } from '../events/rows.ts';
import type { Scene } from '../events/scene.ts';
import { oneLine, routesOf } from './cause.ts';

export interface Stuck { readonly flights: readonly FlightEvent[]; readonly oldestMs: number; readonly pid: number }

/** The process with most requests that wait so; `leastMs`: younger ones may just have come. */
export function stuckOn(scene: Scene, fits: (flight: FlightEvent) => boolean, leastMs: number): Stuck | undefined {
  const byPid = new Map<number, FlightEvent[]>();
  for (const flight of scene.inside.flights) if (flight.waitedMs >= leastMs && fits(flight)) byPid.set(flight.pid, [...byPid.get(flight.pid) ?? [], flight]);
  const [top] = [...byPid].sort((a, b) => b[1].length - a[1].length || a[0] - b[0]);
  return top === undefined ? undefined : { pid: top[0], flights: top[1], oldestMs: Math.max(...top[1].map((f) => f.waitedMs)) };
}

/** Requests of the same routes that were given up or waited long; by time. */
export function rowsLike(scene: Scene, flights: readonly FlightEvent[]): Row[] {
  const routes = new Set(flights.map((f) => `${f.method} ${f.route}`));
  return [...scene.rows.failed.filter((r) => r.effect === 'silent' || (r.effect === 'gateway' && r.status === 504)), ...scene.rows.slow].filter((r) => routes.has(`${r.method} ${r.route}`)).sort((a, b) => a.at - b.at);
}

/** Routes that were answered, and from the first of these rows on no more. */
export function endedAnswering(scene: Scene, rows: readonly Row[]): boolean {
  const [first] = rows;
  if (!first) return false;
  const { norms } = scene.rows;
  // Routes are counted in steps of the window: one that began within the last step has no whole step after it yet.
  const recent = first.from + 2 * norms.slotMs > scene.window.to;
  return routesOf(rows).every(({ method, route }) => {
    const before = norms.within(method, route, scene.window.from, first.from - norms.slotMs), after = norms.within(method, route, first.from + norms.slotMs, scene.window.to);
    return before.count > before.failed && (recent || after.count - after.failed <= after.count * ANSWERED_SHARE);
  });
}
/** Whole slots are counted: the edge of one may hold the last good answers. */
const ANSWERED_SHARE = 0.1;

export function flightFacts({ flights, pid }: Stuck, says: string): CauseFact[] {
  const [first] = [...flights].sort((a, b) => b.waitedMs - a.waitedMs);
  return first === undefined ? [] : [{ text: `${plural(flights.length, 'request')} in process ${pid} ${says}, the oldest for ${duration(first.waitedMs)}`, where: 'the app from inside (preload)', proof: flights.slice(0, 6).map((f) => `${oneLine(`${f.method} ${f.route}`, 120)} ${f.waitsFor} ${oneLine(f.on ?? '', 80)} ${duration(f.waitedMs)}`.replaceAll('  ', ' ')).join('\n') }];
}
