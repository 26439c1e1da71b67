// Owns the strings of a heap report: which texts are there several times and what that wastes, which are the largest; excerpts are masked.
import type { HeapReport, HeapText } from '../../shared/heap.ts';
import { maskText } from '../../shared/mask.ts';
import type { ClassedHeap } from './heap.ts';

const MOST_ROWS = 25;
const EXCERPT_CHARS = 80;

/** V8 cuts texts at 1,024 signs when it writes them: longer ones count as alike only when they are of one size too. */
export function textsOf({ graph, arena }: ClassedHeap): HeapReport['strings'] {
  const { nodeCount, types, names, sizes, strings, meta: { nodeType } } = graph;
  const isText = (node: number): boolean => types[node] === nodeType.string;
  const first = arena.words(strings.length);
  const times = arena.words(strings.length).fill(0);
  let count = 0;
  let all = 0;
  const largest: number[] = [];
  for (let node = 0; node < nodeCount; node++) {
    if (!isText(node)) continue;
    const size = sizes.of(node);
    count++; all += size;
    keepLargest(largest, node, (one) => sizes.of(one));
    const name = (names[node] as number);
    if (name >= times.length || size === 0) continue;
    if (times[name] === 0) { first[name] = node; times[name] = 1; } else if (sizes.of((first[name] as number)) === size) times[name] = (times[name] as number) + 1;
  }
  // All of them are of one size.
  const bytesOf = (name: number): number => (times[name] as number) * sizes.of((first[name] as number));
  const wasteOf = (name: number): number => ((times[name] as number) - 1) * sizes.of((first[name] as number));
  const wasteful: number[] = [];
  let duplicateBytes = 0;
  for (let name = 0; name < times.length; name++) if ((times[name] as number) > 1) { duplicateBytes += wasteOf(name); keepLargest(wasteful, name, wasteOf); }
  const text = (node: number, own: { count: number; bytes: number; waste: number }): HeapText => ({ excerpt: excerpt(strings.text((names[node] as number))), ...own, id: (graph.ids[node] as number) });
  const said = {
    count, bytes: all, duplicateBytes,
    duplicates: ranked(wasteful, wasteOf).map((name) => text((first[name] as number), { count: (times[name] as number), bytes: bytesOf(name), waste: wasteOf(name) })),
    largest: ranked(largest, (node) => sizes.of(node)).map((node) => text(node, { count: 1, bytes: sizes.of(node), waste: 0 })),
  };
  arena.give(first, times);
  return said;
}

function keepLargest(list: number[], one: number, size: (one: number) => number): void {
  list.push(one);
  if (list.length > MOST_ROWS * 40) list.sort((a, b) => size(b) - size(a)).length = MOST_ROWS;
}

function ranked(list: number[], size: (one: number) => number): number[] { return list.sort((a, b) => size(b) - size(a)).slice(0, MOST_ROWS); }

export function excerpt(text: string): string {
  const masked = maskText(text.slice(0, EXCERPT_CHARS * 4)).text.replace(/\s+/g, ' ');
  return masked.length > EXCERPT_CHARS ? `${masked.slice(0, EXCERPT_CHARS)}…` : masked;
}
