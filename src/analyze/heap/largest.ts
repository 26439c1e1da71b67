// Owns the biggest retained subtrees, and how a way to a node is told.
import type { HeapReport, HeapStep } from '../../shared/heap.ts';
import type { ClassedHeap, DominatedHeap } from './heap.ts';
import { nodeText, pathTo, type Step } from './path.ts';
import { excerpt } from './texts.ts';

const MOST_LARGEST = 50;
/** Long ways are told by their ends. */
const STEPS_TOLD = 24;
/** What holds one thing and next to nothing else is not shown: the thing is. */
const PASSED_ON = 0.98;

/** The biggest retained subtrees of the program. */
export function largestOf(heap: DominatedHeap): HeapReport['largest'] {
  const { graph, dominators: { of: by, retained } } = heap;
  const { types, root, meta: { nodeType } } = graph;
  const candidates: number[] = [];
  let least = 0;
  for (let node = 0; node < graph.nodeCount; node++) {
    const type = types[node];
    if ((retained[node] as number) <= least || node === root || type === nodeType.synthetic || type === nodeType.hidden || type === nodeType.code || type === nodeType.array) continue;
    candidates.push(node);
    if (candidates.length < MOST_LARGEST * 40) continue;
    candidates.sort((a, b) => (retained[b] as number) - (retained[a] as number)).length = MOST_LARGEST * 4;
    least = (retained[candidates.at(-1) as number] as number);
  }
  candidates.sort((a, b) => (retained[b] as number) - (retained[a] as number));
  const passing = new Set(candidates.filter((node) => (retained[node] as number) > (retained[(by[node] as number)] as number) * PASSED_ON).map((node) => (by[node] as number)));
  const shown = candidates.filter((node) => !passing.has(node)).slice(0, MOST_LARGEST);
  return shown.map((node) => ({ id: (graph.ids[node] as number), name: excerpt(nodeText(heap, node)), shallow: graph.sizes.of(node), retained: (retained[node] as number), share: (retained[node] as number) / Math.max(1, (retained[root] as number)), path: stepsOf(heap, pathTo(heap, node)) }));
}

export function stepsOf(heap: ClassedHeap, steps: readonly Step[]): HeapStep[] {
  const told = steps.length <= STEPS_TOLD ? steps : [...steps.slice(0, STEPS_TOLD / 2), ...steps.slice(-STEPS_TOLD / 2)];
  return told.map(({ node, edge }) => ({ edge: excerpt(edge?.name ?? ''), type: edge?.type ?? 'root', node: excerpt(nodeText(heap, node)), id: (heap.graph.ids[node] as number) }));
}
