// Owns a walk in breadth: level by level, and a large level in the order of nodes, so that it runs through memory instead of jumping about in it.
import { NodeBits } from './bits.ts';
import { Words } from './words.ts';

/** A level of fewer nodes than this share is walked as it was found: to order it would cost more than the jumps. */
const ORDERED_SHARE = 256;
const LEAST_ORDERED = 1 << 15;

export class Levels {
  readonly #bits: NodeBits;
  readonly #least: number;
  readonly queue: Uint32Array;
  /** Nodes that were walked: the levels end at `ends`, and what is walked on its own goes on behind. */
  filled = 0;
  readonly ends = new Words(64);

  /** `queue`: a number per node. */
  constructor(nodeCount: number, queue: Uint32Array) { this.#bits = new NodeBits(nodeCount); this.#least = Math.max(LEAST_ORDERED, nodeCount / ORDERED_SHARE); this.queue = queue; }

  add(node: number): void { this.queue[this.filled++] = node; }

  /** From the nodes added since the last walk on: `expand` adds to the queue what is new behind queue[from] … queue[to - 1], and gives the place behind it. */
  walk(expand: (from: number, to: number) => number): void {
    const queue = this.queue;
    let from = this.ends.length === 0 ? 0 : this.ends.values[this.ends.length - 1] as number;
    while (from < this.filled) {
      const to = this.filled;
      if (to - from >= this.#least) {
        for (let at = from; at < to; at++) this.#bits.add(queue[at] as number);
        this.#bits.drain(queue, from);
      }
      this.ends.push(to);
      this.filled = expand(from, to);
      from = to;
    }
  }
}
