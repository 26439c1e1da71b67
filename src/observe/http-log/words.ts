// Owns strings that rows have again and again (agents, hosts, routes): made once while they are remembered, found by their bytes, in fixed memory.
import type { Columns, TextColumn } from './columns.ts';

/** Longer texts are made each time. */
const MAX_BYTES = 512;

interface Word { readonly hash: number; readonly bytes: Uint8Array; readonly said: string }

export class Words {
  readonly #slots: (Word | undefined)[];
  /** Of the text that came last and is not remembered: a text is when it comes again, so that those that come once cost nothing. */
  readonly #seen: Int32Array;
  readonly #make: (text: string) => string;

  /** `slots`: a power of two; a text that comes twice takes the place of the older. `make` must depend on the text alone. */
  constructor(slots: number, make: (text: string) => string) {
    this.#slots = Array.from({ length: slots }, () => undefined);
    this.#seen = new Int32Array(slots);
    this.#make = make;
  }

  /** What is made of a row's text; undefined where the row has none. */
  of({ bytes }: Columns, { from, to, hash }: TextColumn, row: number): string | undefined {
    const begin = from[row] as number, end = to[row] as number;
    return end <= begin ? undefined : this.at(bytes, begin, end, hash[row] as number);
  }

  at(bytes: Uint8Array, from: number, to: number, hash: number): string {
    const slot = (hash ^ hash >>> 15) & this.#slots.length - 1;
    const known = this.#slots[slot];
    if (known !== undefined && known.hash === hash && same(known.bytes, bytes, from, to)) return known.said;
    const said = this.#make(decode(bytes, from, to));
    if (this.#seen[slot] !== hash) this.#seen[slot] = hash;
    else if (to - from <= MAX_BYTES) this.#slots[slot] = { hash, bytes: bytes.slice(from, to), said };
    return said;
  }
}

function same(kept: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (kept.length !== to - from) return false;
  for (let i = 0; i < kept.length; i += 1) if (kept[i] !== bytes[from + i]) return false;
  return true;
}

/** Texts come out of one batch's bytes by the dozen: a view is made once for all of them. */
let viewed: Uint8Array = new Uint8Array(0);
let view = Buffer.alloc(0);

/** Logs are UTF-8 unless the server was told to write ANSI: bytes that are not UTF-8 are read one by one. */
export function decode(bytes: Uint8Array, from: number, to: number): string {
  if (bytes !== viewed) {
    viewed = bytes;
    view = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
  }
  const text = view.toString('utf8', from, to);
  return text.includes('\uFFFD') ? view.toString('latin1', from, to) : text;
}
