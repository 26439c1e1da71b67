// Owns questions about names that are asked of millions of nodes and edges: each is answered once per string.
import type { HeapGraph } from './graph.ts';

const SLOTS = 1 << 10;
/** In the file a text of so many signs is followed by its quote, a comma, a line's end perhaps, and the next quote; a program that writes with more space around is allowed some. */
const LEAST_BETWEEN = 3;
const MOST_BETWEEN = 32;

/** The numbers of well-known strings in this snapshot; found by the first node or edge that has one. What was asked lately is remembered, most others cannot be it for their length. */
export class NameTest {
  readonly #graph: HeapGraph;
  readonly #texts: ReadonlySet<string>;
  readonly #asked = new Uint32Array(SLOTS);
  readonly #has = new Uint8Array(SLOTS);
  readonly #least: number;
  readonly #most: number;

  constructor(graph: HeapGraph, ...texts: readonly string[]) {
    this.#graph = graph;
    this.#texts = new Set(texts);
    this.#least = Math.min(...texts.map((text) => text.length)) + LEAST_BETWEEN;
    this.#most = Math.max(...texts.map((text) => text.length)) + MOST_BETWEEN;
  }

  has(name: number): boolean {
    const slot = name & (SLOTS - 1);
    if (this.#asked[slot] === name + 1) return this.#has[slot] === 1;
    const { strings } = this.#graph;
    const span = strings.span(name);
    const has = span >= this.#least && span <= this.#most && this.#texts.has(strings.text(name));
    this.#asked[slot] = name + 1;
    this.#has[slot] = has ? 1 : 0;
    return has;
  }
}

export interface Ephemeron { readonly pair: string; readonly table: number }

/** V8 writes a WeakMap's value as held by key and by table, with one name for both. */
const EPHEMERON = /^\d{1,10}( \/ part of key \(.*? @\d+\) -> value \(.*? @\d+\) pair in WeakMap \(table @(\d+)\))$/;

export class EphemeronNames {
  readonly #graph: HeapGraph;
  readonly #known = new Map<number, Ephemeron | undefined>();

  constructor(graph: HeapGraph) { this.#graph = graph; }

  of(name: number): Ephemeron | undefined {
    const { strings } = this.#graph;
    if (!strings.ephemerons.has(name)) return undefined;
    if (this.#known.has(name)) return this.#known.get(name);
    const [, pair, table] = EPHEMERON.exec(strings.text(name)) ?? [];
    const made = pair === undefined || table === undefined ? undefined : { pair, table: Number.parseInt(table, 10) };
    this.#known.set(name, made);
    return made;
  }
}
