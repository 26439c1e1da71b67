// Owns what an edge is, one number, and the columns of the edges while they are read, by this thread or by the one beside it.
import type { SnapshotMeta } from './meta.ts';

/** The edge holds what it leads to (essential.ts). */
export const HOLDS = 1;
const TYPE_SHIFT = 1;
const MOST_TYPE = 7;
export const TARGET_SHIFT = 4;
export const targetOf = (edge: number): number => edge >>> TARGET_SHIFT;
export const typeOf = (edge: number): number => (edge >>> TYPE_SHIFT) & MOST_TYPE;

export interface EdgeColumns { readonly edges: Uint32Array; readonly names: Uint32Array }

export class EdgeRows {
  readonly #meta: SnapshotMeta;
  readonly columns: EdgeColumns;
  /** Edges that lead nowhere. */
  damaged = 0;
  count = 0;

  constructor(meta: SnapshotMeta, columns: EdgeColumns) { this.#meta = meta; this.columns = columns; }

  /** A batch of rows; `nodes`: how many nodes there are to lead to. */
  add(numbers: Uint32Array, count: number, nodes: number): void {
    const { fields, type, name, to } = this.#meta.edge;
    const nodeFields = this.#meta.node.fields;
    const { edges, names } = this.columns;
    const rows = Math.floor(count / fields);
    const fit = Math.max(0, Math.min(rows, edges.length - this.count));
    const { weak } = this.#meta.edgeType;
    const nowhere = (weak >= 0 && weak < MOST_TYPE ? weak : MOST_TYPE) << TYPE_SHIFT;
    for (let row = 0, at = 0, edge = this.count; row < fit; row++, at += fields, edge++) {
      const place = numbers[at + to] as number;
      const target = (place / nodeFields) >>> 0;
      const kind = numbers[at + type] as number;
      // An edge that leads nowhere is kept in its place and leads to the root, weakly: places count, and weak edges hold nothing.
      if (target * nodeFields !== place || target >= nodes) { this.damaged++; edges[edge] = nowhere; } else edges[edge] = (target << TARGET_SHIFT) | ((kind < MOST_TYPE ? kind : MOST_TYPE) << TYPE_SHIFT);
      names[edge] = (numbers[at + name] as number);
    }
    this.count += rows;
  }
}
