// Owns the name of a holder in the words of the source: which variable or property keeps it alive, in which file and line.
import { targetOf, typeOf } from './graph.ts';
import type { ClassedHeap } from './heap.ts';
import { NameTest } from './names.ts';
import { edgeBetween, edgeName } from './path.ts';
import { programWays } from './program-ways.ts';
import { originOf, PlaceBook, type Place } from './places.ts';

export interface Holder {
  /** `cache`, `recent.items`, `exports.seen`, `global.requestLog`. */
  readonly name: string;
  readonly place: Place | undefined;
  /** Whether place is the line of the name itself, or that of the function or class that sees it. */
  readonly exact: boolean;
}

const MOST_NAMES = 4;
const MOST_STEPS = 64;
const PLAIN_NAME = /^[\p{ID_Start}$_#][\p{ID_Continue}$]*$/u;
/** Words of Node's own objects between a stream or an emitter and what it holds: not what the source calls it. */
const INNER = /^(?:_events|_readableState|_writableState|buffer|buffered|_handle|data|head|tail|next|prev|listener|onwrite|writecb|callback|_idleNext|_idlePrev|table|elements|properties)$/;

export class Holders {
  readonly #heap: ClassedHeap;
  readonly places: PlaceBook;
  /** For each node the one before it on a way that the program knows. */
  readonly ways: Uint32Array;
  readonly #module: NameTest;
  readonly #file: NameTest;

  constructor(heap: ClassedHeap, ways = programWays(heap)) {
    this.#heap = heap;
    this.places = new PlaceBook(heap.graph);
    this.ways = ways;
    this.#module = new NameTest(heap.graph, 'Module');
    this.#file = new NameTest(heap.graph, 'filename');
  }

  /** Goes up from a node to the first variable, global or export of the program; undefined: nothing of the program names it. */
  of(node: number): Holder | undefined {
    const before = this.ways;
    const names: string[] = [];
    let classPlace: Place | undefined;
    let inNode = false;
    for (let at = node, steps = 0; steps < MOST_STEPS; steps++) {
      const above = (before[at] as number);
      if (above === at) return undefined;
      const edge = edgeBetween(this.#heap, above, at);
      if (edge === undefined) return undefined;
      const name = edgeName(this.#heap, edge);
      const { edges, meta: { edgeType } } = this.#heap.graph;
      if (typeOf(edges[edge] as number) === edgeType.context) {
        const place = this.places.ofContext(above) ?? this.#closureAbove(above);
        if (place !== undefined && originOf(place.script) !== 'node') return this.#named(name, names, place, classPlace);
        // A variable of Node's own modules: no global of that name holds what lies in it.
        names.length = 0; classPlace = undefined; inNode = true;
      } else if (typeOf(edges[edge] as number) === edgeType.property || typeOf(edges[edge] as number) === edgeType.shortcut) {
        if (inNode && this.#isGlobal(above)) return undefined;
        const known = this.#byProperty(above, name, names, classPlace);
        if (known !== undefined) return known;
        if (name !== '__proto__' && (names.length > 0 || !INNER.test(name))) names.unshift(name);
        const own = this.places.of(above);
        if (own !== undefined && originOf(own.script) !== 'node' && classPlace === undefined && names.length === 1) classPlace = own;
      } else if (typeOf(edges[edge] as number) === edgeType.element && names.length > 0) names.unshift('[…]');
      at = above;
    }
    return undefined;
  }

  /** A global, an export, or a static property of a function of the program. */
  #byProperty(above: number, name: string, names: readonly string[], classPlace: Place | undefined): Holder | undefined {
    const { graph } = this.#heap;
    if (this.#isGlobal(above)) {
      if (OF_NODE.has(name)) return undefined;
      const place = this.#declaredAnywhere(names.at(-1) ?? name) ?? classPlace;
      return place === undefined && names.length === 0 && !PLAIN_NAME.test(name) ? undefined : { name: joined(['global', name, ...names]), place, exact: place !== undefined };
    }
    if (name === 'exports' && this.#module.has((graph.names[above] as number))) {
      const file = this.#fileOf(above);
      if (file === undefined || originOf(file) === 'node') return undefined;
      const place = names.length === 0 ? undefined : this.places.declaration(file, (names[0] as string));
      return { name: joined(['exports', ...names]), place: place ?? classPlace ?? { script: file, line: 1, column: 1 }, exact: place !== undefined };
    }
    if (graph.types[above] !== graph.meta.nodeType.closure) return undefined;
    const own = this.places.of(above);
    if (own === undefined || originOf(own.script) === 'node') return undefined;
    return this.#named(graph.strings.text((graph.names[above] as number)) || 'a function', [name, ...names], own, own);
  }

  #isGlobal(node: number): boolean {
    const { strings, names } = this.#heap.graph;
    const text = strings.text((names[node] as number));
    return text === 'global' || text.startsWith('global /') || text.startsWith('Object / ') || text === 'Window';
  }

  #named(variable: string, names: readonly string[], place: Place, classPlace: Place | undefined): Holder {
    const last = [...names].reverse().find((one) => PLAIN_NAME.test(one));
    // The property is written in its class, the variable where it is declared.
    const exact = (last === undefined ? undefined : this.places.declaration((classPlace ?? place).script, last) ?? this.#declaredAnywhere(last)) ?? this.places.declaration(place.script, variable);
    return { name: joined([variable, ...names]), place: exact ?? classPlace ?? place, exact: exact !== undefined };
  }

  #closureAbove(context: number): Place | undefined {
    const above = (this.ways[context] as number);
    return this.places.of(above);
  }

  #declaredAnywhere(name: string): Place | undefined {
    return this.places.scripts().filter((one) => originOf(one) === 'app').map((one) => this.places.declaration(one, name)).find((one) => one !== undefined);
  }

  #fileOf(module: number): string | undefined {
    const { firstEdge, edges, edgeNames, names, strings, meta: { edgeType } } = this.#heap.graph;
    for (let edge = (firstEdge[module] as number); edge < (firstEdge[module + 1] as number); edge++) if (typeOf(edges[edge] as number) === edgeType.property && this.#file.has((edgeNames[edge] as number))) return strings.text((names[targetOf(edges[edge] as number)] as number));
    return undefined;
  }
}

/** Globals of Node's own: what they hold is named by what comes below. */
const OF_NODE = new Set(['undefined', 'NaN', 'Infinity', 'process', 'global', 'globalThis', 'console', 'Buffer', 'Symbol', 'Object', 'Function', 'Array', 'Map', 'Set', 'Promise', 'Error', 'WeakMap', 'WeakRef', 'Reflect', 'JSON', 'Intl']);

function joined(names: readonly string[]): string {
  const shown = names.length > MOST_NAMES ? [...names.slice(0, 2), '…', ...names.slice(-1)] : names;
  return shown.map((name, i) => (i === 0 ? name : name === '[…]' || name === '…' ? name : PLAIN_NAME.test(name) ? `.${name}` : `[${JSON.stringify(name.slice(0, 60))}]`)).join('').slice(0, 200);
}
