// Owns questions about names that are asked of millions of nodes and edges: each is answered once per string.
import type { HeapGraph } from './graph.ts';

/** The numbers of well-known strings in this snapshot; found by the first node or edge that has one. */
export class NameTest {
  readonly #graph: HeapGraph;
  readonly #texts: ReadonlySet<string>;
  readonly #known = new Map<number, boolean>();

  constructor(graph: HeapGraph, ...texts: readonly string[]) { this.#graph = graph; this.#texts = new Set(texts); }

  has(name: number): boolean {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const has = this.#texts.has(this.#graph.strings.text(name));
    this.#known.set(name, has);
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
