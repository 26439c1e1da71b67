// Owns the feed of requests: rows that lie in blocks, and are made only when somebody looks at them.
import { setImmediate as turn } from 'node:timers/promises';
import type { RequestRow } from '../shared/model.ts';
import { Followed } from './feed.ts';
import type { Waiting } from './feed.ts';
import type { RequestBatch, RequestFeed, RequestGlance, RequestRows } from './observe.ts';

/** Rows that come one by one lie together in blocks of this many. */
const TOGETHER = 64;
/** Smaller blocks take more room than their rows do: those are made at once. */
const WORTH_KEEPING = 32;

/** Some of the rows of a block: [from, to). */
interface Piece { readonly block: RequestRows; from: number; to: number }

/** Rows that were made before they came. */
class MadeRows implements RequestRows {
  readonly #rows: RequestRow[] = [];
  get size(): number { return this.#rows.length; }
  get rows(): readonly RequestRow[] { return this.#rows; }
  add(row: RequestRow): void { this.#rows.push(row); }
  each(from: number, to: number, look: (request: RequestGlance) => void): void {
    for (let i = from; i < to; i += 1) look(this.#rows[i] as RequestRow);
  }
}

class Pieces implements Waiting<Readonly<Piece>, RequestBatch> {
  length = 0;
  #pieces: Piece[] = [];

  push({ block, from, to }: Readonly<Piece>): void {
    const last = this.#pieces.at(-1);
    if (last?.block === block && last.to === from) last.to = to; else this.#pieces.push({ block, from, to });
    this.length += to - from;
  }

  trim(most: number): number {
    const dropped = Math.max(0, this.length - most);
    let left = dropped, gone = 0;
    for (const piece of this.#pieces) {
      if (left < piece.to - piece.from) { piece.from += left; break; }
      left -= piece.to - piece.from;
      gone += 1;
    }
    if (gone > 0) this.#pieces.splice(0, gone);
    this.length -= dropped;
    return dropped;
  }

  list(): readonly Readonly<Piece>[] { return this.#pieces; }

  take(dropped: number): RequestBatch {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.length = 0;
    return new PieceBatch(pieces, dropped);
  }
}

class PieceBatch implements RequestBatch {
  readonly dropped: number;
  readonly #pieces: readonly Readonly<Piece>[];
  #items: readonly RequestRow[] | undefined;

  constructor(pieces: readonly Readonly<Piece>[], dropped: number) {
    this.#pieces = pieces;
    this.dropped = dropped;
  }

  get items(): readonly RequestRow[] { return this.#items ??= rowsOf(this.#pieces); }
  each(look: (request: RequestGlance) => void): void { for (const { block, from, to } of this.#pieces) block.each(from, to, look); }
}

function rowsOf(pieces: readonly Readonly<Piece>[]): readonly RequestRow[] {
  return pieces.flatMap(({ block, from, to }) => block.rows.slice(from, to));
}

/** A feed that keeps the last `keep` rows, bounded, followed and counted like each feed. A block is let go when the last of its rows is. */
export function createRequestFeed(keep: number): RequestFeed {
  const followed = new Followed<Readonly<Piece>, RequestBatch>(keep, () => new Pieces());
  let open = new MadeRows();
  function publish(row: RequestRow): void {
    if (open.size >= TOGETHER) open = new MadeRows();
    open.add(row);
    followed.publish({ block: open, from: open.size - 1, to: open.size });
  }
  return {
    publish,
    add(block) {
      if (block.size < WORTH_KEEPING) for (const row of block.rows) publish(row);
      else followed.publish({ block, from: 0, to: block.size });
    },
    async make() {
      for (const block of new Set(followed.ring.list().map((piece) => piece.block))) {
        if (block.rows.length >= WORTH_KEEPING) await turn();
      }
    },
    recent: () => rowsOf(followed.ring.list()),
    follow: (options) => followed.follow(options),
  };
}
