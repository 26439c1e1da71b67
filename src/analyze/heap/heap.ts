// Owns the order of the whole calculation, and which large arrays live how long: at most about nine numbers a node at once beside the graph.
import { classify, measureClasses, type Classes } from './classes.ts';
import { spreadDetachment } from './detached.ts';
import { distances, type Distances } from './distances.ts';
import { dominators, type Dominators } from './dominators.ts';
import { essentialEdges, programNodes } from './essential.ts';
import type { HeapGraph } from './graph.ts';
import { giveSizesToOwners } from './shallow.ts';
import { Words } from './words.ts';

/** A heap with all that is calculated once; every further question is a walk over it. */
export interface Heap {
  readonly graph: HeapGraph;
  readonly states: Uint8Array | undefined;
  readonly dominators: Dominators;
  readonly distances: Distances;
  readonly classes: Classes;
  /** The nodes that a node alone holds: child[n], then sibling[] on. */
  readonly child: Uint32Array;
  readonly sibling: Uint32Array;
}

export function calculate(graph: HeapGraph): Heap {
  const { nodeCount } = graph;
  const states = spreadDetachment(graph);
  const scratch = new Uint32Array(nodeCount);
  const stack = new Words(1);
  stack.values = scratch;
  const essential = essentialEdges(graph, programNodes(graph, stack));
  giveSizesToOwners(graph, scratch);
  const held = dominators(graph, essential, scratch);
  const away = distances(graph, scratch);
  const of = new Uint32Array(nodeCount);
  const classes = classify(graph, states, of, scratch);
  const sibling = new Uint32Array(nodeCount);
  measureClasses(graph, classes, held, away, scratch, sibling);
  return { graph, states, dominators: held, distances: away, classes, child: scratch, sibling };
}
