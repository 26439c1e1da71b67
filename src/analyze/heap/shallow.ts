// Owns shallow sizes as a reader thinks of them: the tables and hidden parts that one object alone owns count as that object's.
import { NodeBits } from './bits.ts';
import { DETACHED } from './detached.ts';
import { targetOf, typeOf, type HeapGraph } from './graph.ts';
import { NameTest } from './names.ts';
import { Words } from './words.ts';

const UNSEEN = 0xffff_ffff;
const SEVERAL = 0xffff_fffe;

/** Changes the sizes of the graph in place; `owners` is scratch of a number per node. A detached native has another name to Chrome, and belongs to itself. */
export function giveSizesToOwners(graph: HeapGraph, states: Uint8Array | undefined, owners: Uint32Array): void {
  const { root, nodeCount, firstEdge, types, meta: { nodeType } } = graph;
  if (!hasProgramRoots(graph)) return;
  const external = new NameTest(graph, 'system / ExternalStringData');
  const ownable = new NodeBits(nodeCount);
  for (let node = 0; node < nodeCount; node++) {
    const type = (types[node] as number);
    const owned = type === nodeType.hidden || type === nodeType.array || (type === nodeType.native && states?.[node] !== DETACHED && external.has((graph.names[node] as number)));
    owners[node] = owned ? UNSEEN : node;
    if (owned) ownable.add(node);
  }
  const stack = new Words(1 << 16);
  for (let node = 0; node < nodeCount; node++) {
    if (owners[node] !== node || firstEdge[node] === firstEdge[node + 1]) continue;
    stack.push(node);
    while (stack.length > 0) spread(graph, stack.pop(), owners, ownable, stack);
  }
  give(graph, owners, root);
}

/** Each node changes at most twice: unseen, one owner, several. */
function spread({ firstEdge, edges, meta: { edgeType: { weak } } }: HeapGraph, node: number, owners: Uint32Array, ownable: NodeBits, stack: Words): void {
  const owner = (owners[node] as number);
  const end = (firstEdge[node + 1] as number);
  for (let edge = (firstEdge[node] as number); edge < end; edge++) {
    const word = edges[edge] as number;
    const to = targetOf(word);
    if (!ownable.has(to) || typeOf(word) === weak) continue;
    const its = (owners[to] as number);
    if (its === owner || its === SEVERAL) continue;
    owners[to] = its === UNSEEN ? owner : SEVERAL;
    stack.push(to);
  }
}

function give({ nodeCount, types, sizes, meta: { nodeType } }: HeapGraph, owners: Uint32Array, root: number): void {
  for (let node = 0; node < nodeCount; node++) {
    const owner = (owners[node] as number);
    if (owner === node || owner >= SEVERAL || owner === root || types[owner] === nodeType.synthetic) continue;
    const size = sizes.of(node);
    if (size === 0) continue;
    sizes.set(owner, sizes.of(owner) + size);
    sizes.set(node, 0);
  }
}

/** A snapshot taken with V8's internals exposed has none: its sizes stay as they are. */
export function hasProgramRoots({ root, firstEdge, edges, types, meta: { nodeType } }: HeapGraph): boolean {
  for (let edge = (firstEdge[root] as number); edge < (firstEdge[root + 1] as number); edge++) if (types[targetOf(edges[edge] as number)] !== nodeType.synthetic) return true;
  return false;
}
