// Owns the order of the whole calculation, and which large arrays live how long: at most about nine numbers a node at once beside the graph.
import { Arena } from './arena.ts';
import { classify, countClasses, dominatedLists, retainedByClass, setRetained, type Classes } from './classes.ts';
import { spreadDetachment } from './detached.ts';
import { distances } from './distances.ts';
import { dominators, type Dominators } from './dominators.ts';
import { markEssential, programNodes } from './essential.ts';
import type { HeapGraph } from './graph.ts';
import { giveSizesToOwners } from './shallow.ts';

/** A heap in which each node has its size, its class and its way. */
export interface ClassedHeap {
  readonly graph: HeapGraph;
  readonly states: Uint8Array | undefined;
  /** `before`: the node before each on a shortest way; its own number: none. */
  readonly distances: { readonly before: Uint32Array };
  readonly classes: Classes;
  /** Large arrays that the calculation is done with: the next question takes them before it asks for new ones. */
  readonly arena: Arena;
}

/** And of which is known who alone holds each node. */
export interface DominatedHeap extends ClassedHeap { readonly dominators: Dominators }

/** A heap with all that is calculated once; every further question is a walk over it. */
export interface Heap extends DominatedHeap {
  /** The nodes that a node alone holds: child[n], then sibling[] on. */
  readonly child: Uint32Array;
  readonly sibling: Uint32Array;
}

export function calculate(graph: HeapGraph): Heap {
  const arena = new Arena();
  const states = sized(graph, arena);
  const held = dominators(graph, markEssential(graph, programNodes(graph)), arena);
  return heapOf(classed(graph, states, arena), held);
}

/** Gives sizes to owners; the states of detachment. */
export function sized(graph: HeapGraph, arena: Arena): Uint8Array | undefined {
  const states = spreadDetachment(graph);
  const owners = arena.words(graph.nodeCount);
  giveSizesToOwners(graph, states, owners);
  arena.give(owners);
  return states;
}

/** Of a heap whose sizes are given: distances and classes. */
export function classed(graph: HeapGraph, states: Uint8Array | undefined, arena: Arena): ClassedHeap {
  const away = distances(graph, arena);
  const scratch = arena.words(graph.nodeCount);
  const classes = classify(graph, states, arena.words(graph.nodeCount), scratch);
  arena.give(scratch);
  countClasses(graph, classes, away);
  away.done();
  return { graph, states, distances: away, classes, arena };
}

function heapOf(heap: ClassedHeap, held: Dominators): Heap {
  const { graph, classes, arena } = heap;
  const lists = dominatedLists(graph, held, arena);
  setRetained(classes.rows, retainedByClass(graph, classes, held, lists.child, lists.sibling));
  return { ...heap, dominators: held, ...lists };
}

/** Of an earlier snapshot: how many and how large its objects are by class. Nobody asks who held them. */
export function counted(graph: HeapGraph): Classes {
  const arena = new Arena();
  const states = sized(graph, arena);
  const classes = classify(graph, states, arena.words(graph.nodeCount), arena.words(graph.nodeCount));
  countClasses(graph, classes);
  return classes;
}
