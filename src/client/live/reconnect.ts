// Owns when a socket is opened again: one connection at a time, each pause twice the one before, and nothing of an earlier connection is heard.
import type { Clock } from '../clock.ts';

interface Closable { close(): void }

export interface ReconnectOptions<W> {
  readonly clock: Clock;
  /** First pause before a new try; doubled up to the longest. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** `isMine` is false from the moment another connection was begun, or the last one ended. */
  connect(isMine: () => boolean): W;
}

export class Reconnect<W extends Closable> {
  readonly #options: ReconnectOptions<W>;
  #wire: W | undefined;
  #connection = 0;
  #pauseMs: number;
  #again: (() => void) | undefined;

  constructor(options: ReconnectOptions<W>) {
    this.#options = options;
    this.#pauseMs = options.firstMs;
  }

  /** The connection that is there, or being made. */
  get wire(): W | undefined { return this.#wire; }

  /** Opens at once, also instead of a pause. */
  open(): void {
    this.#again?.();
    this.#again = undefined;
    this.#connection += 1;
    const mine = this.#connection;
    this.#wire = this.#options.connect(() => mine === this.#connection);
  }

  /** The connection is gone: after a pause comes the next. */
  lost(): void {
    this.#wire = undefined;
    this.#again?.();
    this.#again = this.#options.clock.after(this.#pauseMs, () => this.open());
    this.#pauseMs = Math.min(this.#options.longestMs, this.#pauseMs * 2);
  }

  /** The next pause is the first again. */
  fresh(): void { this.#pauseMs = this.#options.firstMs; }

  /** The connection is gone, and none comes. */
  gone(): void { this.#wire = undefined; }

  end(): void {
    this.#connection += 1;
    this.#again?.();
    this.#wire?.close();
  }
}
