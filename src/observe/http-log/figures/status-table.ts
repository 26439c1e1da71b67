// Owns counting by status, sub-status and win32 status.
import { ABSENT } from '../columns.ts';
import { statusKey } from '../meaning.ts';
import { Histograms } from './histograms.ts';
import type { HistogramsState } from './histograms.ts';

/** Told apart; further ones count as their status alone (so at most 1,000 more). */
const MAX_KEYS = 500;
const SLOTS = 4_096;
/** Places in an entry. */
export const STATUS = 0, SUB = 1, WIN32 = 2, ROWS = 3, FIRST_AT = 4, LAST_AT = 5, LONGEST = 6, STATUS_WIDTH = 7;

export interface StatusState { entries: Float64Array; taken: HistogramsState }

export class StatusTable {
  size = 0;
  entries = new Float64Array(32 * STATUS_WIDTH);
  readonly taken = new Histograms();
  readonly #slots = new Int16Array(SLOTS);
  #last = 0;

  constructor() {
    this.entries[STATUS] = NaN;                                // no status is like it: nothing was counted last
  }

  get sizeBytes(): number { return this.entries.byteLength + this.taken.sizeBytes + this.#slots.byteLength; }

  idOf(status: number, sub: number, win32: number): number {
    let slot = Math.imul(status ^ Math.imul(sub, 0x85EBCA77) ^ Math.imul(win32 | 0, 0xC2B2AE3D), 0x9E3779B1) >>> 20;
    for (;;) {
      const id = (this.#slots[slot] as number) - 1;
      if (id < 0) return this.#make(slot, status, sub, win32);
      const at = id * STATUS_WIDTH;
      if (this.entries[at] === status && this.entries[at + SUB] === sub && this.entries[at + WIN32] === win32) return id;
      slot = slot + 1 & SLOTS - 1;
    }
  }

  /** Counts a row but its time taken, which addEach() does for a batch; its id. Rows of one status come in a row. */
  count(status: number, sub: number, win32: number, at: number, takenMs: number): number {
    let id = this.#last;
    const entries = this.entries;
    let place = id * STATUS_WIDTH;
    if (entries[place] !== status || entries[place + SUB] !== sub || entries[place + WIN32] !== win32) {
      id = this.idOf(status, sub, win32);
      this.#last = id;
      place = id * STATUS_WIDTH;
    }
    const now = this.entries;
    now[place + ROWS] = (now[place + ROWS] as number) + 1;
    if (at < (now[place + FIRST_AT] as number)) now[place + FIRST_AT] = at;
    if (at > (now[place + LAST_AT] as number)) now[place + LAST_AT] = at;
    if (takenMs > (now[place + LONGEST] as number)) now[place + LONGEST] = takenMs;
    return id;
  }

  state(): StatusState {
    return { entries: this.entries.slice(0, this.size * STATUS_WIDTH), taken: this.taken.state(this.size) };
  }

  /** Ids here of the ids there. */
  merge({ entries, taken }: StatusState): Int32Array {
    const into = new Int32Array(entries.length / STATUS_WIDTH);
    for (let from = 0; from < into.length; from += 1) {
      const there = entries.subarray(from * STATUS_WIDTH, (from + 1) * STATUS_WIDTH);
      const id = this.idOf(there[STATUS] as number, there[SUB] as number, there[WIN32] as number);
      into[from] = id;
      const here = this.entries.subarray(id * STATUS_WIDTH, (id + 1) * STATUS_WIDTH);
      here[ROWS] = (here[ROWS] as number) + (there[ROWS] as number);
      here[FIRST_AT] = Math.min(here[FIRST_AT] as number, there[FIRST_AT] as number);
      here[LAST_AT] = Math.max(here[LAST_AT] as number, there[LAST_AT] as number);
      here[LONGEST] = Math.max(here[LONGEST] as number, there[LONGEST] as number);
    }
    this.taken.merge(taken, (id) => into[id] as number);
    return into;
  }

  #make(slot: number, status: number, sub: number, win32: number): number {
    if (this.size >= MAX_KEYS && sub !== ABSENT) return this.idOf(status, ABSENT, ABSENT);
    const id = this.size;
    this.size += 1;
    this.#slots[slot] = this.size;
    if (this.size * STATUS_WIDTH > this.entries.length) {
      const grown = new Float64Array(this.entries.length * 2);
      grown.set(this.entries);
      this.entries = grown;
    }
    this.taken.reserve(this.size);
    this.entries.set([status, sub, win32, 0, Infinity, -Infinity, 0], id * STATUS_WIDTH);
    return id;
  }
}

/** "502.3.12030" of an id. */
export function keyOf(entries: Float64Array, id: number): string {
  const [status = 0, sub = ABSENT, win32 = ABSENT] = entries.subarray(id * STATUS_WIDTH, (id + 1) * STATUS_WIDTH);
  return statusKey(status, sub === ABSENT ? undefined : sub, win32 === ABSENT ? undefined : win32);
}
