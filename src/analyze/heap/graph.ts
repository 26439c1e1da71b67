// Owns the heap as columns: a row per node and per edge in typed arrays, filled while the snapshot is read.
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
  /** The edges of node n are firstEdge[n] … firstEdge[n + 1] - 1. */
  readonly firstEdge: Uint32Array;
  readonly edgeTypes: Uint8Array;
  readonly edgeNames: Uint32Array;
  readonly edgeTo: Uint32Array;
  readonly locations: Locations;
  readonly strings: StringTable;
  /** What is missing or damaged, one sentence each; empty: nothing. */
  readonly notes: readonly string[];
}

/** Shallow sizes: 4 bytes a node, and a list of the few that need more. */
export class Sizes {
  readonly small: Uint32Array;
  readonly #large = new Map<number, number>();

  constructor(count: number) { this.small = new Uint32Array(count); }

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
  readonly #edgeTypes: Uint8Array;
  readonly #edgeNames: Uint32Array;
  readonly #edgeTo: Uint32Array;
  readonly #rows: { readonly node: Uint32Array; readonly edge: Uint32Array };
  #damagedTypes = 0;
  #damagedEdges = 0;
  nodes = 0;
  edges = 0;

  /** `sizeBytes`: how large the snapshot is; a header that claims more rows than fit is not believed. */
  constructor(meta: SnapshotMeta, sizeBytes: number) {
    // A number takes a digit and a comma.
    const fits = (rows: number, fields: number): number => Math.min(rows, Math.floor(sizeBytes / (2 * fields)) + 1, MAX_ROWS);
    const nodes = fits(meta.nodeCount, meta.node.fields);
    const edges = fits(meta.edgeCount, meta.edge.fields);
    this.#meta = meta;
    try {
      this.#types = new Uint8Array(nodes); this.#names = new Uint32Array(nodes); this.#ids = new Uint32Array(nodes);
      this.#sizes = new Sizes(nodes); this.#firstEdge = new Uint32Array(nodes + 1);
      this.#edgeTypes = new Uint8Array(edges); this.#edgeNames = new Uint32Array(edges); this.#edgeTo = new Uint32Array(edges);
    } catch (cause) {
      throw unreadableHeap(`there is no memory for ${nodes} nodes and ${edges} edges`, cause);
    }
    this.#rows = { node: new Uint32Array(meta.node.fields), edge: new Uint32Array(meta.edge.fields) };
  }

  /** A batch of the numbers of `nodes`; rows may be cut by its borders. */
  addNodes(numbers: Uint32Array, count: number, first: number, large: ReadonlyMap<number, number>): void {
    const { fields, type, name, id, size, edges, detached } = this.#meta.node;
    const row = this.#rows.node;
    let field = first % fields;
    let node = this.nodes;
    const most = this.#types.length;
    const kinds = this.#meta.nodeTypes.length;
    for (let i = 0; i < count; i++) {
      row[field] = (numbers[i] as number);
      if (field === size && numbers[i] === LARGE && node < most) this.#sizes.set(node, large.get(i) ?? LARGE);
      if (++field < fields) continue;
      field = 0;
      if (node >= most) { node++; continue; }
      if ((row[type] as number) >= kinds) this.#damagedTypes++;
      this.#types[node] = (row[type] as number) < kinds ? (row[type] as number) : 0;
      this.#names[node] = (row[name] as number);
      this.#ids[node] = (row[id] as number);
      this.#sizes.small[node] = (row[size] as number);
      this.#firstEdge[node] = (row[edges] as number);
      if (detached >= 0 && row[detached] !== 0) (this.#detached ??= new Uint8Array(most))[node] = (row[detached] as number) & 3;
      node++;
    }
    this.nodes = node;
  }

  addEdges(numbers: Uint32Array, count: number, first: number): void {
    const { fields, type, name, to } = this.#meta.edge;
    const nodeFields = this.#meta.node.fields;
    const row = this.#rows.edge;
    let field = first % fields;
    let edge = this.edges;
    const most = this.#edgeTo.length;
    const nodes = Math.min(this.nodes, this.#types.length);
    for (let i = 0; i < count; i++) {
      row[field] = (numbers[i] as number);
      if (++field < fields) continue;
      field = 0;
      if (edge >= most) { edge++; continue; }
      const target = (row[to] as number) / nodeFields;
      const whole = target >>> 0;
      // An edge that leads nowhere is kept in its place and leads to the root, weakly: places count, and weak edges hold nothing.
      if (whole !== target || whole >= nodes) { this.#damagedEdges++; this.#edgeTypes[edge] = this.#meta.edgeType.weak & 255; this.#edgeTo[edge] = 0; } else { this.#edgeTypes[edge] = (row[type] as number); this.#edgeTo[edge] = whole; }
      this.#edgeNames[edge] = (row[name] as number);
      edge++;
    }
    this.edges = edge;
  }

  /** @throws HEAP_UNREADABLE when there is nothing to analyze */
  done(strings: StringTable, locations: Locations, notes: readonly string[]): HeapGraph {
    const nodeCount = Math.min(this.nodes, this.#types.length);
    const edgeCount = Math.min(this.edges, this.#edgeTo.length);
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
      types: part(this.#types, nodeCount), names: part(this.#names, nodeCount), ids: part(this.#ids, nodeCount), detached: this.#detached?.subarray(0, nodeCount),
      edgeTypes: part(this.#edgeTypes, edgeCount), edgeNames: part(this.#edgeNames, edgeCount), edgeTo: part(this.#edgeTo, edgeCount),
    };
  }

  #damage(): string[] {
    const { nodeCount, edgeCount } = this.#meta;
    return [
      ...this.nodes === nodeCount ? [] : [`its header promises ${nodeCount} nodes, ${this.nodes} are there`],
      ...this.edges === edgeCount ? [] : [`its header promises ${edgeCount} edges, ${this.edges} are there`],
      ...this.#damagedTypes === 0 ? [] : [`${this.#damagedTypes} nodes have a type that its header does not name`],
      ...this.#damagedEdges === 0 ? [] : [`${this.#damagedEdges} edges lead nowhere`],
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
