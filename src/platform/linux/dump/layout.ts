// Owns what the pause works from: the target's mappings and the plan of its copy, made ready before it, and made anew in it only where the mappings have changed.
import { closeSync, openSync, readSync } from 'node:fs';
import { knownFlags, parseMaps, planFork } from './ranges.ts';
import type { FlaggedMapping, ForkPlan, KnownFlags, KnownLines, Mapping, Range } from './ranges.ts';
import { MADV_DOFORK, SYS, pairsOf } from './stub.ts';
import type { Call } from './stub.ts';

/** Of a table that grows between two looks. */
const SPARE_BYTES = 256 * 1024;

export interface Layout {
  readonly mappings: readonly Mapping[];
  readonly plan: ForkPlan;
  /** MADV_DOFORK, as the stub makes it. */
  readonly calls: readonly Call[];
  /** The ranges that get MADV_DONTFORK back, as the stub reads them. */
  readonly pairs: Buffer;
}

/** The table of mappings read into memory that is there already, and compared with the last one byte by byte: the stopped app waits neither for fresh pages nor for thousands of lines. */
export class Layouts {
  readonly #maps: number;
  readonly #flags: KnownFlags;
  readonly #lines: KnownLines = new Map();
  #room = Buffer.alloc(SPARE_BYTES);
  #text = Buffer.alloc(0);
  #last: Layout | undefined;

  constructor(pid: number, before: readonly FlaggedMapping[]) {
    this.#maps = openSync(`/proc/${pid}/maps`, 'r');
    this.#flags = knownFlags(before);
  }

  /** As they are now. */
  look(): Layout {
    const size = this.#read();
    if (this.#last !== undefined && this.#text.length === size && this.#room.compare(this.#text, 0, size, 0, size) === 0) return this.#last;
    return this.lookAnew(size);
  }

  /** The same without what is known from the last time; a rehearsal runs it so that it is compiled. */
  lookAnew(size = this.#read()): Layout {
    this.#text = Buffer.from(this.#room.subarray(0, size));
    const mappings = parseMaps(this.#text.toString('latin1'), this.#lines);
    const plan = planFork(this.#flags, mappings);
    return this.#last = { mappings, plan, calls: plan.spans.map(callFor), pairs: pairsOf(plan.back) };
  }

  close(): void { closeSync(this.#maps); }

  #read(): number {
    let size = 0;
    for (;;) {
      if (size + SPARE_BYTES / 2 > this.#room.length) this.#room = Buffer.concat([this.#room, Buffer.alloc(this.#room.length)]);
      const got = readSync(this.#maps, this.#room, size, this.#room.length - size, size);
      if (got === 0) return size;
      size += got;
    }
  }
}

const callFor = ({ from, to }: Range): Call => ({ number: SYS.madvise, a: from, b: to - from, c: MADV_DOFORK });
