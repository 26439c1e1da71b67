// Owns protocol buffers on the wire, as far as pprof needs them: fields of a message one by one, within its bounds; and the writing of the same.

const VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5;
export interface Field { readonly id: number; /** Of varints, as far as a number is exact. */ readonly value: number; readonly bytes: Uint8Array | undefined }

/** @throws RangeError where the bytes end inside a field or are none */
export function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  const read = new Reading(bytes);
  while (!read.done()) {
    const key = read.varint();
    const wire = key & 7;
    const id = Math.floor(key / 8);
    if (wire === VARINT) yield { id, value: read.varint(), bytes: undefined };
    else if (wire === BYTES) yield { id, value: 0, bytes: read.take(read.varint()) };
    else if (wire === FIXED64) { read.take(8); yield { id, value: 0, bytes: undefined }; }
    else if (wire === FIXED32) { read.take(4); yield { id, value: 0, bytes: undefined }; }
    else throw new RangeError(`wire type ${wire} is none`);
  }
}

/** A repeated number, packed or not. */
export function numbersIn(field: Field, into: number[], max: number): void {
  if (field.bytes === undefined) { if (into.length < max) into.push(field.value); return; }
  const read = new Reading(field.bytes);
  while (!read.done() && into.length < max) into.push(read.varint());
}

class Reading {
  readonly #bytes: Uint8Array;
  #at = 0;
  constructor(bytes: Uint8Array) { this.#bytes = bytes; }
  done(): boolean { return this.#at >= this.#bytes.length; }
  take(length: number): Uint8Array {
    if (length < 0 || this.#at + length > this.#bytes.length) throw new RangeError('it ends inside a field');
    return this.#bytes.subarray(this.#at, this.#at += length);
  }
  /** Negative numbers have ten bytes in two's complement. */
  varint(): number {
    let low = 0, high = 0;
    for (let index = 0; index < 10; index += 1) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new RangeError('it ends inside a number');
      if (index < 4) low += (byte & 127) * 2 ** (7 * index); else high += (byte & 127) * 2 ** (7 * (index - 4));
      if (byte < 128) return index === 9 ? high * 2 ** 28 + low - 2 ** 64 : high * 2 ** 28 + low;
    }
    throw new RangeError('a number is longer than ten bytes');
  }
}

export class Writing {
  readonly #parts: number[] = [];
  number(id: number, value: number): this { if (value !== 0) { this.#varint(id * 8 + VARINT); this.#varint(value); } return this; }
  message(id: number, inner: Writing): this { return this.bytes(id, inner.done()); }
  text(id: number, text: string): this { return this.bytes(id, new TextEncoder().encode(text)); }
  packed(id: number, values: readonly number[]): this { const inner = new Writing(); for (const value of values) inner.#varint(value); return this.message(id, inner); }
  bytes(id: number, bytes: Uint8Array): this { this.#varint(id * 8 + BYTES); this.#varint(bytes.length); for (const byte of bytes) this.#parts.push(byte); return this; }
  done(): Uint8Array { return Uint8Array.from(this.#parts); }
  #varint(value: number): void {
    let rest = Math.max(0, Math.round(value));
    while (rest >= 128) { this.#parts.push(rest % 128 + 128); rest = Math.floor(rest / 128); }
    this.#parts.push(rest);
  }
}
