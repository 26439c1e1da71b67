// Owns the history of the rules on disk: what fired and was done in one bounded file, changes of phases in another, so that a rule that flaps pushes out no firing; and what other instances fired.
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sayError } from '../../shared/errors.ts';
import { RuleEntry } from '../../shared/rules.ts';
import { codeIn, namesIn } from '../../store/atomic.ts';
import { createJournal } from '../../store/journal.ts';
import type { Places } from '../../store/places.ts';
import type { Journal } from '../../store/store.ts';

const DAY_MS = 86_400_000;
/** What is older is not shown; the bounds of the files come first where much happens. */
export const KEPT_MS = 90 * DAY_MS;
/** Some 30,000 lines each. A rule fires at most 200 times a day. */
const MAX_BYTES = 8 * 2 ** 20;
/** Lines read to find the firings of the last day and what was left unfinished. */
const RECENT = 5_000;
/** Phases of one rule written a minute; a rule that flaps faster is counted. */
const PHASES_A_MINUTE = 20;
const MINUTE_MS = 60_000;
const ACTS_FILE = 'rules.jsonl';
const PHASES_FILE = 'rule-phases.jsonl';
/** Instances looked at, the first by name: a plan has at most thirty. */
const MAX_INSTANCES = 50;

type Settled<T> = Journal<T> & { settled(): Promise<void> };

export class Chronicle {
  readonly #places: Pick<Places, 'instance' | 'journals'>;
  readonly #acts: Settled<RuleEntry>;
  readonly #phases: Settled<RuleEntry>;
  readonly #elsewhere = new Map<string, { readonly size: number; readonly fired: readonly { readonly rule: string; readonly at: number }[] }>();
  readonly #minutes = new Map<string, { minute: number; count: number }>();
  #hasOthers = false;
  #unwritten = 0;
  #flapped = 0;
  #fault: string | undefined;

  constructor(places: Pick<Places, 'instance' | 'journals'>, leads: () => boolean) {
    this.#places = places;
    const journal = (name: string): Settled<RuleEntry> => createJournal({ path: join(places.journals, name), schema: RuleEntry, maxBytes: MAX_BYTES, owner: places.instance, leads });
    this.#acts = journal(ACTS_FILE);
    this.#phases = journal(PHASES_FILE);
  }

  /** On disk when it resolves; what the disk does not take is counted and stops nothing: the evidence and the cure matter more. */
  async write(entry: RuleEntry): Promise<void> {
    if (entry.did === 'phase' && this.#flaps(entry)) { this.#flapped += 1; return; }
    try {
      await (entry.did === 'phase' ? this.#phases : this.#acts).append(entry);
      this.#fault = undefined;
    } catch (error) {
      this.#unwritten += 1;
      this.#fault = sayError(error);
    }
  }

  /** Firings and actions, newest first. */
  async acts(limit = RECENT): Promise<readonly RuleEntry[]> { return (await this.#acts.recent(limit)).entries; }

  /** Everything of this instance, newest first. */
  async all(limit: number, now: number): Promise<{ readonly entries: readonly RuleEntry[]; readonly unreadable: number }> {
    const [acts, phases] = await Promise.all([this.#acts.recent(limit), this.#phases.recent(limit)]);
    const entries = [...acts.entries, ...phases.entries].filter(({ at }) => at >= now - KEPT_MS).map((entry, place) => ({ entry, place })).sort((a, b) => b.entry.at - a.entry.at || a.place - b.place).slice(0, limit).map(({ entry }) => entry);
    return { entries, unreadable: acts.unreadable + phases.unreadable };
  }

  /** Firings of a rule on the other instances within the last day, as of the last look. */
  elsewhere(rule: string, now: number): readonly number[] {
    const found: number[] = [];
    for (const { fired } of this.#elsewhere.values()) for (const one of fired) if (one.rule === rule && now - one.at < DAY_MS) found.push(one.at);
    return found;
  }

  /** The same with their instances; undefined: no other instance has ever written here. */
  others(rule: string, now: number): readonly { readonly at: number; readonly instance: string }[] | undefined {
    if (!this.#hasOthers) return undefined;
    return [...this.#elsewhere].flatMap(([instance, { fired }]) => fired.flatMap((one) => (one.rule === rule && now - one.at < DAY_MS ? [{ at: one.at, instance }] : [])));
  }

  /** Reads what other instances fired since; each file only when it grew. */
  async lookElsewhere(): Promise<void> {
    const top = dirname(this.#places.journals);
    const others = (await namesIn(top)).filter((name) => name !== this.#places.instance).sort().slice(0, MAX_INSTANCES);
    this.#hasOthers = others.length > 0;
    for (const name of others) {
      const path = join(top, name, ACTS_FILE);
      const size = await sizeOf(path);
      if (size === undefined || size === this.#elsewhere.get(name)?.size) continue;
      const { entries } = await createJournal({ path, schema: RuleEntry, maxBytes: MAX_BYTES, owner: this.#places.instance }).recent(RECENT);
      this.#elsewhere.set(name, { size, fired: entries.flatMap((entry) => (entry.did === 'fired' ? [{ rule: entry.rule, at: entry.at }] : [])) });
    }
  }

  fault(): string | undefined { return this.#fault; }
  lost(): readonly { readonly what: string; readonly count: number }[] {
    return [{ what: 'entries of the rules\' history that could not be written', count: this.#unwritten }, { what: 'changes of phase of rules that flap', count: this.#flapped }].filter(({ count }) => count > 0);
  }

  async settled(): Promise<void> { await Promise.all([this.#acts.settled(), this.#phases.settled()]); }

  #flaps({ rule, at }: RuleEntry): boolean {
    const minute = Math.floor(at / MINUTE_MS);
    const seen = this.#minutes.get(rule);
    if (seen?.minute !== minute) { this.#minutes.set(rule, { minute, count: 1 }); return false; }
    seen.count += 1;
    return seen.count > PHASES_A_MINUTE;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeIn(error) === 'ENOENT' || codeIn(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
