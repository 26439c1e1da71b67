// Owns the rows that fall into a restart which someone asked for: from its moment until the next process listens.
import type { RestartEvent } from '../events/event.ts';
import type { Row } from '../events/rows.ts';
import type { Scene } from '../events/scene.ts';

const BEFORE_MS = 1_500;
const AFTER_MS = 1_200;
const GAP_MS = 30_000;

export function restartRows(scene: Scene, fits: (restart: RestartEvent) => boolean): { readonly restarts: readonly RestartEvent[]; readonly rows: readonly Row[] } {
  const restarts = scene.lives.restarts.filter((r) => r.by !== 'stopped' && fits(r));
  return { restarts, rows: [...new Set(restarts.flatMap((r) => rowsOfGap(scene, r.at)))].sort((a, b) => a.at - b.at) };
}

/** The platform had given the app up by then, and nobody had started it again: a 503 is its own. */
export function stoppedAt({ lives }: Scene, row: Row): boolean {
  return lives.restarts.some((r) => r.by === 'stopped' && row.until >= r.at - BEFORE_MS && !lives.starts.some((s) => s.at > r.at && s.at <= row.from));
}

/** Broken off, refused or told to come again, from `at` until the app is back. */
export function rowsOfGap(scene: Scene, at: number): Row[] {
  const ended = scene.lives.exits.find((e) => e.at >= at - BEFORE_MS && e.at <= at + GAP_MS)?.at ?? at;
  const back = scene.lives.starts.find((s) => s.at > ended && (s.listening || !scene.lives.starts.some((o) => o.listening)))?.at;
  const until = Math.min(back ?? ended + GAP_MS, ended + GAP_MS) + AFTER_MS;
  return scene.rows.failed.filter((r) => (r.effect === 'broke' || r.effect === 'refused' || r.effect === 'recycling' || r.effect === 'stopped' || r.effect === 'gone' || (r.effect === 'gateway' && r.status !== 504)) && r.until >= at - BEFORE_MS && r.at <= until);
}
