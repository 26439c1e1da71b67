// Owns made-up heap snapshots of any size for measuring: the proportions of a web app's heap (3.5 edges a node, a name in three nodes of their own), seeded.
import { closeSync, openSync, writeSync } from 'node:fs';

const META = '{"snapshot":{"meta":{"node_fields":["type","name","id","self_size","edge_count","detachedness"],"node_types":[["hidden","array","string","object","code","closure","regexp","number","native","synthetic","concatenated string","sliced string","symbol","bigint","object shape"],"string","number","number","number","number","number"],"edge_fields":["type","name_or_index","to_node"],"edge_types":[["context","element","property","internal","hidden","shortcut","weak"],"string_or_number","node"],"trace_function_info_fields":["function_id","name","script_name","script_id","line","column"],"trace_node_fields":["id","function_info_index","count","size","children"],"sample_fields":["timestamp_us","last_assigned_id"],"location_fields":["object_index","script_id","line","column"]},';
const FIELDS = 6;
const WORDS = ['', '(GC roots)', 'global', 'Map', 'table', 'elements', 'Session', 'user', 'tags', 'map', 'next', 'Array', 'Object', 'id', 'name', 'handler', 'system / Context', 'context', 'shared', 'sessions', '(internal array)', 'self', 'previous', '__proto__'];
const word = (text: string): number => WORDS.indexOf(text);
/** Nodes of one unit: a session, its plain object, a name, an array with its elements, a closure, its context, a number. */
const UNIT = 8;
const HEAD = 7;
const BATCH = 1 << 22;

const random = (seed: number): (() => number) => { let s = seed >>> 0; return () => { s = (Math.imul(s, 1_664_525) + 1_013_904_223) >>> 0; return s / 2 ** 32; }; };

class Out {
  readonly #file: number;
  #text: string[] = [];
  #size = 0;
  constructor(path: string) { this.#file = openSync(path, 'w'); }
  put(text: string): void { this.#text.push(text); this.#size += text.length; if (this.#size > BATCH) this.flush(); }
  flush(): void { writeSync(this.#file, this.#text.join('')); this.#text = []; this.#size = 0; }
  close(): void { this.flush(); closeSync(this.#file); }
}

/** Writes about `sizeBytes`; says how many nodes and edges it has. */
export function makeSnapshot(path: string, sizeBytes: number, seed = 1): { nodes: number; edges: number } {
  const units = Math.max(10, Math.round(sizeBytes / 690));
  const maps = Math.max(1, Math.floor(units / 5_000));
  const nodes = HEAD + maps * 2 + units * UNIT;
  const chance = random(seed);
  const owner = Array.from({ length: maps }, () => 0);
  for (let u = 0; u < units; u++) owner[u % maps] = (owner[u % maps] as number) + 1;
  const extra = Uint8Array.from({ length: units }, () => Math.floor(chance() * 8));
  let edges = 4 + maps * 2 + 2;
  edges += maps * 1 + units;
  for (let u = 0; u < units; u++) edges += EDGES + (extra[u] as number);
  const out = new Out(path);
  out.put(`${META}"node_count":${nodes},"edge_count":${edges},"trace_function_count":0,"extra_native_bytes":0},\n"nodes":[`);
  writeNodes(out, units, maps, owner, extra);
  out.put('],\n"edges":[');
  writeEdges(out, units, maps, extra, chance);
  out.put('],\n"trace_function_infos":[],\n"trace_tree":[],\n"samples":[],\n"locations":[');
  for (let u = 0; u < units; u += 4) out.put(`${u === 0 ? '' : ','}${(HEAD + maps * 2 + u * UNIT + 5) * FIELDS},7,${u % 900},12`);
  out.put('],\n"strings":[');
  out.put(WORDS.map((one) => JSON.stringify(one)).join(',\n'));
  for (let u = 0; u < units; u++) out.put(`,\n"customer number ${u % (units / 3 | 0)} \\u2013 ${'x'.repeat(u % 40)}"`);
  out.put(']}');
  out.close();
  return { nodes, edges };
}

/** Edges of a unit beside the extra ones. */
const EDGES = 6 + 3 + 0 + 2 + 3 + 4 + 2 + 0;

function writeNodes(out: Out, units: number, maps: number, owner: readonly number[], extra: Uint8Array): void {
  let id = 1;
  const node = (type: number, name: number, size: number, edges: number): void => { out.put(`${id === 1 ? '' : ','}${type},${name},${id},${size},${edges},0\n`); id += 2; };
  node(9, word(''), 0, 2);
  node(9, word('(GC roots)'), 0, 1);
  node(3, word('global'), 96, 1);
  node(3, word('Object'), 56, 0);
  node(0, word('system / Context'), 40, maps * 1 + 1);
  node(4, word('shared'), 60, 0);
  node(4, word('shared'), 60, 1);
  for (let m = 0; m < maps; m++) { node(3, word('Map'), 32, 2); node(1, word('table'), 16 + (owner[m] as number) * 24, (owner[m] as number)); }
  for (let u = 0; u < units; u++) {
    node(3, word('Session'), 56, 6 + (extra[u] as number));
    node(3, word('Object'), 40, 3);
    node(2, WORDS.length + u, 24 + (u % 40), 0);
    node(3, word('Array'), 16, 2);
    node(1, word('elements'), 48, 3);
    node(5, word('handler'), 64, 4);
    node(0, word('system / Context'), 32, 2);
    node(7, word('name'), 16, 0);
  }
}

function writeEdges(out: Out, units: number, maps: number, extra: Uint8Array, chance: () => number): void {
  let first = true;
  const edge = (type: number, name: number, to: number): void => { out.put(`${first ? '' : ','}${type},${name},${to * FIELDS}\n`); first = false; };
  edge(1, 1, 1); edge(5, word('global'), 2);
  edge(1, 1, 6);
  edge(3, word('context'), 4);
  for (let m = 0; m < maps; m++) edge(0, word('sessions'), HEAD + m * 2);
  edge(3, word('shared'), 5);
  edge(3, word('map'), 3);
  const base = HEAD + maps * 2;
  for (let m = 0; m < maps; m++) {
    edge(3, word('table'), HEAD + m * 2 + 1); edge(3, word('map'), 3);
    for (let u = m; u < units; u += maps) edge(3, word('next'), base + u * UNIT);
  }
  for (let u = 0; u < units; u++) {
    const at = base + u * UNIT;
    edge(2, word('user'), at + 1); edge(2, word('tags'), at + 3); edge(2, word('handler'), at + 5); edge(2, word('id'), at + 7); edge(2, word('name'), at + 2); edge(3, word('map'), 3);
    for (let e = 0; e < (extra[u] as number); e++) edge(e === 2 ? 6 : 2, word('next'), base + Math.floor(chance() * units) * UNIT + (e === 0 ? 0 : 1));
    edge(2, word('name'), at + 2); edge(2, word('id'), at + 7); edge(3, word('map'), 3);
    edge(3, word('elements'), at + 4); edge(3, word('map'), 3);
    edge(1, 0, at + 2); edge(1, 1, at + 1); edge(3, word('map'), 3);
    edge(3, word('context'), at + 6); edge(3, word('shared'), 5); edge(3, word('map'), 3); edge(2, word('__proto__'), 3);
    edge(0, word('self'), at); edge(0, word('previous'), 4);
  }
}
