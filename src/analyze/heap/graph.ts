// Owns the heap as columns: a row per node and per edge in typed arrays, filled while the snapshot is read.
import type { Allocations, CallTree } from './allocations.ts';
import { EdgeRows, TARGET_SHIFT } from './edges.ts';
import type { SnapshotMeta } from './meta.ts';
import { LARGE } from './numbers.ts';
import type { StringTable } from './strings.ts';
import { unreadableHeap } from './unreadable.ts';

/** Where functions and the constructors of objects were written, in the order of nodes; lines and columns from 0. */
export interface Locations { readonly count: number; readonly nodes: Uint32Array; readonly scripts: Uint32Array; readonly lines: Uint32Array; readonly columns: Uint32Array }

export interface HeapGraph {
  readonly meta: SnapshotMeta;
  readonly nodeCount: number;
  readonly edgeCount: number;
  readonly root: number;
  readonly types: Uint8Array;
  readonly names: Uint32Array;
  readonly ids: Uint32Array;
  readonly sizes: Sizes;
  readonly detached: Uint8Array | undefined;
  /** Where nodes were made, of a heap that was tracked. */
  readonly allocations: Allocations | undefined;
  /** The edges of node n are firstEdge[n] … firstEdge[n + 1] - 1. */
  readonly firstEdge: Uint32Array;
  /** What each leads to, its type and a mark, in one number: `targetOf`, `typeOf`, HOLDS. One place in memory is looked at, not three. */
  readonly edges: Uint32Array;
  readonly edgeNames: Uint32Array;
  readonly locations: Locations;
  readonly strings: StringTable;
  /** What is missing or damaged, one sentence each; empty: nothing. */
  readonly notes: readonly string[];
}

export { HOLDS, targetOf, typeOf } from './edges.ts';
/** What fits beside type and mark; at 60 bytes of file a node this is 16 GB. */
const MAX_NODES = 2 ** (32 - TARGET_SHIFT);

/** Shallow sizes: 4 bytes a node, and a list of the few that need more. */
export class Sizes {
  readonly small: Uint32Array;
  readonly #large = new Map<number, number>();

  constructor(small: Uint32Array) { this.small = small; }

  of(node: number): number {
    const size = (this.small[node] as number);
    return size === LARGE ? this.#large.get(node) ?? LARGE : size;
  }

  set(node: number, size: number): void {
    if (size >= LARGE) { this.#large.set(node, size); this.small[node] = LARGE; } else this.small[node] = size;
  }
}

/** The typed arrays of a snapshot are bounded by what V8 allows in one array. */
const MAX_ROWS = 2 ** 32 - 2;

export class GraphBuilder {
  readonly #meta: SnapshotMeta;
  readonly #types: Uint8Array;
  readonly #names: Uint32Array;
  readonly #ids: Uint32Array;
  readonly #sizes: Sizes;
  readonly #firstEdge: Uint32Array;
  #detached: Uint8Array | undefined;
  readonly #made: Uint32Array | undefined;
  #damagedTypes = 0;
  nodes = 0;
  readonly edges: EdgeRows;

  /** `sizeBytes`: how large the snapshot is; a header that claims more rows than fit is not believed. `shared`: another thread may look at its columns. */
  constructor(meta: SnapshotMeta, sizeBytes: number, shared = false) {
    // A number takes a digit and a comma.
    const fits = (rows: number, fields: number): number => Math.min(rows, Math.floor(sizeBytes / (2 * fields)) + 1, MAX_ROWS);
    const nodes = Math.min(fits(meta.nodeCount, meta.node.fields), MAX_NODES);
    const edges = fits(meta.edgeCount, meta.edge.fields);
    this.#meta = meta;
    try {
      const bytes = (count: number): ArrayBufferLike => (shared ? new SharedArrayBuffer(count) : new ArrayBuffer(count));
      const words = (count: number): Uint32Array => new Uint32Array(bytes(4 * count));
      this.#types = new Uint8Array(bytes(nodes)); this.#names = words(nodes); this.#ids = words(nodes);
      this.#sizes = new Sizes(words(nodes)); this.#firstEdge = words(nodes + 1);
      this.#made = meta.tracked ? words(nodes) : undefined; this.edges = new EdgeRows(meta, { edges: words(edges), names: words(edges) });
    } catch (cause) {
      throw unreadableHeap(`there is no memory for ${nodes} nodes and ${edges} edges`, cause);
    }
  }

  /** A batch of the rows of `nodes`; a row that is cut off at the end is left out. */
  addNodes(numbers: Uint32Array, count: number, large: ReadonlyMap<number, number>): void {
    const { fields, type, name, id, size, edges, detached, made } = this.#meta.node;
    const types = this.#types, names = this.#names, ids = this.#ids, sizes = this.#sizes.small, firstEdge = this.#firstEdge;
    const rows = Math.floor(count / fields);
    const fit = Math.max(0, Math.min(rows, types.length - this.nodes));
    const kinds = this.#meta.nodeTypes.length;
    for (let row = 0, at = 0, node = this.nodes; row < fit; row++, at += fields, node++) {
      const kind = numbers[at + type] as number;
      if (kind < kinds) types[node] = kind; else this.#damagedTypes++;
      names[node] = (numbers[at + name] as number);
      ids[node] = (numbers[at + id] as number);
      sizes[node] = (numbers[at + size] as number);
      firstEdge[node] = (numbers[at + edges] as number);
      if (this.#made !== undefined) this.#made[node] = (numbers[at + made] as number);
      if (detached >= 0 && numbers[at + detached] !== 0) (this.#detached ??= new Uint8Array(types.length))[node] = (numbers[at + detached] as number) & 3;
    }
    for (const [place, value] of large) if (place % fields === size && Math.floor(place / fields) < fit) this.#sizes.set(this.nodes + Math.floor(place / fields), value);
    this.nodes += rows;
  }

  addEdges(numbers: Uint32Array, count: number): void { this.edges.add(numbers, count, Math.min(this.nodes, this.#types.length)); }

  /** Whether all that the header promises is there, whole: then it does not matter who read what of it, and when. */
  get whole(): boolean { return this.nodes === this.#meta.nodeCount && this.#types.length === this.nodes && this.#damagedTypes === 0 && this.edges.count === this.#meta.edgeCount && this.edges.columns.edges.length === this.edges.count && this.edges.damaged === 0; }

  /** @throws HEAP_UNREADABLE when there is nothing to analyze */
  done(strings: StringTable, locations: Locations, notes: readonly string[], calls?: { readonly calls: CallTree; readonly functions: Uint32Array }): HeapGraph {
    const nodeCount = Math.min(this.nodes, this.#types.length);
    const edgeCount = Math.min(this.edges.count, this.edges.columns.edges.length);
    if (nodeCount === 0) throw unreadableHeap('it has no nodes');
    const root = this.#meta.rootIndex / this.#meta.node.fields;
    if (!Number.isInteger(root) || root >= nodeCount) throw unreadableHeap('its root is none of its nodes');
    const said = [...notes, ...this.#damage()];
    const firstEdge = this.#firstEdge.subarray(0, nodeCount + 1);
    const claimed = offsets(firstEdge, edgeCount);
    if (claimed !== edgeCount) said.push(`its nodes claim ${claimed} edges, ${edgeCount} are there`);
    const part = <T extends Uint8Array | Uint32Array>(column: T, length: number): T => column.subarray(0, length) as T;
    return {
      meta: this.#meta, nodeCount, edgeCount, root, firstEdge, strings, locations, notes: said, sizes: this.#sizes,
      allocations: calls === undefined || this.#made === undefined ? undefined : { of: this.#made, ...calls },
      types: part(this.#types, nodeCount), names: part(this.#names, nodeCount), ids: part(this.#ids, nodeCount), detached: this.#detached?.subarray(0, nodeCount),
      edges: part(this.edges.columns.edges, edgeCount), edgeNames: part(this.edges.columns.names, edgeCount),
    };
  }

  #damage(): string[] {
    const { nodeCount, edgeCount } = this.#meta;
    return [
      ...this.nodes === nodeCount ? [] : [`its header promises ${nodeCount} nodes, ${this.nodes} are there`],
      ...this.edges.count === edgeCount ? [] : [`its header promises ${edgeCount} edges, ${this.edges.count} are there`],
      ...this.#damagedTypes === 0 ? [] : [`${this.#damagedTypes} nodes have a type that its header does not name`],
      ...this.edges.damaged === 0 ? [] : [`${this.edges.damaged} edges lead nowhere`],
    ];
  }
}

/** Counts become places, in the same array; what goes beyond the edges that are there is left out. The sum of the counts. */
function offsets(counts: Uint32Array, edgeCount: number): number {
  let sum = 0;
  for (let i = 0; i < counts.length - 1; i++) {
    const own = (counts[i] as number);
    counts[i] = Math.min(sum, edgeCount);
    sum += own;
  }
  counts[counts.length - 1] = Math.min(sum, edgeCount);
  return sum;
}
