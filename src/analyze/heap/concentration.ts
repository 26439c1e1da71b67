// Owns where memory concentrates in one snapshot: objects that hold much, spread over many alike things or over a long chain.
import { NO_NODE, type ClassRow } from './classes.ts';
import type { Heap } from './heap.ts';
import { isOutside } from './program-ways.ts';

export interface Concentration {
  readonly node: number;
  readonly tops: readonly number[];
  /** Where it is not all that the node retains. */
  readonly bytes?: number;
}

/** A holder counts from this share of the heap on, and from these bytes. */
const LEAST_SHARE = 0.02;
const LEAST_BYTES = 128 * 1024;
/** No single thing below it may be most of it: then that thing is looked at instead. */
const MOST_IN_ONE = 0.35;
const LEAST_ITEMS = 12;
/** So many links of one class in a row are a chain. */
const CHAIN = 24;
const MOST_FOUND = 60;
const MOST_TOPS = 500;

export function concentrations(heap: Heap, ways: Uint32Array): Concentration[] {
  const { graph, dominators: { retained, of: by } } = heap;
  const least = Math.max(LEAST_BYTES, (retained[graph.root] as number) * LEAST_SHARE);
  const found: Concentration[] = [];
  const large: number[] = [];
  for (let node = 0; node < graph.nodeCount; node++) if ((retained[node] as number) >= least) large.push(node);
  large.sort((a, b) => (retained[b] as number) - (retained[a] as number));
  const inChain = new Set<number>();
  for (const node of large) {
    if (found.length >= MOST_FOUND) break;
    if (inChain.has((by[node] as number))) { inChain.add(node); continue; }
    if (isSystem(heap, node)) { found.push(...crowds(heap, node, least).map((one) => kept(heap, one, ways))); continue; }
    const spread = spreadOf(heap, node);
    if (spread !== undefined) found.push({ node: ownerOf(heap, node), tops: spread });
    else {
      const link = chainBelow(heap, node);
      if (link !== undefined) { inChain.add(node); found.push({ node: link, tops: [link] }); }
    }
  }
  return found;
}

function isSystem({ graph: { types, meta: { nodeType } } }: Heap, node: number): boolean {
  const type = types[node];
  return type === nodeType.synthetic || type === nodeType.code;
}

/** A table is its map's. */
function ownerOf({ graph: { types, root, meta: { nodeType } }, dominators: { of: by } }: Heap, node: number): number {
  let at = node;
  while ((types[at] === nodeType.array || types[at] === nodeType.hidden) && by[at] !== root && types[(by[at] as number)] !== nodeType.synthetic) at = (by[at] as number);
  return at;
}

/** The things below when they are many and none is most of all. */
function spreadOf({ child, sibling, dominators: { retained }, graph: { sizes } }: Heap, node: number): number[] | undefined {
  let most = 0;
  let items = 0;
  const tops: number[] = [];
  for (let below = (child[node] as number); below !== NO_NODE; below = (sibling[below] as number)) {
    if ((retained[below] as number) > most) most = (retained[below] as number);
    if ((retained[below] as number) > 0) { items++; if (tops.length < MOST_TOPS) tops.push(below); }
  }
  // A large array of numbers or a text is its own thing.
  if (items < LEAST_ITEMS && sizes.of(node) < (retained[node] as number) / 2) return undefined;
  return most > (retained[node] as number) * MOST_IN_ONE ? undefined : tops;
}

/** Alike things that only the system's own lists hold: sockets, timers, handles. */
function crowds({ child, sibling, dominators: { retained }, classes, graph: { types, meta: { nodeType } } }: Heap, node: number, least: number): Concentration[] {
  const byClass = new Map<number, { bytes: number; tops: number[]; heaviest: number }>();
  for (let below = (child[node] as number); below !== NO_NODE; below = (sibling[below] as number)) {
    if (types[below] !== nodeType.object && types[below] !== nodeType.native) continue;
    const row = (classes.of[below] as number);
    let own = byClass.get(row);
    if (own === undefined) byClass.set(row, own = { bytes: 0, tops: [], heaviest: 0 });
    own.bytes += (retained[below] as number);
    own.heaviest = Math.max(own.heaviest, (retained[below] as number));
    if (own.tops.length < MOST_TOPS) own.tops.push(below);
  }
  return [...byClass.values()].filter(({ bytes, tops, heaviest }) => bytes >= least && tops.length >= LEAST_ITEMS && heaviest <= bytes * MOST_IN_ONE).map(({ tops, bytes }) => ({ node, tops, bytes }));
}

/** A crowd that a collection of the program keeps too, beside the system's list, is that collection's. */
function kept(heap: Heap, crowd: Concentration, ways: Uint32Array): Concentration {
  const { types, meta: { nodeType } } = heap.graph;
  const votes = new Map<number, number>();
  for (const top of crowd.tops) {
    let at = (ways[top] as number);
    for (let above = ways[at] as number; above !== at && (types[at] === nodeType.array || types[at] === nodeType.hidden); above = ways[at] as number) at = above;
    if (at !== NO_NODE && !isOutside(heap, at)) votes.set(at, (votes.get(at) ?? 0) + 1);
  }
  const [node, times] = [...votes].sort((a, b) => b[1] - a[1])[0] ?? [];
  return node === undefined || (times ?? 0) < crowd.tops.length / 2 ? crowd : { ...crowd, node };
}

/** Down by the heaviest: where the same class comes again and again, its first link. */
function chainBelow(heap: Heap, node: number): number | undefined {
  const { child, sibling, dominators: { retained }, classes } = heap;
  const seen = new Map<number, { times: number; first: number }>();
  let at = node;
  for (let depth = 0; depth < CHAIN * 4; depth++) {
    let heaviest = NO_NODE;
    for (let below = (child[at] as number); below !== NO_NODE; below = (sibling[below] as number)) if (heaviest === NO_NODE || (retained[below] as number) > (retained[heaviest] as number)) heaviest = below;
    if (heaviest === NO_NODE) return undefined;
    const row = (classes.of[heaviest] as number);
    const own = seen.get(row);
    if (own === undefined) seen.set(row, { times: 1, first: heaviest });
    else if (++own.times >= CHAIN) return firstLink(heap, [...seen.values()].filter(({ times }) => times >= CHAIN / 2).map(({ first }) => first));
    at = heaviest;
  }
  return undefined;
}

/** Of the classes that take turns in a chain the first link that is a thing: functions and contexts only pass it on. */
function firstLink({ graph, classes }: Heap, links: readonly number[]): number | undefined {
  const { types, meta: { nodeType } } = graph;
  return links.find((node) => types[node] !== nodeType.closure && types[node] !== nodeType.hidden && !(classes.rows[(classes.of[node] as number)] as ClassRow).name.startsWith('system /')) ?? links[0];
}
