// Owns a fair sample of rows per step of time: what rows have in common is told from it. It depends on the rows alone, not on their order or on who read them.

/** What is kept of a row: its priority, then the ids of its status, route, host, client, source and agent. */
export const SAMPLE_WIDTH = 7;
export const SAMPLE_STATUS = 1, SAMPLE_ROUTE = 2, SAMPLE_HOST = 3, SAMPLE_CLIENT = 4, SAMPLE_SOURCE = 5, SAMPLE_AGENT = 6;
const FIRST_RECORDS = 8;

export interface SamplesState { slots: Int32Array; levels: Uint8Array; sizes: Int32Array; records: Int32Array }

interface Slot { /** Rows whose priority has so many leading zeros are kept. */ level: number; size: number; records: Int32Array }

/** Chance of a row, the same whenever it is read: from where it stands. */
export function priorityOf(offset: number, source: number): number {
  let mixed = Math.imul(offset | 0, 0x9E3779B1) ^ Math.imul(Math.floor(offset / 2 ** 32) + Math.imul(source, 0x632BE5AB), 0x85EBCA77);
  mixed = Math.imul(mixed ^ mixed >>> 16, 0x7FEB352D);
  mixed = Math.imul(mixed ^ mixed >>> 15, 0x846CA68B);
  return mixed ^ mixed >>> 16;
}

export class Samples {
  readonly #most: number;
  #slots: (Slot | undefined)[] = [];

  /** `most`: rows kept per slot; all of them while they are not more, else at least half as many (nearly always). */
  constructor(most: number) {
    this.#most = most;
  }

  get sizeBytes(): number { return this.#slots.reduce((sum, slot) => sum + 80 + (slot?.records.byteLength ?? 0), 0); }

  wants(slot: number, priority: number): boolean {
    const known = this.#slots[slot];
    return known === undefined || Math.clz32(priority) >= known.level;
  }

  /** Rows of a slot are wanted whose priority has at least so many leading zeros. */
  levelOf(slot: number): number { return this.#slots[slot]?.level ?? 0; }

  add(slot: number, priority: number, ids: readonly [status: number, route: number, host: number, client: number, source: number, agent: number]): void {
    const known = this.#slots[slot] ??= { level: 0, size: 0, records: new Int32Array(FIRST_RECORDS * SAMPLE_WIDTH) };
    if (Math.clz32(priority) < known.level) return;
    this.#put(known, priority, ids);
  }

  /** Adds rows of a slot that were sampled elsewhere, all from `level` on; from which level on they are now. */
  take(slot: number, level: number, records: Int32Array): number {
    if (level > 0 || records.length > 0) this.#join(slot, { level, size: records.length / SAMPLE_WIDTH, records: this.#slots[slot] === undefined ? records.slice() : records });
    return this.levelOf(slot);
  }

  /** The sampled rows of some slots: each stands for 2 ** level of its slot. */
  each(slots: Iterable<number>, use: (records: Int32Array, at: number, weight: number) => void): void {
    for (const slot of slots) {
      const known = this.#slots[slot];
      if (known) for (let i = 0; i < known.size; i += 1) use(known.records, i * SAMPLE_WIDTH, 2 ** known.level);
    }
  }

  /** Other ids in one place of all records (-1 stays). */
  renumber(place: number, into: Int32Array): void {
    for (const slot of this.#slots) {
      if (!slot) continue;
      for (let at = place; at < slot.size * SAMPLE_WIDTH; at += SAMPLE_WIDTH) {
        const id = slot.records[at] as number;
        if (id >= 0) slot.records[at] = into[id] ?? -1;
      }
    }
  }

  /** Other slots; those that become one are sampled together. */
  moveSlots(into: Int32Array): void {
    const before = this.#slots;
    this.#slots = [];
    before.forEach((slot, from) => { if (slot) this.#join(into[from] as number, slot); });
  }

  state(): SamplesState {
    const ids = [...this.#slots.keys()].filter((id) => this.#slots[id] !== undefined);
    const kept = ids.map((id) => this.#slots[id] as Slot);
    const records = new Int32Array(kept.reduce((sum, { size }) => sum + size * SAMPLE_WIDTH, 0));
    let at = 0;
    for (const slot of kept) { records.set(slot.records.subarray(0, slot.size * SAMPLE_WIDTH), at); at += slot.size * SAMPLE_WIDTH; }
    return { slots: Int32Array.from(ids), levels: Uint8Array.from(kept, ({ level }) => level), sizes: Int32Array.from(kept, ({ size }) => size), records };
  }

  /** `slotOf` and `ids` (one per place of a record): numbers here of the numbers there; an id beyond the table becomes -1. */
  merge({ slots, levels, sizes, records }: SamplesState, slotOf: Int32Array, ids: readonly Int32Array[]): void {
    const own = records.slice();
    ids.forEach((into, place) => {
      for (let at = place + 1; at < own.length; at += SAMPLE_WIDTH) {
        const id = own[at] as number;
        if (id >= 0) own[at] = id < into.length ? into[id] as number : -1;
      }
    });
    let from = 0;
    slots.forEach((there, i) => {
      const size = sizes[i] as number, end = from + size * SAMPLE_WIDTH;
      this.#join(slotOf[there] as number, { level: levels[i] as number, size, records: own.subarray(from, end) });
      from = end;
    });
  }

  #join(slot: number, other: Slot): void {
    const known = this.#slots[slot];
    if (known === undefined) { this.#slots[slot] = other; return; }
    if (other.level > known.level) this.#raise(known, other.level);
    for (let i = 0; i < other.size; i += 1) {
      const at = i * SAMPLE_WIDTH, record = other.records;
      const priority = record[at] as number;
      if (Math.clz32(priority) >= known.level) this.#put(known, priority, record.subarray(at + 1, at + SAMPLE_WIDTH));
    }
  }

  #put(slot: Slot, priority: number, ids: ArrayLike<number>): void {
    if ((slot.size + 1) * SAMPLE_WIDTH > slot.records.length) {
      const grown = new Int32Array(Math.min(Math.max(slot.size * 2, FIRST_RECORDS), this.#most + 1) * SAMPLE_WIDTH);
      grown.set(slot.records);
      slot.records = grown;
    }
    const at = slot.size * SAMPLE_WIDTH;
    slot.records[at] = priority;
    for (let i = 1; i < SAMPLE_WIDTH; i += 1) slot.records[at + i] = ids[i - 1] as number;
    slot.size += 1;
    while (slot.size > this.#most) this.#raise(slot, slot.level + 1);
  }

  #raise(slot: Slot, level: number): void {
    slot.level = level;
    let kept = 0;
    for (let i = 0; i < slot.size; i += 1) {
      if (Math.clz32(slot.records[i * SAMPLE_WIDTH] as number) < level) continue;
      if (kept < i) slot.records.copyWithin(kept * SAMPLE_WIDTH, i * SAMPLE_WIDTH, (i + 1) * SAMPLE_WIDTH);
      kept += 1;
    }
    slot.size = kept;
  }
}
