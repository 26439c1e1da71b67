// Owns the order of the whole calculation, and which large arrays live how long: at most about nine numbers a node at once beside the graph.
import { Arena } from './arena.ts';
import { classify, countClasses, dominatedLists, retainedByClass, type Classes } from './classes.ts';
import { spreadDetachment } from './detached.ts';
import { distances, type Distances } from './distances.ts';
import { dominators, type Dominators } from './dominators.ts';
import { markEssential, programNodes } from './essential.ts';
import type { HeapGraph } from './graph.ts';
import { giveSizesToOwners } from './shallow.ts';

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
  /** Large arrays that the calculation is done with: the next question takes them before it asks for new ones. */
  readonly arena: Arena;
}

export function calculate(graph: HeapGraph): Heap {
  const { nodeCount } = graph;
  const arena = new Arena();
  const states = spreadDetachment(graph);
  const marked = markEssential(graph, programNodes(graph));
  const owners = arena.words(nodeCount);
  giveSizesToOwners(graph, states, owners);
  arena.give(owners);
  const held = dominators(graph, marked, arena);
  const away = distances(graph, arena);
  const of = arena.words(nodeCount);
  const child = arena.words(nodeCount);
  const classes = classify(graph, states, of, child);
  countClasses(graph, classes, away);
  away.done();
  const sibling = arena.words(nodeCount);
  dominatedLists(nodeCount, graph.root, held, child, sibling);
  retainedByClass(graph, classes, held, child, sibling);
  return { graph, states, dominators: held, distances: away, classes, child, sibling, arena };
}
