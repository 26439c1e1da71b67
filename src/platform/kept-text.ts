// Owns what is kept of a long output: its beginning and its end, with what lies between counted and said where it is missing.
import { bytes as sized } from '../shared/units.ts';

/** Bounded by `headBytes + tailBytes`, whatever comes. */
export class KeptText {
  readonly #headBytes: number;
  readonly #tailBytes: number;
  readonly #head: Buffer[] = [];
  #tail: Buffer[] = [];
  #inHead = 0;
  #inTail = 0;
  /** Bytes that came and are not kept. */
  lostBytes = 0;

  constructor(headBytes: number, tailBytes: number) {
    this.#headBytes = headBytes;
    this.#tailBytes = tailBytes;
  }

  take(chunk: Buffer): void {
    const room = Math.min(this.#headBytes - this.#inHead, chunk.length);
    if (room > 0) { this.#head.push(chunk.subarray(0, room)); this.#inHead += room; }
    if (room === chunk.length) return;
    this.#tail.push(chunk.subarray(room));
    this.#inTail += chunk.length - room;
    while (this.#inTail > this.#tailBytes) this.#forget(this.#inTail - this.#tailBytes);
  }

  text(): string {
    const head = Buffer.concat(this.#head);
    const tail = Buffer.concat(this.#tail);
    if (this.lostBytes === 0) return Buffer.concat([head, tail]).toString('utf8');
    return `${head.toString('utf8')}\n[${sized(this.lostBytes)} of the output left out here]\n${tail.toString('utf8')}`;
  }

  #forget(over: number): void {
    const first = this.#tail[0] as Buffer;
    const gone = Math.min(over, first.length);
    if (gone === first.length) this.#tail.shift();
    else this.#tail[0] = first.subarray(gone);
    this.#inTail -= gone;
    this.lostBytes += gone;
  }
}
