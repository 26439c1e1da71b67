// Owns the lines of the logs that rules name: read on from where they were at the first look, also those below level error.
import { DiagError } from '../../shared/errors.ts';
import type { Condition, Rule } from '../../shared/rules.ts';
import type { LogSourceInfo } from '../../shared/model.ts';
import { compileFilter } from '../../observe/logs/filter.ts';
import type { Logs } from '../../observe/observe.ts';
import type { Matchers, Signal } from './meter.ts';

type LogCondition = Extract<Condition, { type: 'log' }>;

const LOOK_EVERY_MS = 2_000;
/** Logs that one rule may mean, the newest; and entries read of each in a look. */
const MAX_SOURCES = 4;
const PAGE_ENTRIES = 1_000;

/** Patterns of users are compiled to linear time. A rule without `source` sees the errors of all application logs and of the event log. */
export const lineMatchers: Matchers = {
  line(condition) {
    const test = compileFilter({ regex: condition.pattern, ignoreCase: true });
    return (source, text) => (condition.source === undefined || source === named(condition)) && test({ source: '', offset: 0, cursor: '', level: 'unknown', text });
  },
};

/** The subject of the signals that belong to a condition with a source: no id of the catalog looks like it. */
const named = ({ source = '' }: LogCondition): string => `named ${source.toLowerCase()}`;

/** Its id, its title, or the end of the title from a slash on. */
export function isMeant(wanted: string, { id, title }: Pick<LogSourceInfo, 'id' | 'title'>): boolean {
  const name = title.toLowerCase().replaceAll('\\', '/'), end = wanted.toLowerCase().replaceAll('\\', '/');
  return id === wanted || name === end || name.endsWith(`/${end}`) || (end.includes('*') && glob(end, name));
}

function glob(pattern: string, name: string): boolean {
  const pieces = pattern.split('*');
  let at = 0;
  for (const [index, piece] of pieces.entries()) {
    const found = index === 0 ? Math.max(name.startsWith(piece) ? 0 : -1, name.indexOf(`/${piece}`) < 0 ? -1 : name.indexOf(`/${piece}`) + 1) : name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return pieces.at(-1) === '' || name.endsWith(pieces.at(-1) as string);
}

export class LogSignals {
  readonly #logs: Pick<Logs, 'catalog' | 'page'>;
  readonly #clock: { now(): number; monotonic(): number };
  readonly #take: (signal: Signal) => void;
  readonly #cursors = new Map<string, string>();
  #lookedAt = -Infinity;
  #first = true;

  constructor(logs: Pick<Logs, 'catalog' | 'page'>, clock: { now(): number; monotonic(): number }, take: (signal: Signal) => void) {
    this.#logs = logs;
    this.#clock = clock;
    this.#take = take;
  }

  /** Once every two seconds, where a rule names a log. */
  async look(rules: readonly Rule[], signal: AbortSignal): Promise<void> {
    const wanted = rules.flatMap(({ enabled, when }) => (enabled && when.type === 'log' && when.source !== undefined ? [when] : []));
    const now = this.#clock.monotonic();
    if (wanted.length === 0 || now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    const { sources } = await this.#logs.catalog(signal);
    const seen = new Set<string>();
    for (const source of new Set(wanted.map(({ source: name }) => name as string))) {
      const meant = sources.filter((one) => isMeant(source, one)).sort((a, b) => b.changedAt - a.changedAt).slice(0, MAX_SOURCES);
      for (const { id } of meant) {
        seen.add(`${source} ${id}`);
        await this.#read(source, id, signal);
      }
    }
    for (const key of this.#cursors.keys()) if (!seen.has(key)) this.#cursors.delete(key);
    this.#first = false;
  }

  async #read(name: string, id: string, signal: AbortSignal): Promise<void> {
    const key = `${name} ${id}`;
    const after = this.#cursors.get(key);
    try {
      // What was there before us is no news; a log that appears later is read from its beginning.
      const query = after !== undefined ? { after, limit: PAGE_ENTRIES } : this.#first ? { limit: 1 } : { offset: 0, limit: PAGE_ENTRIES };
      const page = await this.#logs.page(id, query, signal);
      this.#cursors.set(key, page.after);
      if (after === undefined && this.#first) return;
      for (const { at, text } of page.lines) this.#take({ kind: 'line', at: at ?? this.#clock.now(), source: `named ${name.toLowerCase()}`, text });
    } catch (error) {
      // It was rotated away or cut: the next look begins anew.
      if (!(error instanceof DiagError) || (error.code !== 'CURSOR_BAD' && error.code !== 'SOURCE_UNKNOWN')) throw error;
      this.#cursors.delete(key);
    }
  }
}
