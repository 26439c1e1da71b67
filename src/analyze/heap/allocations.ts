// Owns where objects were made, when the heap was tracked while it grew: V8's tree of calls beside the snapshot, and the program's function that made most of some nodes.
import type { HeapGraph } from './graph.ts';
import { originOf, type Place } from './places.ts';
import { Words } from './words.ts';

/** Where each node was made (0: not known), the tree of calls, and its functions. */
export interface Allocations { readonly of: Uint32Array; readonly calls: CallTree; readonly functions: Uint32Array }
export interface Maker { readonly name: string; readonly place: Place; readonly count: number }

/** Place of the list of children in a row. */
const CHILDREN = 4;
/** A row of the functions: id, name, script, its number, line, column; lines and columns from 1, 0: not known. */
export const FUNCTION_FIELDS = 6;
const MOST_CALLS = 1 << 20;
const MOST_DEPTH = 10_000;
const MOST_LOOKED_AT = 4_000;

/** Read sign by sign: [id, function, count, size, [children…], id, …]. */
export class CallTree {
  readonly #functions = new Words();
  readonly #parents = new Words();
  readonly #byId = new Map<number, number>();
  readonly #above: number[] = [];
  #beyond = 0;
  #last = 0;
  #field = 0;
  #value = 0;
  #inside = false;
  /** Calls that were not kept. */
  lost = 0;

  constructor() { this.#functions.push(0); this.#parents.push(0); }

  read(byte: number): void {
    if (byte >= 48 && byte <= 57) { this.#value = this.#value * 10 + byte - 48; this.#inside = true; return; }
    if (this.#inside) { this.#number(this.#value); this.#value = 0; this.#inside = false; }
    if (byte === 91) { if (this.#above.length <= MOST_DEPTH) this.#above.push(this.#last); else this.#beyond++; this.#field = 0; } else if (byte === 93) { if (this.#beyond > 0) this.#beyond--; else this.#last = this.#above.pop() ?? 0; this.#field = 0; }
  }

  /** From the innermost call outwards: numbers of functions. */
  * stack(id: number): Generator<number> {
    for (let at = this.#byId.get(id) ?? 0, steps = 0; at !== 0 && steps < MOST_DEPTH; at = this.#parents.values[at] as number, steps++) yield this.#functions.values[at] as number;
  }

  #number(value: number): void {
    if (this.#field === 0) this.#begin(value); else if (this.#field === 1 && this.#last !== 0) this.#functions.values[this.#last] = value;
    if (++this.#field > CHILDREN) this.#field = 0;
  }

  #begin(id: number): void {
    if (this.#functions.length >= MOST_CALLS || this.#beyond > 0) { this.lost++; this.#last = 0; return; }
    this.#last = this.#functions.length;
    this.#functions.push(0);
    this.#parents.push(this.#above.at(-1) ?? 0);
    this.#byId.set(id, this.#last);
  }
}

/** The function of the program that made most of what hangs on `tops`: of a table its entries count. */
export function makerOf({ graph, child, sibling }: { readonly graph: HeapGraph; readonly child: Uint32Array; readonly sibling: Uint32Array }, tops: readonly number[]): Maker | undefined {
  const { allocations, types, meta: { nodeType } } = graph;
  if (allocations === undefined) return undefined;
  const found = new Map<string, { name: string; place: Place; count: number }>();
  const known = new Map<number, { name: string; place: Place } | undefined>();
  const queue = tops.slice(0, MOST_LOOKED_AT);
  for (let at = 0; at < queue.length; at++) {
    const node = queue[at] as number;
    if (types[node] === nodeType.array || types[node] === nodeType.hidden) {
      for (let below = child[node] as number; below < graph.nodeCount && queue.length < MOST_LOOKED_AT; below = sibling[below] as number) queue.push(below);
      if (queue.length > at + 1) continue;
    }
    const call = allocations.of[node] as number;
    if (call === 0) continue;
    if (!known.has(call)) known.set(call, innermost(graph, allocations, call));
    const maker = known.get(call);
    if (maker === undefined) continue;
    const key = `${maker.place.script}:${maker.place.line}:${maker.place.column}`;
    const own = found.get(key);
    if (own === undefined) found.set(key, { ...maker, count: 1 }); else own.count++;
  }
  return [...found.values()].sort((a, b) => b.count - a.count)[0];
}

function innermost({ strings }: HeapGraph, { calls, functions }: Allocations, call: number): { name: string; place: Place } | undefined {
  for (const index of calls.stack(call)) {
    const row = index * FUNCTION_FIELDS;
    if (row + FUNCTION_FIELDS > functions.length) continue;
    const script = strings.text(functions[row + 2] as number).replace(/^file:\/\//, '');
    const line = functions[row + 4] as number;
    if (line > 0 && originOf(script) === 'app') return { name: strings.text(functions[row + 1] as number), place: { script, line, column: functions[row + 5] as number } };
  }
  return undefined;
}
