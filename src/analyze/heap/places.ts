// Owns where things are written: the script and line of functions and constructors, and of a variable as far as V8 keeps the source in the snapshot (its first 1,024 signs).
import { targetOf, typeOf, type HeapGraph } from './graph.ts';
import { NameTest } from './names.ts';

/** Line from 1, as an editor shows it. */
export interface Place { readonly script: string; readonly line: number; readonly column: number }
/** Whose code it is. */
export type Origin = 'app' | 'package' | 'node';

export function originOf(script: string): Origin {
  if (script === '' || script.startsWith('node:') || script.startsWith('internal/') || script.startsWith('v8/') || !/[/\\:]/.test(script)) return 'node';
  return /[/\\]node_modules[/\\]/.test(script) ? 'package' : 'app';
}

/** The last two parts of a path say which file it is. */
export function shortPlace({ script, line }: Pick<Place, 'script' | 'line'>): string { return `${script.split(/[/\\]/).slice(-2).join('/')}:${line}`; }

export class PlaceBook {
  readonly #graph: HeapGraph;
  readonly #scripts = new Map<number, { readonly name: string; readonly node: number }>();
  readonly #named = new Map<string, number>();
  readonly #byContext = new Map<number, Place | undefined>();
  readonly #edges: Readonly<Record<'shared' | 'script' | 'context' | 'previous' | 'source', NameTest>>;

  constructor(graph: HeapGraph) {
    this.#graph = graph;
    this.#edges = { shared: new NameTest(graph, 'shared'), script: new NameTest(graph, 'script', 'script_or_debug_info'), context: new NameTest(graph, 'context'), previous: new NameTest(graph, 'previous'), source: new NameTest(graph, 'source') };
    const { locations } = graph;
    for (let i = 0; i < locations.count; i++) if (!this.#scripts.has((locations.scripts[i] as number))) this.#learn(i);
  }

  /** Of a function, or of the constructor of an object. */
  of(node: number): Place | undefined {
    const { nodes, count } = this.#graph.locations;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((nodes[middle] as number) < node) low = middle + 1; else high = middle;
    }
    return count > 0 && nodes[low] === node ? this.at(low) : undefined;
  }

  /** By number in the snapshot's locations. */
  at(location: number): Place | undefined {
    const { scripts, lines, columns } = this.#graph.locations;
    const script = this.#scripts.get((scripts[location] as number));
    return script === undefined ? undefined : { script: script.name, line: (lines[location] as number) + 1, column: (columns[location] as number) + 1 };
  }

  /** The first function, in the order of lines, that sees the variables of a context. */
  ofContext(context: number): Place | undefined {
    if (!this.#byContext.has(context)) this.#byContext.set(context, this.#search(context));
    return this.#byContext.get(context);
  }

  /** The line in which a name is declared or first assigned, where the source is known so far. */
  declaration(script: string, name: string): Place | undefined {
    const node = this.#named.get(script);
    const source = node === undefined ? undefined : this.target(node, this.#edges.source);
    if (source === undefined) return undefined;
    const text = this.#graph.strings.text((this.#graph.names[source] as number));
    const at = declaredAt(text, name);
    if (at < 0) return undefined;
    const before = text.slice(0, at).split('\n');
    return { script, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  }

  scripts(): string[] { return [...this.#named.keys()]; }

  /** Where an internal edge of that name leads. */
  target(node: number, name: NameTest): number | undefined {
    const { firstEdge, edges, edgeNames, meta: { edgeType } } = this.#graph;
    for (let edge = (firstEdge[node] as number); edge < (firstEdge[node + 1] as number); edge++) if (typeOf(edges[edge] as number) === edgeType.internal && name.has((edgeNames[edge] as number))) return targetOf(edges[edge] as number);
    return undefined;
  }

  #learn(location: number): void {
    const { locations, types, names, strings, meta: { nodeType } } = this.#graph;
    const node = (locations.nodes[location] as number);
    if (types[node] !== nodeType.closure) return;
    const shared = this.target(node, this.#edges.shared);
    let script = shared === undefined ? undefined : this.target(shared, this.#edges.script);
    if (script !== undefined && types[script] === nodeType.code && strings.text((names[script] as number)).startsWith('system / DebugInfo')) script = this.target(script, this.#edges.script);
    if (script === undefined) return;
    const name = strings.text((names[script] as number)).replace(/^file:\/\//, '');
    this.#scripts.set((locations.scripts[location] as number), { name, node: script });
    if (!this.#named.has(name)) this.#named.set(name, script);
  }

  #search(context: number): Place | undefined {
    const { locations, types, meta: { nodeType } } = this.#graph;
    let best: Place | undefined;
    for (let i = 0; i < locations.count; i++) {
      const node = (locations.nodes[i] as number);
      if (types[node] !== nodeType.closure) continue;
      let seen = this.target(node, this.#edges.context);
      for (let depth = 0; seen !== undefined && seen !== context && depth < 8; depth++) seen = this.target(seen, this.#edges.previous);
      if (seen !== context) continue;
      const place = this.at(i);
      if (place !== undefined && originOf(place.script) !== 'node' && (best === undefined || place.line < best.line)) best = place;
    }
    return best;
  }
}

const isPart = (sign: string | undefined): boolean => sign !== undefined && /[\p{ID_Continue}$]/u.test(sign);

function declaredAt(text: string, name: string): number {
  if (name === '' || name.length > 200) return -1;
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (isPart(text[at - 1]) || isPart(text[at + name.length])) continue;
    const before = text.slice(Math.max(0, at - 40), at);
    const after = text.slice(at + name.length, at + name.length + 40);
    if (/(?:^|[^\p{ID_Continue}$])(?:const|let|var|static|class|function)\s+$/u.test(before)) return at;
    if (/(?:\.|^\s*|[{;,\n]\s*#?|\[['"])$/.test(before) && /^(?:['"]\])?\s*(?:=(?!=)|\?\?=|\|\|=|:)/.test(after)) return at;
  }
  return -1;
}
