// Owns a channel: what of a log passes one filter, made into frames once, for everybody who asked for the same.
import { LogFlags } from '../../shared/log-frame.ts';
import type { LogFilter } from '../../shared/model.ts';
import type { Block } from './block.ts';
import { compileBlockFilter, type BlockFilter } from './filter.ts';
import { frameOf, type Chosen, type Frame } from './frame.ts';
import { clean } from './lines.ts';
import type { FramePool } from './pool.ts';
import { textAt, type LineMask, type Masked } from './masked.ts';

/** How the last entry of what was read fared: entries are sent at once, and judged anew when they go on. */
type Fate = 'sent' | 'left-out';

export class Channel {
  readonly number: number;
  readonly #filter: BlockFilter | undefined;
  readonly #mask: LineMask | undefined;
  #last: Fate = 'sent';
  /** Entries that the filter left out, ever. */
  passed = 0;

  /** @throws FILTER_BAD */
  constructor(number: number, filter: LogFilter | undefined, mask: LineMask | undefined) {
    this.number = number;
    this.#filter = filter === undefined ? undefined : compileBlockFilter(filter);
    this.#mask = mask;
  }

  /** The frame of what passes; undefined when nothing does. */
  encode(block: Block, masked: Masked, cursor: string, near: number | undefined, pool?: FramePool): Frame | undefined {
    const chosen = this.#filter === undefined ? ALL : this.#choose(this.#filter, block, near);
    if (chosen.lines?.length === 0) return undefined;
    return frameOf({ channel: this.number, cursor, passed: this.passed }, block, masked, chosen, pool);
  }

  #choose(filter: BlockFilter, block: Block, near: number | undefined): Chosen {
    const lines: number[] = [];
    let above: Chosen['above'];
    filter.begin(block);
    for (let from = 0, to = 0; from < block.count; from = to) {
      to = from + 1;
      while (to < block.count && ((block.flags[to] as number) & LogFlags.joins) !== 0) to += 1;
      const goesOn = ((block.flags[from] as number) & LogFlags.joins) !== 0;
      const passes = filter.entry(block, from, to, () => textOf(block, from, to), near);
      if (goesOn && this.#last === 'left-out') {
        if (!passes) continue;
        // It passes with what came: sent whole, and no longer one that was left out.
        this.passed -= 1;
        above = block.before.length === 0 ? undefined : this.#above(block);
      } else if (!passes) {
        if (!goesOn) this.passed += 1;
        if (!goesOn) this.#last = 'left-out';
        continue;
      }
      this.#last = 'sent';
      for (let line = from; line < to; line += 1) lines.push(line);
    }
    return { lines, above };
  }

  /** The beginning of an entry that is sent only now; masked as a whole with what follows. */
  #above(block: Block): Chosen['above'] {
    const raw = linesOf(block.before);
    const shown = this.#mask === undefined ? raw : this.#mask.text([...raw, textAt(block, 0)].join('\n')).split('\n').slice(0, raw.length);
    return { texts: shown, offset: Math.max(0, block.offset - block.before.length), level: (block.flags[0] as number) & LogFlags.level };
  }
}

const ALL: Chosen = { lines: undefined };

const linesOf = (bytes: Buffer): string[] => bytes.toString('utf8').split('\n').slice(0, -1).map((line) => clean(line.replace(/\r$/, '')));

/** The text of an entry, with what the block before holds of it. */
function textOf(block: Block, from: number, to: number): string {
  const own = Array.from({ length: to - from }, (_, i) => textAt(block, from + i));
  return (from === 0 ? [...linesOf(block.before), ...own] : own).join('\n').replace(/\n+$/, '');
}
