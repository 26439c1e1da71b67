// Owns the names of plain objects: `{id, name}` where enough objects have these properties, as Chrome groups them.
import { typeOf, type HeapGraph } from './graph.ts';
import { NameTest } from './names.ts';

/** Chrome's limits: how long a name gets, how many objects it must fit. */
const MAX_NAME_CHARS = 120;
const LEAST_OBJECTS = 2;
const ONE_OF = 1_000;
/** Objects with more properties are dictionaries: they are looked at one by one, not learnt as a shape. */
const MAX_LEARNT = 200;
const MAX_STATES = 1 << 22;

interface Definition { readonly name: string; readonly properties: readonly number[]; count: number }

/** Calls `named` for each plain object that fits a definition. `scratch`: a number per node, contents lost. */
export function nameShapes(graph: HeapGraph, isPlain: (node: number) => boolean, scratch: Uint32Array, named: (node: number, name: string) => void): void {
  const { nodeCount } = graph;
  const learnt = new Shapes();
  const found = new Candidates(graph);
  let objects = 0;
  for (let node = 0; node < nodeCount; node++) {
    if (!isPlain(node)) continue;
    objects++;
    const shape = learnt.of(graph, node);
    scratch[node] = shape;
    found.count(shape, shape === 0 ? propertiesOf(graph, node) : undefined, learnt);
  }
  const match = matcher(found.popular(objects));
  const known = new Map<number, string | undefined>();
  for (let node = 0; node < nodeCount; node++) {
    if (!isPlain(node)) continue;
    const shape = (scratch[node] as number);
    if (shape !== 0 && !known.has(shape)) known.set(shape, match(learnt.properties(shape)));
    const name = shape === 0 ? match(propertiesOf(graph, node)) : known.get(shape);
    if (name !== undefined) named(node, name);
  }
}

function propertiesOf({ firstEdge, edges, edgeNames, meta: { edgeType } }: HeapGraph, node: number): number[] {
  const names: number[] = [];
  for (let edge = (firstEdge[node] as number); edge < (firstEdge[node + 1] as number); edge++) if (typeOf(edges[edge] as number) === edgeType.property) names.push((edgeNames[edge] as number));
  return names;
}

/** Lists of properties as states of a trie in one flat hash table: a state is what comes after `parent` by the property `name`. */
class Shapes {
  #parents = new Uint32Array(1 << 12);
  #names = new Uint32Array(1 << 12);
  #table = new Uint32Array(1 << 13);
  #count = 1;

  /** 0: not learnt. The shape without properties is 1. */
  of({ firstEdge, edges, edgeNames, meta: { edgeType } }: HeapGraph, node: number): number {
    if (this.#count === 1) this.#count = 2;
    let state = 1;
    const end = (firstEdge[node + 1] as number);
    let properties = 0;
    for (let edge = (firstEdge[node] as number); edge < end; edge++) {
      if (typeOf(edges[edge] as number) !== edgeType.property) continue;
      if (++properties > MAX_LEARNT) return 0;
      state = this.#after(state, (edgeNames[edge] as number));
      if (state === 0) return 0;
    }
    return state;
  }

  properties(shape: number): number[] {
    const names: number[] = [];
    for (let state = shape; state > 1; state = (this.#parents[state] as number)) names.push((this.#names[state] as number));
    return names.reverse();
  }

  #after(parent: number, name: number): number {
    const mask = this.#table.length - 1;
    let at = hash(parent, name) & mask;
    for (;;) {
      const state = (this.#table[at] as number);
      if (state === 0) break;
      if (this.#parents[state] === parent && this.#names[state] === name) return state;
      at = (at + 1) & mask;
    }
    if (this.#count >= MAX_STATES) return 0;
    const made = this.#count++;
    if (made === this.#parents.length) this.#grow();
    this.#parents[made] = parent; this.#names[made] = name;
    this.#put(made);
    return made;
  }

  #put(state: number): void {
    const mask = this.#table.length - 1;
    let at = hash((this.#parents[state] as number), (this.#names[state] as number)) & mask;
    while (this.#table[at] !== 0) at = (at + 1) & mask;
    this.#table[at] = state;
  }

  #grow(): void {
    const doubled = (old: Uint32Array): Uint32Array<ArrayBuffer> => { const more = new Uint32Array(old.length * 2); more.set(old); return more; };
    this.#parents = doubled(this.#parents); this.#names = doubled(this.#names);
    this.#table = new Uint32Array(this.#table.length * 2);
    for (let state = 2; state < this.#count - 1; state++) this.#put(state);
  }
}

const hash = (a: number, b: number): number => { let h = Math.imul(a, 0x9e37_79b1) ^ Math.imul(b, 0x85eb_ca6b); h ^= h >>> 15; h = Math.imul(h, 0xc2b2_ae35); return (h ^ (h >>> 13)) >>> 0; };

/** How many objects begin with the same properties, in the order in which they were first seen. */
class Candidates {
  readonly #graph: HeapGraph;
  readonly #proto: NameTest;
  readonly #byShape = new Map<number, Definition | undefined>();
  readonly #byName = new Map<string, Definition>();
  readonly #written = new Map<number, string>();

  constructor(graph: HeapGraph) { this.#graph = graph; this.#proto = new NameTest(graph, '__proto__'); }

  count(shape: number, properties: readonly number[] | undefined, shapes: Shapes): void {
    let candidate = shape === 0 ? undefined : this.#byShape.get(shape);
    if (shape === 0 || (candidate === undefined && !this.#byShape.has(shape))) {
      candidate = this.#candidate(properties ?? shapes.properties(shape));
      if (shape !== 0) this.#byShape.set(shape, candidate);
    }
    if (candidate !== undefined) candidate.count++;
  }

  popular(objects: number): Definition[] {
    const least = Math.max(LEAST_OBJECTS, objects / ONE_OF);
    return [...this.#byName.values()].filter((one) => one.count >= least).sort((a, b) => b.count - a.count);
  }

  #candidate(properties: readonly number[]): Definition | undefined {
    let name = '{';
    const kept: number[] = [];
    for (const property of properties) {
      if (this.#proto.has(property)) continue;
      const written = this.#write(property);
      if (name.length > 1 && name.length + written.length > MAX_NAME_CHARS) break;
      if (name.length > 1) name += ', ';
      name += written;
      kept.push(property);
    }
    if (kept.length === 0) return undefined;
    name += '}';
    let known = this.#byName.get(name);
    if (known === undefined) this.#byName.set(name, known = { name, properties: kept, count: 0 });
    return known;
  }

  #write(property: number): string {
    const known = this.#written.get(property);
    if (known !== undefined) return known;
    const text = this.#graph.strings.text(property);
    const written = /[,'"{}]/.test(text) ? JSON.stringify({ [text]: 0 }).slice(1, -3) : text;
    this.#written.set(property, written);
    return written;
  }
}

/** The definition with the most properties that all are there; of equals the more popular. */
function matcher(definitions: readonly Definition[]): (properties: readonly number[]) => string | undefined {
  const byFirst = new Map<number, number[]>();
  definitions.forEach(({ properties }, index) => {
    const list = byFirst.get((properties[0] as number));
    if (list === undefined) byFirst.set((properties[0] as number), [index]); else list.push(index);
  });
  return (properties) => {
    // Two symbols may have one name: a definition that names it twice wants it twice.
    const there = new Map<number, number>();
    for (const property of properties) there.set(property, (there.get(property) ?? 0) + 1);
    let best: number | undefined;
    for (const property of there.keys()) {
      for (const index of byFirst.get(property) ?? []) {
        const wanted = (definitions[index] as Definition).properties;
        const least = best === undefined ? 0 : (definitions[best] as Definition).properties.length;
        if (wanted.length < least || (wanted.length === least && best !== undefined && index > best)) continue;
        if (wanted.every((one) => (there.get(one) ?? 0) >= (wanted.length === 1 ? 1 : wanted.filter((own) => own === one).length))) best = index;
      }
    }
    return best === undefined ? undefined : (definitions[best] as Definition).name;
  };
}
