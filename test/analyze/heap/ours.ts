// Owns our numbers of a snapshot in the form that the digest compares.
import { calculate, type Heap } from '../../../src/analyze/heap/heap.ts';
import { readHeapFile, readHeapStream } from '../../../src/analyze/heap/read.ts';
import type { HeapGraph } from '../../../src/analyze/heap/graph.ts';
import type { Numbers } from './digest.ts';

export async function graphOf(text: string, chunkBytes = 1 << 16): Promise<HeapGraph> {
  const bytes = Buffer.from(text);
  async function* chunks(): AsyncGenerator<Uint8Array> { for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes); }
  return await readHeapStream(chunks(), bytes.length);
}

export function numbersOf({ graph, dominators, distances, classes }: Heap): Numbers {
  return {
    nodes: graph.nodeCount, shallow: Array.from({ length: graph.nodeCount }, (_, node) => graph.sizes.of(node)), retained: dominators.retained, distances: distances.of, dominators: dominators.of,
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
