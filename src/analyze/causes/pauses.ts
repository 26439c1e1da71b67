// Owns the pauses of a whole process, as the app measured them or as rows show them: requests of different routes that end together after a time in which nothing ended.
import type { Row } from '../events/rows.ts';
import type { Scene } from '../events/scene.ts';

export interface Pause { readonly from: number; readonly until: number; readonly frames: readonly string[]; readonly by: 'app' | 'metrics' | 'rows'; readonly rows: readonly Row[] }

const LEAST_ROWS = 3;
/** Rows know whole seconds: only a pause with a whole second inside can be told from chance. */
const LEAST_MS = 2_000;
const TOGETHER_MS = 1_500;
const SPREAD_MS = 500;
const NEAR_MS = 1_500;
const HELD_MS = 300;

const kept = new WeakMap<Scene, readonly Pause[]>();

export function pausesOf(scene: Scene): readonly Pause[] {
  const known = kept.get(scene);
  if (known) return known;
  const waiting = [...scene.rows.failed.filter((r) => r.effect === 'silent' || r.effect === 'busy'), ...scene.rows.slow, ...scene.rows.long].sort((a, b) => a.until - b.until);
  const told = [...scene.inside.stalls.map((s) => ({ ...s, by: 'app' as const })), ...scene.measured.stalls.map((s) => ({ ...s, by: 'metrics' as const }))].map((s): Pause => ({ from: s.at, until: s.at + s.forMs, frames: s.frames, by: s.by, rows: waiting.filter((r) => held(r, s.at, s.at + s.forMs)) }));
  const own = told.filter((p) => p.by === 'app' || !told.some((q) => q.by === 'app' && q.from <= p.until + NEAR_MS && q.until >= p.from - NEAR_MS));
  // What the app measured reaches back only as far as somebody listened to it: pauses before stand in the rows alone.
  const heard = new Set(own.flatMap((p) => p.rows));
  const made = [...own, ...convoys(scene, waiting.filter((r) => !heard.has(r))).filter((c) => !own.some((p) => p.from <= c.until && p.until >= c.from))].sort((a, b) => a.from - b.from);
  kept.set(scene, made);
  return made;
}

/** It waited through a good part of the pause, or was given up within it. */
function held(row: Row, from: number, until: number): boolean {
  const together = Math.min(until, row.until) - Math.max(from, row.from);
  return together >= HELD_MS && together >= Math.min(until - from, row.takenMs ?? 0) * 0.5;
}

/** Three or more requests that began at different times, ended in the same second, and in between nothing at all was answered. */
function convoys(scene: Scene, waiting: readonly Row[]): Pause[] {
  const { slots, slotMs } = scene.rows;
  const first = slots[0]?.at;
  if (slotMs !== 1_000 || first === undefined) return [];
  const endedIn = (from: number, to: number): number => { let n = 0; for (let at = from; at < to; at += 1_000) n += slots[Math.round((at - first) / 1_000)]?.total ?? 0; return n; };
  const found: Pause[] = [];
  for (let i = 0; i < waiting.length;) {
    const head = waiting[i] as Row;
    let end = i + 1;
    while (end < waiting.length && (waiting[end] as Row).until - head.until <= TOGETHER_MS) end += 1;
    const group = waiting.slice(i, end).filter((r) => r.instance === head.instance);
    i = end;
    const starts = group.map((r) => r.from);
    const from = Math.min(...starts), until = head.at;
    const quietFrom = Math.floor(from / 1_000) * 1_000 + 1_000;
    if (group.length < LEAST_ROWS || Math.max(...starts) - from < SPREAD_MS || until - from < LEAST_MS || new Set(group.map((r) => r.route)).size < 2) continue;
    if (until - quietFrom >= 1_000 && endedIn(quietFrom, until) === 0) found.push({ from, until, frames: [], by: 'rows', rows: group });
  }
  return found;
}

const PRESENT_SHARE = 0.6;
const OWN_SHARE = 0.4;
const AHEAD = 1.4;

/** The route that is there in nearly every pause and hardly ever without one: what it does, the others wait for. Undefined where two fit as well. */
export function firstRouteOf(scene: Scene, pauses: readonly Pause[]): string | undefined {
  const routes = new Map<string, { readonly row: Row; readonly pauses: Set<Pause>; weight: number }>();
  for (const pause of pauses) {
    for (const row of pause.rows) {
      const key = `${row.method} ${row.route}`;
      const known = routes.get(key) ?? { row, pauses: new Set(), weight: 0 };
      known.pauses.add(pause);
      known.weight += row.weight;
      routes.set(key, known);
    }
  }
  const told = pauses.filter((p) => p.rows.length > 0).length;
  const fits = [...routes].flatMap(([key, { row, pauses: of, weight }]) => {
    const { count } = scene.rows.norms.within(row.method, row.route, scene.window.from, scene.window.to);
    const present = of.size / Math.max(1, told), own = Math.min(1, weight / Math.max(1, count));
    return present >= PRESENT_SHARE && own >= OWN_SHARE ? [{ key, score: present * own }] : [];
  }).sort((a, b) => b.score - a.score || (a.key < b.key ? -1 : 1));
  const [best, next] = fits;
  return best !== undefined && (next === undefined || best.score >= next.score * AHEAD) ? best.key : undefined;
}
