// Owns the lines the page holds of one or several logs: merged by time, each once, bounded, what left or was lost counted.
import type { LogLine } from '../../../shared/model.ts';
import { MinuteCounts } from './minutes.ts';
import type { LogItem, LogNotice } from '../../../shared/live.ts';

export interface Row { readonly key: string; readonly source: string; readonly at: number | undefined; readonly line?: LogLine; readonly notice?: LogNotice; /** Counts the lines joined to the entry since it came. */ readonly rev?: number }

/** Entries kept; the oldest leave and are counted, the file still has them. */
export const KEPT_ENTRIES = 10_000;
/** How far back a late line of another file may be put in; further back it goes where it arrives. */
const LOOK_BACK = 2_000;
/** The agent ends an entry at 256 KiB; an entry joined by the page is no longer than two of them. */
const MAX_JOINED_CHARS = 512 * 1_024;

/** The same entry has the same key however it comes: by its file (inode and birth, the cursor's second and third word) and its place there. */
function keyOf(source: string, { cursor, offset }: LogLine): string {
  const file = /^a1\.[a-z0-9]+\.([a-z0-9]+\.[a-z0-9]+)\./.exec(cursor)?.[1];
  return file === undefined ? `${source}@${cursor}` : `${source}@${file}.${offset}`;
}

export class TailStore {
  /** What came, by minute and level. */
  readonly minutes = new MinuteCounts();
  rows: Row[] = [];
  /** Entries that left at the front since the last clear. */
  left = 0;
  /** Entries the agent dropped because this page was slow. */
  dropped = 0;
  /** Entries the filter left out. */
  passed = 0;
  /** Why the end of a compressed rotation is missing. */
  cut: string | undefined;
  readonly #seen = new Set<string>();
  readonly #keep: number;
  readonly #broken = new Set<string>();
  #notices = 0;

  constructor(keep = KEPT_ENTRIES) { this.#keep = keep; }

  /** Newer entries of one source, in its order. */
  add(source: string, items: readonly LogItem[]): void {
    let after = -1;
    let at = this.#lastAt(source);
    for (const item of items) {
      if ('more' in item && this.#join(source, item.more)) continue;
      const row = this.#row(source, item, at);
      if (!row) continue;
      this.#broken.delete(source);
      at = row.at ?? at;
      if (row.line && row.at !== undefined) this.minutes.add(row.at, row.line.level);
      after = this.#insert(row, after);
    }
    const over = this.rows.length - this.#keep;
    if (over <= 0) return;
    for (const gone of this.rows.splice(0, over)) this.#seen.delete(gone.key);
    this.left += over;
  }

  /** Lines of this source were lost: what comes next goes on no entry that is here. */
  gap(source: string): void { this.#broken.add(source); }

  get full(): boolean { return this.rows.length >= this.#keep; }

  /** Older entries of one source, oldest first. What does not fit stays out, the oldest first: the newest must stay, or the tail would have a hole. */
  addOlder(source: string, lines: readonly LogLine[]): number {
    const room = Math.max(0, this.#keep - this.rows.length);
    const rows = lines.slice(Math.max(0, lines.length - room)).flatMap((line) => this.#row(source, { line }, line.at) ?? []);
    const others = this.rows.findIndex((r) => r.source === source);
    const end = others < 0 ? this.rows.length : others;
    // Up to this source's first row only rows of other sources are there: merge by time.
    const merged = mergeByTime(this.rows.slice(0, end), rows);
    this.rows = [...merged, ...this.rows.slice(end)];
    return rows.length;
  }

  clear(): void {
    this.rows = [];
    this.#seen.clear();
    this.minutes.clear();
    this.left = 0;
    this.dropped = 0;
    this.passed = 0;
    this.cut = undefined;
  }

  first(source: string): LogLine | undefined { return this.rows[this.firstPlace(source)]?.line; }

  /** Where a source's first line stands; the end when it has none. */
  firstPlace(source: string): number {
    const at = this.rows.findIndex((r) => r.source === source && r.line !== undefined);
    return at < 0 ? this.rows.length : at;
  }

  #lastAt(source: string): number | undefined {
    for (let i = this.rows.length - 1; i >= Math.max(0, this.rows.length - LOOK_BACK); i -= 1) {
      const row = this.rows[i];
      if (row?.source === source && row.at !== undefined) return row.at;
    }
    return undefined;
  }

  /** A row for an item not seen before. A line without a time stands where its file's last one stood. */
  #row(source: string, item: LogItem, before: number | undefined): Row | undefined {
    if ('notice' in item) {
      this.#notices += 1;
      return { key: `${source}!${this.#notices}`, source, at: item.notice.at ?? before, notice: item.notice };
    }
    const line = 'line' in item ? item.line : item.more;
    const key = keyOf(source, line);
    if (this.#seen.has(key)) return undefined;
    this.#seen.add(key);
    return { key, source, at: line.at ?? before, line };
  }

  /** Puts lines to the entry they go on: the newest of their source. False when there is none, or it is behind a gap. */
  #join(source: string, more: LogLine): boolean {
    for (let i = this.rows.length - 1; i >= Math.max(0, this.rows.length - LOOK_BACK); i -= 1) {
      const row = this.rows[i];
      if (row?.source !== source) continue;
      if (row.line === undefined || this.#broken.has(source)) return false;
      const cutBytes = (row.line.cutBytes ?? 0) + (more.cutBytes ?? 0);
      const text = row.line.text.length > MAX_JOINED_CHARS ? row.line.text : `${row.line.text}\n${more.text}`;
      if (row.at !== undefined) this.minutes.change(row.at, row.line.level, more.level);
      this.rows[i] = { ...row, key: row.key, rev: (row.rev ?? 0) + 1, line: { ...row.line, level: more.level, text, ...(cutBytes > 0 ? { cutBytes } : {}) } };
      return true;
    }
    return false;
  }

  /** Puts a row behind the last one that is not later, never before a row of its own source. */
  #insert(row: Row, after: number): number {
    let place = this.rows.length;
    const least = Math.max(after + 1, this.rows.length - LOOK_BACK);
    if (row.at !== undefined) {
      while (place > least) {
        const before = this.rows[place - 1];
        if (!before || before.source === row.source || before.at === undefined || before.at <= row.at) break;
        place -= 1;
      }
    }
    if (place === this.rows.length) this.rows.push(row);
    else this.rows.splice(place, 0, row);
    return place;
  }
}

function mergeByTime(a: readonly Row[], b: readonly Row[]): Row[] {
  const out: Row[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const [x, y] = [a[i], b[j]];
    const takeY = x === undefined || (y !== undefined && (y.at ?? 0) <= (x.at ?? 0));
    if (takeY && y !== undefined) { out.push(y); j += 1; }
    else if (x !== undefined) { out.push(x); i += 1; }
  }
  return out;
}
