// Owns our numbers of a snapshot in the form that the digest compares.
import { Arena } from '../../../src/analyze/heap/arena.ts';
import { distances, NO_DISTANCE } from '../../../src/analyze/heap/distances.ts';
import { calculate, type Heap } from '../../../src/analyze/heap/heap.ts';
import { readHeapFile, readHeapStream } from '../../../src/analyze/heap/read.ts';
import type { HeapGraph } from '../../../src/analyze/heap/graph.ts';
import type { Numbers } from './digest.ts';

export async function graphOf(text: string, chunkBytes = 1 << 16): Promise<HeapGraph> {
  const bytes = Buffer.from(text);
  async function* chunks(): AsyncGenerator<Uint8Array> { for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes); }
  return await readHeapStream(chunks(), bytes.length);
}

/** The analysis keeps no distances: they are walked once more. */
function distancesOf(graph: HeapGraph): Int32Array {
  const found = new Int32Array(graph.nodeCount).fill(NO_DISTANCE);
  distances(graph, new Arena()).each((node, distance) => { found[node] = distance; });
  return found;
}

export function numbersOf({ graph, dominators, classes }: Heap): Numbers {
  return {
    nodes: graph.nodeCount, shallow: Array.from({ length: graph.nodeCount }, (_, node) => graph.sizes.of(node)), retained: dominators.retained, distances: distancesOf(graph), dominators: dominators.of,
    classes: classes.rows.filter((row) => row.count > 0).map((row) => [row.name, row.count, row.shallow, row.retained, row.distance] as const),
  };
}

export function numbersOfFile(path: string): Numbers {
  const graph = readHeapFile(path);
  try {
    return numbersOf(calculate(graph));
  } finally {
    graph.strings.close();
  }
}
