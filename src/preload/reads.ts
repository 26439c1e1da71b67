// Owns how much had been written on a connection when its last bytes came: what was written since waits for an answer. Known while requests are followed, since Node tells then when a connection's callback runs.

const MAX_CONNECTIONS = 5_000;

interface Handle { readonly bytesWritten?: unknown }
/** `answered`: bytes written when the last ones came; undefined until some come. */
interface Connection { handle: Handle | undefined; answered: number | undefined; isFresh: boolean }

export class Reads {
  readonly #connections = new Map<number, Connection>();
  #resource: (() => object) | undefined;

  get isOn(): boolean { return this.#resource !== undefined; }

  start(): void {
    this.#resource ??= (require('async_hooks') as typeof import('node:async_hooks')).executionAsyncResource;
  }

  stop(): void {
    this.#resource = undefined;
    this.#connections.clear();
  }

  /** One that is being opened now: all that will be written on it is unanswered until something comes. */
  opened(id: number): void {
    if (this.#connections.size < MAX_CONNECTIONS) this.#connections.set(id, { handle: undefined, answered: 0, isFresh: true });
  }

  /** Its callback is about to run: bytes have come. */
  came(id: number): void {
    const one = this.#connections.get(id);
    if (one === undefined) return;
    one.handle ??= this.#resource?.() as Handle | undefined;
    const written = one.handle?.bytesWritten;
    one.answered = typeof written === 'number' ? written : undefined;
  }

  /** Of a connection that is there now. Undefined: not known, since nothing has come while somebody followed. */
  isSilent(id: number, handle: Handle): boolean | undefined {
    let one = this.#connections.get(id);
    if (one === undefined) {
      if (this.#connections.size >= MAX_CONNECTIONS) return undefined;
      this.#connections.set(id, one = { handle, answered: undefined, isFresh: true });
    }
    one.handle ??= handle;
    one.isFresh = true;
    return one.answered === undefined || typeof handle.bytesWritten !== 'number' ? undefined : handle.bytesWritten > one.answered;
  }

  /** After each look at all connections: those that were not there twice are let go. */
  forget(): void {
    for (const [id, one] of this.#connections) {
      if (one.isFresh) one.isFresh = false;
      else this.#connections.delete(id);
    }
  }
}
