// Owns memory that grows where it lies: a table that moves to larger memory holds both for a while, and leaves a hole that the next one does not fit into.

/** Below it is ordinary memory, which moves; it is not worth a reservation of addresses. */
const MOVED_BELOW_BYTES = 256 * 1024;
const MOVED_GROWTH = 4;
/** Addresses that are reserved; what needs more moves once more. Only what is asked for becomes real. */
const RESERVED_BYTES = 16 * 2 ** 20;
const WASM_PAGE = 64 * 1024;

/** The part of WebAssembly that is used: its types belong to the browser's library, which the server side does not have. */
interface Memory { readonly buffer: SharedArrayBuffer; grow(pages: number): number }
interface Wasm { Memory: new (options: { initial: number; maximum: number; shared: true }) => Memory }
const wasm = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;

const pagesFor = (bytes: number): number => Math.ceil(bytes / WASM_PAGE);

export class Room {
  /** Begins with zeros. Another one after widen(). */
  bytes: Uint8Array;
  #memory: Memory | undefined;
  #reservedBytes = 0;

  constructor(bytes: number) {
    this.bytes = new Uint8Array(bytes);
  }

  /** At least as large as this, with what was there; the rest is zeros. Shared once it is large, so that another thread can be given it as it lies. */
  widen(least: number): Uint8Array {
    const before = this.bytes;
    if (least <= before.length) return before;
    if (least <= MOVED_BELOW_BYTES) return this.#moved(new Uint8Array(Math.max(least, before.length * MOVED_GROWTH)));
    const wanted = pagesFor(Math.max(least, before.length + before.length / 4));
    if (this.#memory === undefined || wanted * WASM_PAGE > this.#reservedBytes) return this.#moved(this.#reserve(wanted));
    this.#memory.grow(wanted - pagesFor(before.length));
    return this.bytes = new Uint8Array(this.#memory.buffer);
  }

  /** Ordinary memory where the process may not have so many addresses (V8 reserves gigabytes around each). */
  #reserve(pages: number): Uint8Array {
    this.#reservedBytes = Math.max(RESERVED_BYTES, pages * WASM_PAGE * MOVED_GROWTH);
    try {
      this.#memory = new wasm.Memory({ initial: pages, maximum: this.#reservedBytes / WASM_PAGE, shared: true });
      return new Uint8Array(this.#memory.buffer);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#memory = undefined;
      return new Uint8Array(pages * WASM_PAGE * MOVED_GROWTH);
    }
  }

  #moved(bytes: Uint8Array): Uint8Array {
    bytes.set(this.bytes);
    return this.bytes = bytes;
  }
}
