// Owns the tails of all followed logs: one for each path, shared, and closed with its last user.
import type { Clock } from '../../platform/clock.ts';
import type { Log } from './log.ts';
import type { LineMask } from './masked.ts';
import { Tail } from './tail.ts';

interface Used { readonly tail: Promise<Tail>; users: number; close(): void }

export class Tails {
  readonly #clock: Clock;
  readonly #mask: LineMask | undefined;
  readonly #used = new Map<string, Used>();
  #number = 0;

  /** `mask` hides secrets in what followers get; without it they get the lines as they are. */
  constructor(clock: Clock, mask?: LineMask) {
    this.#clock = clock;
    this.#mask = mask;
  }

  get count(): number { return this.#used.size; }
  get mask(): LineMask | undefined { return this.#mask; }

  /** A number that no other channel has. */
  number(): number {
    this.#number = (this.#number + 1) >>> 0;
    return this.#number;
  }

  /** The one tail of this log, until `release`; closed when nobody uses it any more. */
  use(log: Log): { readonly tail: Promise<Tail>; release(): void } {
    const used = this.#used.get(log.path) ?? this.#start(log);
    used.users += 1;
    let held = true;
    return {
      tail: used.tail,
      release: () => {
        if (!held) return;
        held = false;
        used.users -= 1;
        if (used.users > 0) return;
        this.#used.delete(log.path);
        used.close();
      },
    };
  }

  #start(log: Log): Used {
    const tail = new Tail(log, this.#clock, this.#mask, () => this.number());
    const used: Used = { tail: tail.start().then(() => tail), users: 0, close: () => tail.close() };
    this.#used.set(log.path, used);
    // A tail that cannot even start fails whoever asked for it; one that runs says itself what it cannot read.
    used.tail.then(() => tail.run()).catch(() => { tail.close(); });
    return used;
  }
}
