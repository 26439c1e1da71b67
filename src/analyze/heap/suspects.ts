// Owns the leak suspects: who holds what grew (two snapshots and more), or who holds most (one), named in the words of the source.
import { makerOf, type Maker } from './allocations.ts';
import { NodeBits } from './bits.ts';
import type { ClassRow } from './classes.ts';
import type { BaseSnapshot } from './base.ts';
import type { Growth } from './growth.ts';
import type { Heap } from './heap.ts';
import { Holders } from './holder.ts';
import { functionInside } from './inward.ts';
import { itemsOf } from './items.ts';
import { concentrations } from './concentration.ts';
import { originOf, type Place } from './places.ts';

export interface Suspect {
  readonly node: number;
  readonly holder: string;
  readonly place: Place | undefined;
  /** False: the line is that of the function or class that sees the name. */
  readonly exact: boolean;
  readonly what: string | undefined;
  readonly count: number;
  /** Of what grew; of one snapshot: what it retains. */
  readonly bytes: number;
  readonly retained: number;
  readonly share: number;
  /** The program's function that made most of it, where the heap was tracked. */
  readonly made?: Maker | undefined;
  readonly sign: 'grew' | 'holds-most';
}

const MOST_SUSPECTS = 10;
const MOST_ANCHORS = 60;
/** Less is what any program gathers while it warms up. */
const LEAST_BYTES = 64 * 1024;
const LEAST_SHARE_OF_HEAP = 0.01;
const LEAST_SHARE_OF_GROWTH = 0.08;

interface Named { readonly holder: string; readonly place: Place | undefined; readonly exact: boolean }

export class Suspects {
  readonly #heap: Heap;
  readonly #holders: Holders;
  readonly #seen: NodeBits;

  constructor(heap: Heap, holders: Holders) { this.#heap = heap; this.#holders = holders; this.#seen = new NodeBits(heap.graph.nodeCount); }

  grown(growth: Growth, base: BaseSnapshot): Suspect[] {
    const least = Math.max(LEAST_BYTES, base.bytes * LEAST_SHARE_OF_HEAP, growth.bytes * LEAST_SHARE_OF_GROWTH);
    const merged = new Map<string, Suspect>();
    for (const { node, bytes, tops } of growth.anchors.slice(0, MOST_ANCHORS)) {
      if (bytes < least / 8) break;
      const named = this.#named(node, tops);
      if (named === undefined) continue;
      this.#merge(merged, this.#suspect(named, node, tops, bytes, growth.bytes, 'grew'));
    }
    return [...merged.values()].filter((one) => one.bytes >= least).sort((a, b) => b.bytes - a.bytes).slice(0, MOST_SUSPECTS);
  }

  holdsMost(): Suspect[] {
    const { dominators: { retained }, graph } = this.#heap;
    const merged = new Map<string, Suspect>();
    for (const { node, tops, bytes } of concentrations(this.#heap, this.#holders.ways)) {
      const named = this.#named(node, tops);
      if (named?.place === undefined) continue;
      this.#merge(merged, this.#suspect(named, node, tops, bytes ?? (retained[node] as number), (retained[graph.root] as number), 'holds-most'));
    }
    return [...merged.values()].sort((a, b) => b.bytes - a.bytes).slice(0, MOST_SUSPECTS);
  }

  #named(node: number, tops: readonly number[]): Named | undefined {
    // A context is what its variables are: the one that refers to the new thing.
    const holder = (isContext(this.#heap, node) ? undefined : this.#holders.of(node)) ?? (tops[0] !== undefined && this.#holders.ways[tops[0]] === node ? this.#holders.of(tops[0]) : undefined);
    if (holder !== undefined && (holder.place === undefined || originOf(holder.place.script) !== 'node')) return { holder: holder.name, place: holder.place, exact: holder.exact };
    const inside = functionInside(this.#heap, this.#holders.places, tops.length > 0 ? tops : [node]);
    return inside === undefined ? undefined : { holder: inside.name === '' ? 'a function' : `${inside.name}()`, place: inside.place, exact: true };
  }

  #suspect({ holder, place, exact }: Named, node: number, tops: readonly number[], bytes: number, all: number, sign: Suspect['sign']): Suspect {
    const { classes, dominators: { retained } } = this.#heap;
    const items = itemsOf(this.#heap, node, this.#seen);
    const top = items.topCount >= 2 ? items.top : tops[0] === undefined ? items.top : classes.of[tops[0]];
    return { node, holder, place, exact, made: makerOf(this.#heap, tops), what: top === undefined ? undefined : (classes.rows[top] as ClassRow).name, count: Math.max(items.topCount, 1), bytes, retained: (retained[node] as number), share: all > 0 ? bytes / all : 0, sign };
  }

  #merge(merged: Map<string, Suspect>, one: Suspect): void {
    const key = `${one.holder} ${one.place?.script}:${one.place?.line}`;
    const known = merged.get(key);
    if (known === undefined) { merged.set(key, one); return; }
    merged.set(key, { ...known, bytes: known.bytes + one.bytes, retained: Math.max(known.retained, one.retained), share: known.share + one.share });
  }
}

const isContext = ({ graph, classes }: Heap, node: number): boolean => (classes.rows[(classes.of[node] as number)] as ClassRow).name === 'system / Context' || graph.strings.text((graph.names[node] as number)).startsWith('system / Context');
