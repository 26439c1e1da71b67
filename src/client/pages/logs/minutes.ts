// Owns the counts of a log's entries by minute and level: what came, whatever of it the page still holds.
import type { Level } from '../../../shared/model.ts';
import { LEVEL_GROUPS, type LevelGroup } from './log-query.ts';

const MINUTE_MS = 60_000;
/** Minutes shown; older ones are let go. */
export const KEPT_MINUTES = 30;

export interface Minute { readonly at: number; readonly counts: Readonly<Record<LevelGroup, number>> }

const GROUP_OF = new Map<Level, LevelGroup>(LEVEL_GROUPS.flatMap((group) => group.levels.map((level): [Level, LevelGroup] => [level, group.id])));
const none = (): Record<LevelGroup, number> => Object.fromEntries(LEVEL_GROUPS.map((group) => [group.id, 0])) as Record<LevelGroup, number>;

export class MinuteCounts {
  readonly #minutes = new Map<number, Record<LevelGroup, number>>();
  #newest = -Infinity;

  /** An entry of this level at this instant; one that is older than what is kept is left out. */
  add(at: number, level: Level): void {
    const minute = Math.floor(at / MINUTE_MS) * MINUTE_MS;
    if (minute <= this.#newest - KEPT_MINUTES * MINUTE_MS) return;
    let counts = this.#minutes.get(minute);
    if (counts === undefined) { counts = none(); this.#minutes.set(minute, counts); }
    counts[GROUP_OF.get(level) ?? 'unknown'] += 1;
    if (minute <= this.#newest) return;
    this.#newest = minute;
    for (const old of this.#minutes.keys()) if (old <= minute - KEPT_MINUTES * MINUTE_MS) this.#minutes.delete(old);
  }

  /** An entry turned out to be of another level. */
  change(at: number, from: Level, to: Level): void {
    const counts = this.#minutes.get(Math.floor(at / MINUTE_MS) * MINUTE_MS);
    if (counts === undefined || from === to) return;
    counts[GROUP_OF.get(from) ?? 'unknown'] -= 1;
    counts[GROUP_OF.get(to) ?? 'unknown'] += 1;
  }

  /** Oldest first; minutes in which nothing came are left out at the ends only. */
  list(): readonly Minute[] {
    const known = [...this.#minutes.keys()];
    if (known.length === 0) return [];
    const first = Math.min(...known);
    return Array.from({ length: (this.#newest - first) / MINUTE_MS + 1 }, (_, i) => { const at = first + i * MINUTE_MS; return { at, counts: this.#minutes.get(at) ?? none() }; });
  }

  clear(): void { this.#minutes.clear(); this.#newest = -Infinity; }
}
