// Owns the estimate of how many distinct texts there were, in 16 KB, once a table no longer holds them all (HyperLogLog).

const BITS = 14;
const REGISTERS = 2 ** BITS;
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);
/** Three standard errors, in percent: 1.04 / √16,384 × 3. Hashes have 32 bits, so beyond some hundred million it tells too few. */
export const DISTINCT_ERROR_PERCENT = 2.5;

export class Distinct {
  readonly #most: Uint8Array;

  constructor(registers: Uint8Array = new Uint8Array(REGISTERS)) {
    this.#most = registers;
  }

  add(hash: number): void {
    // The text's hash again, mixed otherwise: tables use its low bits.
    let mixed = Math.imul(hash ^ hash >>> 16, 0x7FEB352D);
    mixed = Math.imul(mixed ^ mixed >>> 15, 0x846CA68B);
    mixed ^= mixed >>> 16;
    const register = mixed >>> 32 - BITS;
    const zeros = Math.clz32(mixed << BITS | 1 << BITS - 1) + 1;
    if (zeros > (this.#most[register] as number)) this.#most[register] = zeros;
  }

  merge(registers: Uint8Array): void {
    registers.forEach((zeros, i) => { if (zeros > (this.#most[i] as number)) this.#most[i] = zeros; });
  }

  state(): Uint8Array { return this.#most.slice(); }

  estimate(): number {
    let sum = 0, empty = 0;
    for (const zeros of this.#most) { sum += 2 ** -zeros; if (zeros === 0) empty += 1; }
    const raw = ALPHA * REGISTERS * REGISTERS / sum;
    if (raw <= 2.5 * REGISTERS && empty > 0) return Math.round(REGISTERS * Math.log(REGISTERS / empty));
    const large = raw > 2 ** 32 / 30 ? -(2 ** 32) * Math.log(1 - Math.min(raw, 2 ** 32 - 1) / 2 ** 32) : raw;
    return Math.round(large);
  }
}
