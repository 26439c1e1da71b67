// Owns where memory concentrates in one snapshot: objects that hold much, spread over many alike things or over a long chain.
import { NO_NODE } from './classes.ts';
import type { Heap } from './heap.ts';

export interface Concentration { readonly node: number; readonly tops: readonly number[] }

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

export function concentrations(heap: Heap): Concentration[] {
  const { graph, dominators: { retained, of: by } } = heap;
  const least = Math.max(LEAST_BYTES, retained[graph.root]! * LEAST_SHARE);
  const found: Concentration[] = [];
  const large: number[] = [];
  for (let node = 0; node < graph.nodeCount; node++) if (retained[node]! >= least && node !== graph.root) large.push(node);
  large.sort((a, b) => retained[b]! - retained[a]!);
  const inChain = new Set<number>();
  for (const node of large) {
    if (found.length >= MOST_FOUND) break;
    if (inChain.has(by[node]!)) { inChain.add(node); continue; }
    if (isSystem(heap, node)) continue;
    const spread = spreadOf(heap, node);
    if (spread !== undefined) found.push({ node: ownerOf(heap, node), tops: spread });
    else if (isChain(heap, node)) { inChain.add(node); found.push({ node, tops: [node] }); }
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
  while ((types[at] === nodeType.array || types[at] === nodeType.hidden) && by[at] !== root && types[by[at]!] !== nodeType.synthetic) at = by[at]!;
  return at;
}

/** The things below when they are many and none is most of all. */
function spreadOf({ child, sibling, dominators: { retained }, graph: { sizes } }: Heap, node: number): number[] | undefined {
  let most = 0;
  let items = 0;
  const tops: number[] = [];
  for (let below = child[node]!; below !== NO_NODE; below = sibling[below]!) {
    if (retained[below]! > most) most = retained[below]!;
    if (retained[below]! > 0) { items++; if (tops.length < MOST_TOPS) tops.push(below); }
  }
  // A large array of numbers or a text is its own thing.
  if (items < LEAST_ITEMS && sizes.of(node) < retained[node]! / 2) return undefined;
  return most > retained[node]! * MOST_IN_ONE ? undefined : tops;
}

/** Down by the heaviest: the same class again and again. */
function isChain({ child, sibling, dominators: { retained }, classes }: Heap, node: number): boolean {
  const seen = new Map<number, number>();
  let at = node;
  for (let depth = 0; depth < CHAIN * 4; depth++) {
    let heaviest = NO_NODE;
    for (let below = child[at]!; below !== NO_NODE; below = sibling[below]!) if (heaviest === NO_NODE || retained[below]! > retained[heaviest]!) heaviest = below;
    if (heaviest === NO_NODE) return false;
    const row = classes.of[heaviest]!;
    const times = (seen.get(row) ?? 0) + 1;
    if (times >= CHAIN) return true;
    seen.set(row, times);
    at = heaviest;
  }
  return false;
}
