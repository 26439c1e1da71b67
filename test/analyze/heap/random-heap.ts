// Owns made-up heaps of every odd kind, seeded: weak and shortcut edges, WeakMap pairs, orphans, cliques, shared descriptors, detached natives, plain objects.
const NODE_TYPES = ['hidden', 'array', 'string', 'object', 'code', 'closure', 'regexp', 'number', 'native', 'synthetic', 'concatenated string', 'sliced string', 'symbol', 'bigint', 'object shape'];
const EDGE_TYPES = ['context', 'element', 'property', 'internal', 'hidden', 'shortcut', 'weak'];
const NAMES = ['', 'Object', 'Session', 'Map', '(map descriptors)', 'system / NativeContext', 'sloppy_function_map', '<div id="a">', 'Detached <span x>', 'system / ExternalStringData', '(GC roots)', '(Document DOM trees)', 'elements', 'first', 'second', '__proto__', 'id', 'na,me', 'quo"te', 'ümläut \u{1f600}', 'a', 'b', 'c', 'table', '7', '10'];

export interface RandomHeap { readonly text: string; readonly nodes: number }

/** The same seed gives the same text, whatever runs it. `detached`: newer snapshots have that field. */
export function randomHeap(seed: number, nodes: number, detached = true): RandomHeap {
  let state = (seed * 2_654_435_761) >>> 0;
  const below = (limit: number): number => { state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; return Math.floor((state / 2 ** 32) * limit); };
  const strings = [...NAMES];
  const types = Array.from({ length: nodes }, (_, i) => (i === 0 ? 9 : i < 6 ? 9 : below(10) < 4 ? 3 : below(NODE_TYPES.length)));
  const edges: number[][][] = types.map(() => []);
  const fields = detached ? 6 : 5;
  const add = (from: number, type: number, name: number, to: number): void => { edges[from]!.push([type, name, to * fields]); };
  for (let i = 1; i < 6; i++) add(0, 1, i, i);
  for (let i = 6; i < Math.min(nodes, 9); i++) add(0, 5, 2, i);
  // The last tenth hangs on nothing but itself and weak edges.
  const attached = Math.floor(nodes * 0.9);
  for (let node = 1; node < nodes; node++) {
    const count = below(5);
    for (let e = 0; e < count; e++) {
      const type = below(EDGE_TYPES.length);
      const numbered = type === 1 || type === 4;
      const to = node < attached ? 1 + below(type === 6 ? nodes - 1 : attached - 1) : 1 + below(nodes - 1);
      add(node, type, numbered ? below(12) : below(NAMES.length), to);
    }
    if (types[node] === 3 && below(3) === 0) for (const name of [16, 20, 21].slice(0, 1 + below(3))) add(node, 2, name, 1 + below(attached - 1));
    if (node < attached && node > 8 && below(3) > 0) add(1 + below(node - 1), [0, 2, 3, 3][below(4)]!, below(NAMES.length), node);
  }
  for (let pair = 0; pair < nodes / 50; pair++) {
    const [table, key, value] = [1 + below(attached - 1), 1 + below(attached - 1), 1 + below(attached - 1)];
    const name = ` / part of key (K @${key * 2 + 1}) -> value (V @${value * 2 + 1}) pair in WeakMap (table @${table * 2 + 1})`;
    strings.push(`${pair}${name}`, `${pair + 1}${name}`);
    add(table, 3, strings.length - 2, value);
    add(key, 3, strings.length - 1, value);
  }
  const rows = types.map((type, node) => [type, below(4) === 0 ? 1 : below(NAMES.length), node * 2 + 1, below(6) === 0 ? 0 : below(500), edges[node]!.length, ...detached ? [type === 8 ? below(3) : 0] : []]);
  const locations = types.flatMap((type, node) => ((type === 3 || type === 5) && below(4) === 0 ? [node * fields, 1 + below(3), below(4), 0] : []));
  const header = { meta: { node_fields: ['type', 'name', 'id', 'self_size', 'edge_count', ...detached ? ['detachedness'] : []], node_types: [NODE_TYPES, 'string', 'number', 'number', 'number', 'number'], edge_fields: ['type', 'name_or_index', 'to_node'], edge_types: [EDGE_TYPES, 'string_or_number', 'node'], trace_function_info_fields: ['function_id'], trace_node_fields: ['id'], sample_fields: ['timestamp_us', 'last_assigned_id'], location_fields: ['object_index', 'script_id', 'line', 'column'] }, node_count: nodes, edge_count: edges.flat().length, trace_function_count: 0 };
  return { nodes, text: `{"snapshot":${JSON.stringify(header)},\n"nodes":[${rows.join('\n,')}],\n"edges":[${edges.flat().join('\n,')}],\n"trace_function_infos":[],"trace_tree":[],"samples":[],\n"locations":[${locations.join(',')}],\n"strings":${JSON.stringify(strings)}}` };
}

/** What golden and test compare: seed, size, and whether it has the newer field. */
export const HEAPS: readonly (readonly [seed: number, nodes: number, detached: boolean])[] = [[1, 60, true], [2, 300, true], [3, 300, false], [4, 1_000, true], [5, 3_000, true], [6, 3_000, false], [7, 8_000, true], [8, 120, true]];

/** The same heap as if it had been tracked while it grew: the last field says in which call a node was made, calls 1 to 3 of two functions. */
export function trackedHeap(seed: number, nodes: number): string {
  return randomHeap(seed, nodes).text.replace('"detachedness"', '"trace_node_id"').replace('"trace_function_count":0', '"trace_function_count":2')
    .replace('"trace_function_infos":[],"trace_tree":[]', '"trace_function_infos":[0,3,3,1,0,0\n,7,4,5,2,12,3\n],"trace_tree":[1,0,0,0,[2,1,9,90,[3,0,1,2,[]],4,1,5,50,[]]]');
}
