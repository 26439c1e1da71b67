// Owns the quick sieve before a search for words in bytes: every second pair of bytes is looked up, and most texts have none that counts.

/** What a pair may be: the first two bytes of a word's three, the last two, or enough by itself. */
const HEAD = 1;
const TAIL = 2;
const SURE = 4;
/** The second byte may begin a word of two. */
const HALF = 8;

/** Pairs that stand in every text; three bytes of a word are chosen so that they hold few of them. */
const USUAL = new Set('th he in er an re nd on en at ou ed ha to or it is hi es ng ti st ar se te le al ve me de ro ra co ri li io ic el ca ch nt as us ut om'.split(' '));

export interface Sieved { readonly bytes: Uint8Array; readonly anyCase: boolean }

/** Lets through every place where one of the words may stand: no word of three bytes or more, nor of two equal ones, passes it by. */
export class PairSieve {
  /** By the pair as it is read from memory: the second byte above the first. */
  readonly #swapped = new Uint8Array(65_536);
  #pairs: Uint16Array = new Uint16Array(0);

  constructor(words: readonly Sieved[]) {
    for (const { bytes, anyCase } of words) {
      if (bytes.length >= 3) this.#addWindow(bytes, windowOf(bytes), anyCase);
      else if (bytes.length === 2) this.#addTwo(bytes[0] as number, bytes[1] as number);
      else if (bytes.length === 1) this.#addOne(bytes[0] as number);
    }
  }

  /** A place in or beside the next candidate in [from, to), -1 when there is none. Go on two bytes after it. */
  next(bytes: Uint8Array, from: number, to: number): number {
    const last = Math.min(to, bytes.length - 1);
    // Pairs are read as words of two bytes, which lie at even places of the memory: from an odd one the first pair is looked at twice.
    let i = from;
    if (((bytes.byteOffset + i) & 1) === 1 && i < last) {
      if (this.#isOne(bytes, i)) return i;
      i += 1;
    }
    i = this.#skip(bytes, i, last);
    for (; i < last; i += 2) if (this.#isOne(bytes, i)) return i;
    return i === to - 1 && (this.#kinds(bytes[i] as number, 0x20)) >= SURE ? i : -1;
  }

  /** Over the pairs that are nothing, eight at a time, to the first eight with something or the last few. */
  #skip(bytes: Uint8Array, from: number, last: number): number {
    const swapped = this.#swapped;
    const pairs = this.#pairsOf(bytes);
    const shift = bytes.byteOffset;
    let i = from;
    for (let at = (shift + i) >> 1; i + 15 < last; i += 16, at += 8) {
      const some = (swapped[pairs[at] as number] as number) | (swapped[pairs[at + 1] as number] as number) | (swapped[pairs[at + 2] as number] as number) | (swapped[pairs[at + 3] as number] as number)
        | (swapped[pairs[at + 4] as number] as number) | (swapped[pairs[at + 5] as number] as number) | (swapped[pairs[at + 6] as number] as number) | (swapped[pairs[at + 7] as number] as number);
      if (some === 0) continue;
      for (let one = i; one < i + 16; one += 2) if (this.#isOne(bytes, one)) return one;
    }
    return i;
  }

  #isOne(bytes: Uint8Array, i: number): boolean {
    const kind = this.#kinds(bytes[i] as number, bytes[i + 1] as number);
    return kind !== 0 && this.#holds(kind, bytes, i);
  }

  #kinds(first: number, second: number): number { return this.#swapped[(second << 8) | first] as number; }

  /** The memory that these bytes lie in, as words; every system Node and browsers run on is little endian. */
  #pairsOf(bytes: Uint8Array): Uint16Array {
    if (this.#pairs.buffer !== bytes.buffer) this.#pairs = new Uint16Array(bytes.buffer, 0, bytes.buffer.byteLength >> 1);
    return this.#pairs;
  }

  #holds(kind: number, bytes: Uint8Array, i: number): boolean {
    if ((kind & SURE) !== 0) return true;
    const after = bytes[i + 2] ?? 0x20;
    if ((kind & HALF) !== 0 && (this.#kinds(bytes[i + 1] as number, after) & SURE) !== 0) return true;
    if ((kind & HEAD) !== 0 && (this.#kinds(bytes[i + 1] as number, after) & TAIL) !== 0) return true;
    return (kind & TAIL) !== 0 && i > 0 && (this.#kinds(bytes[i - 1] as number, bytes[i] as number) & HEAD) !== 0;
  }

  #addWindow(bytes: Uint8Array, at: number, anyCase: boolean): void {
    const [a, b, c] = [0, 1, 2].map((i) => casesOf(bytes[at + i] as number, anyCase)) as [number[], number[], number[]];
    for (const one of a) for (const two of b) this.#mark(one, two, HEAD);
    for (const one of b) for (const two of c) this.#mark(one, two, TAIL);
  }

  #addTwo(first: number, second: number): void {
    this.#mark(first, second, SURE);
    for (let before = 0; before < 256; before += 1) this.#mark(before, first, HALF);
  }

  #addOne(byte: number): void {
    for (let other = 0; other < 256; other += 1) { this.#mark(byte, other, SURE); this.#mark(other, byte, SURE); }
  }

  #mark(first: number, second: number, kind: number): void { this.#swapped[(second << 8) | first] = this.#kinds(first, second) | kind; }
}

function casesOf(byte: number, anyCase: boolean): number[] {
  const small = byte | 0x20;
  return anyCase && small >= 0x61 && small <= 0x7a ? [small, small & ~0x20] : [byte];
}

/** Where the three bytes begin that say most about the word. */
function windowOf(word: Uint8Array): number {
  let best = 0;
  let least = Infinity;
  for (let at = 0; at + 2 < word.length; at += 1) {
    const cost = [at, at + 1].filter((i) => USUAL.has(String.fromCharCode(word[i] as number, word[i + 1] as number).toLowerCase())).length;
    if (cost < least) { least = cost; best = at; }
  }
  return best;
}
