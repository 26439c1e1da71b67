// Owns classes by constructor: which class a node belongs to (Chrome's naming and grouping), and count, shallow and retained size of each.
import type { Arena } from './arena.ts';
import type { Dominators } from './dominators.ts';
import { DETACHED } from './detached.ts';
import { NO_DISTANCE, type Distances } from './distances.ts';
import type { HeapGraph } from './graph.ts';
import { NameTest } from './names.ts';
import { nameShapes } from './shapes.ts';
import { Words } from './words.ts';

export interface ClassRow {
  readonly name: string;
  /** Where its constructor is written, by number in the snapshot's locations: classes of one name at several places are several. */
  readonly location: number | undefined;
  count: number;
  shallow: number;
  retained: number;
  distance: number;
}

export interface Classes {
  readonly rows: readonly ClassRow[];
  /** Row per node. */
  readonly of: Uint32Array;
}

/** `scratch` arrays: a number per node each, contents lost. */
export function classify(graph: HeapGraph, states: Uint8Array | undefined, of: Uint32Array, scratch: Uint32Array): Classes {
  const rows: ClassRow[] = [];
  const byName = new Map<string, number>();
  const row = (key: string, name: string, location?: number): number => {
    let known = byName.get(key);
    if (known === undefined) { known = rows.length; byName.set(key, known); rows.push({ name, location, count: 0, shallow: 0, retained: 0, distance: Infinity }); }
    return known;
  };
  nameNodes(graph, states, of, (name) => row(name, name));
  const { nodeType } = graph.meta;
  const plain = new NameTest(graph, 'Object');
  const isPlain = (node: number): boolean => graph.types[node] === nodeType.object && plain.has((graph.names[node] as number));
  nameShapes(graph, isPlain, scratch, (node, name) => { of[node] = row(name, name); });
  splitByPlace(graph, of, rows, row);
  return { rows, of };
}

function nameNodes(graph: HeapGraph, states: Uint8Array | undefined, of: Uint32Array, row: (name: string) => number): void {
  const { nodeCount, types, names, meta: { nodeType, nodeTypes } } = graph;
  const fixed = new Map([[nodeType.hidden, '(system)'], [nodeType.code, '(compiled code)'], [nodeType.closure, 'Function'], [nodeType.regexp, 'RegExp']]);
  const byType = nodeTypes.map((name, type) => (type === nodeType.object || type === nodeType.native ? -1 : row(fixed.get(type) ?? `(${name})`)));
  const byString = new Map<number, number>();
  const byDetached = new Map<number, number>();
  for (let node = 0; node < nodeCount; node++) {
    const type = (types[node] as number);
    const simple = (byType[type] as number);
    if (simple >= 0) { of[node] = simple; continue; }
    const detached = states !== undefined && type === nodeType.native && states[node] === DETACHED;
    const cache = detached ? byDetached : byString;
    let known = cache.get((names[node] as number));
    if (known === undefined) cache.set((names[node] as number), known = row(elementName(`${detached ? 'Detached ' : ''}${graph.strings.text((names[node] as number))}`)));
    of[node] = known;
  }
}

/** `<div id="a">` is a `<div>`. */
function elementName(name: string): string {
  const space = name.startsWith('<') ? name.indexOf(' ') : name.startsWith('Detached <') ? name.indexOf(' ', 10) : -1;
  return space < 0 ? name : `${name.slice(0, space)}>`;
}

/** Many constructors have the same name: an object with a place belongs to the class of that name at that place. */
function splitByPlace({ types, locations, meta: { nodeType } }: HeapGraph, of: Uint32Array, rows: readonly ClassRow[], row: (key: string, name: string, location: number) => number): void {
  for (let i = 0; i < locations.count; i++) {
    const node = (locations.nodes[i] as number);
    if (node >= of.length || types[node] !== nodeType.object) continue;
    const { name } = (rows[(of[node] as number)] as ClassRow);
    of[node] = row(`${locations.scripts[i]},${locations.lines[i]},${locations.columns[i]},${name}`, name, i);
  }
}

/** Fills count and shallow, and distance where there are any. */
export function countClasses({ nodeCount, root, sizes }: HeapGraph, { rows, of }: Classes, distances?: Distances): void {
  const nearest = new Float64Array(rows.length).fill(Infinity);
  const counts = new Float64Array(rows.length);
  const shallow = new Float64Array(rows.length);
  for (let node = 0; node < nodeCount; node++) {
    const size = sizes.of(node);
    if (size === 0) continue;
    const row = of[node] as number;
    counts[row] = (counts[row] as number) + 1;
    shallow[row] = (shallow[row] as number) + size;
    if (distances?.before[node] === node && node !== root) nearest[row] = NO_DISTANCE;
  }
  distances?.each((node, distance) => {
    const row = of[node] as number;
    if (distance < (nearest[row] as number) && sizes.of(node) !== 0) nearest[row] = distance;
  });
  rows.forEach((row, at) => { row.count = counts[at] as number; row.shallow = shallow[at] as number; row.distance = nearest[at] === Infinity ? NO_DISTANCE : nearest[at] as number; });
}

export const NO_NODE = 0xffff_ffff;

export interface DominatedLists { readonly child: Uint32Array; readonly sibling: Uint32Array }

/** Per node its first dominated node and the next one with the same dominator. */
export function dominatedLists({ nodeCount, root }: HeapGraph, dominators: Dominators, arena: Arena): DominatedLists {
  const child = arena.words(nodeCount).fill(NO_NODE);
  const sibling = arena.words(nodeCount);
  for (let node = nodeCount - 1; node >= 0; node--) {
    if (node === root) { sibling[node] = NO_NODE; continue; }
    const by = (dominators.of[node] as number);
    sibling[node] = (child[by] as number);
    child[by] = node;
  }
  return { child, sibling };
}

export function setRetained(rows: readonly ClassRow[], retained: Float64Array): void { rows.forEach((row, at) => { row.retained = retained[at] as number; }); }

/** By row: a retained size counts a node only where no other of its class holds it. `child` and `sibling`: as `dominatedLists` left them. */
export function retainedByClass({ root, sizes }: HeapGraph, { rows, of }: Classes, { retained }: Dominators, child: Uint32Array, sibling: Uint32Array): Float64Array {
  const open = new Uint32Array(rows.length);
  const sums = new Float64Array(rows.length);
  const stack = new Words(1 << 12);
  for (let node = root; ;) {
    const row = of[node] as number;
    const sized = sizes.of(node) !== 0;
    if (sized && open[row] === 0) sums[row] = (sums[row] as number) + (retained[node] as number);
    if (child[node] !== NO_NODE) {
      if (sized) open[row] = (open[row] as number) + 1;
      stack.push(node);
      node = child[node] as number;
      continue;
    }
    // Most nodes hold nothing: the next one is beside them, and only what holds others is left again.
    while (sibling[node] === NO_NODE) {
      if (stack.length === 0) return sums;
      node = stack.pop();
      const above = of[node] as number;
      if (sizes.of(node) !== 0) open[above] = (open[above] as number) - 1;
    }
    node = sibling[node] as number;
  }
}
