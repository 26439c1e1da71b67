// Owns the header of a heap snapshot: which fields a node and an edge have in this file, and what its types are called (Node 16 to 24 differ).
import { unreadableHeap } from './unreadable.ts';

export interface SnapshotMeta {
  readonly nodeCount: number;
  readonly edgeCount: number;
  readonly rootIndex: number;
  readonly extraNativeBytes: number;
  /** Objects were tracked while the heap grew: nodes say where they were made. */
  readonly tracked: boolean;
  readonly nodeTypes: readonly string[];
  readonly edgeTypes: readonly string[];
  /** Place of each field in a row; -1: not in this file. */
  readonly node: { readonly fields: number; readonly type: number; readonly name: number; readonly id: number; readonly size: number; readonly edges: number; readonly detached: number; readonly made: number };
  readonly edge: { readonly fields: number; readonly type: number; readonly name: number; readonly to: number };
  readonly location: { readonly fields: number; readonly object: number; readonly script: number; readonly line: number; readonly column: number };
  readonly nodeType: Readonly<Record<NodeTypeName, number>>;
  readonly edgeType: Readonly<Record<EdgeTypeName, number>>;
}

const NODE_TYPES = ['hidden', 'array', 'string', 'object', 'code', 'closure', 'regexp', 'number', 'native', 'synthetic', 'concatenated string', 'sliced string', 'symbol', 'bigint'] as const;
const EDGE_TYPES = ['context', 'element', 'property', 'internal', 'hidden', 'shortcut', 'weak'] as const;
export type NodeTypeName = (typeof NODE_TYPES)[number];
export type EdgeTypeName = (typeof EDGE_TYPES)[number];

/** More would be no header: V8 writes about 1.5 KB. */
const MAX_FIELDS = 32;
const MAX_TYPES = 200;

/** @throws HEAP_UNREADABLE */
export function metaOf(text: string): SnapshotMeta {
  const header = record(parsed(text), 'its header');
  const meta = record(header['meta'], 'its description of fields');
  const nodeFields = words(meta['node_fields'], 'node_fields');
  const edgeFields = words(meta['edge_fields'], 'edge_fields');
  const locationFields = meta['location_fields'] === undefined ? [] : words(meta['location_fields'], 'location_fields');
  const at = (fields: readonly string[], name: string): number => {
    const place = fields.indexOf(name);
    if (place < 0) throw unreadableHeap(`its header names no field ${name}`);
    return place;
  };
  const node = { fields: nodeFields.length, type: at(nodeFields, 'type'), name: at(nodeFields, 'name'), id: at(nodeFields, 'id'), size: at(nodeFields, 'self_size'), edges: at(nodeFields, 'edge_count'), detached: nodeFields.indexOf('detachedness'), made: nodeFields.indexOf('trace_node_id') };
  const edge = { fields: edgeFields.length, type: at(edgeFields, 'type'), name: at(edgeFields, 'name_or_index'), to: at(edgeFields, 'to_node') };
  const nodeTypes = typeNames(meta['node_types'], node.type, 'node_types');
  const edgeTypes = typeNames(meta['edge_types'], edge.type, 'edge_types');
  return {
    nodeCount: counted(header['node_count'], 'node_count'), edgeCount: counted(header['edge_count'], 'edge_count'),
    rootIndex: header['root_index'] === undefined ? 0 : counted(header['root_index'], 'root_index'),
    extraNativeBytes: typeof header['extra_native_bytes'] === 'number' && header['extra_native_bytes'] > 0 ? header['extra_native_bytes'] : 0,
    tracked: node.made >= 0 && typeof header['trace_function_count'] === 'number' && header['trace_function_count'] > 0,
    nodeTypes, edgeTypes, node, edge,
    location: { fields: locationFields.length, object: locationFields.indexOf('object_index'), script: locationFields.indexOf('script_id'), line: locationFields.indexOf('line'), column: locationFields.indexOf('column') },
    nodeType: places(NODE_TYPES, nodeTypes), edgeType: places(EDGE_TYPES, edgeTypes),
  };
}

function places<T extends string>(names: readonly T[], all: readonly string[]): Record<T, number> {
  const found = {} as Record<T, number>;
  for (const name of names) found[name] = all.indexOf(name);
  return found;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw unreadableHeap('its header is not JSON', cause);
  }
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unreadableHeap(`${what} is missing`);
  return value as Record<string, unknown>;
}

function words(value: unknown, what: string): string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_FIELDS || !value.every((one) => typeof one === 'string')) throw unreadableHeap(`its header has no usable ${what}`);
  return value;
}

function typeNames(value: unknown, place: number, what: string): string[] {
  const names: unknown = Array.isArray(value) ? value[place] : undefined;
  if (!Array.isArray(names) || names.length === 0 || names.length > MAX_TYPES || !names.every((one) => typeof one === 'string')) throw unreadableHeap(`its header has no usable ${what}`);
  return names;
}

function counted(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw unreadableHeap(`its header has no usable ${what}`);
  return value;
}
