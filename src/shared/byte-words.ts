// Owns the search for many words in bytes at once: one table look-up a byte, whatever the number of words.

/** States × classes of the table: 4 MiB. Words beyond it are refused, for a search that knows only some of them would miss silently. */
const MAX_CELLS = 2 * 1_024 * 1_024;

/** Finds any of the words, upper and lower case of ASCII alike. A table of Aho and Corasick over classes of bytes. */
export class ByteWords {
  readonly #classes = new Uint8Array(256);
  readonly #next: Uint32Array;
  readonly #accept: number;
  #state = 0;

  constructor(words: readonly Uint8Array[]) {
    const trie = trieOf(words.map((word) => word.map(lower)));
    const used = new Set<number>(words.flatMap((word) => [...word].map(lower)));
    const width = used.size + 1;
    if (trie.length * width > MAX_CELLS) throw new RangeError(`${words.length} words are too many for one table`);
    const classOf = new Map([...used].map((byte, i) => [byte, i + 1]));
    for (let byte = 0; byte < 256; byte += 1) this.#classes[byte] = classOf.get(lower(byte)) ?? 0;
    const { next, ends } = tableOf(trie, width, classOf);
    // States that end a word come last, so that one comparison tells.
    const order = trie.map((_, state) => state).sort((a, b) => Number(ends[a]) - Number(ends[b]) || a - b);
    const place = new Uint32Array(trie.length);
    order.forEach((state, i) => { place[state] = i; });
    this.#next = new Uint32Array(trie.length * width);
    for (let state = 0; state < trie.length; state += 1) {
      for (let one = 0; one < width; one += 1) this.#next[(place[state] as number) * width + one] = (place[next[state * width + one] as number] as number) * width;
    }
    const first = order.findIndex((state) => ends[state]);
    this.#accept = (first === -1 ? trie.length : first) * width;
  }

  /** The place after the first word in [from, to), -1 when there is none. */
  find(bytes: Uint8Array, from: number, to: number): number {
    this.#state = 0;
    return this.on(bytes, from, to);
  }

  /** On from the place that the last call gave: the place after the next word, which may overlap the last one. */
  on(bytes: Uint8Array, from: number, to: number): number {
    const next = this.#next;
    const classes = this.#classes;
    const accept = this.#accept;
    let state = this.#state;
    for (let i = from; i < to; i += 1) {
      state = next[state + (classes[bytes[i] as number] as number)] as number;
      if (state >= accept) { this.#state = state; return i + 1; }
    }
    return -1;
  }
}

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);

interface Node { readonly to: Map<number, number>; end: boolean }

function trieOf(words: readonly Uint8Array[]): Node[] {
  const nodes: Node[] = [{ to: new Map(), end: false }];
  for (const word of words) {
    if (word.length === 0) continue;
    let at = 0;
    for (const byte of word) {
      let next = (nodes[at] as Node).to.get(byte);
      if (next === undefined) { next = nodes.length; nodes.push({ to: new Map(), end: false }); (nodes[at] as Node).to.set(byte, next); }
      at = next;
    }
    (nodes[at] as Node).end = true;
  }
  return nodes;
}

/** Breadth first: where a state has no way on, it goes on as its longest suffix does. */
function tableOf(trie: readonly Node[], width: number, classOf: ReadonlyMap<number, number>): { next: Uint32Array; ends: boolean[] } {
  const next = new Uint32Array(trie.length * width);
  const ends = trie.map((node) => node.end);
  const suffix = new Uint32Array(trie.length);
  const queue = [0];
  for (let state = queue.shift(); state !== undefined; state = queue.shift()) {
    if (state !== 0) for (let one = 0; one < width; one += 1) next[state * width + one] = next[(suffix[state] as number) * width + one] as number;
    for (const [byte, to] of (trie[state] as Node).to) {
      const one = classOf.get(byte) as number;
      suffix[to] = state === 0 ? 0 : next[state * width + one] as number;
      if (ends[suffix[to] as number]) ends[to] = true;
      next[state * width + one] = to;
      queue.push(to);
    }
  }
  return { next, ends };
}
