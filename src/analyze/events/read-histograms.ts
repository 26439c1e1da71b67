// Owns the reading of heap histograms: the classes that fill a Java heap, in each file as it was at that time.
import type { ArtifactReader } from '../contracts.ts';
import { parseHistogram, type HistogramClass } from '../parse/java-histogram.ts';
import { oneLine } from '../parse/words.ts';

export interface HeapClassesEvent { readonly totalBytes: number; readonly classes: readonly HistogramClass[]; readonly where: string }

/** Ten thousand classes have a MiB. */
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_CLASSES = 10;

export async function heapClassesOf(readers: readonly ArtifactReader[] | undefined): Promise<HeapClassesEvent[]> {
  const found: HeapClassesEvent[] = [];
  for (const reader of readers ?? []) {
    const { classes, totalBytes } = parseHistogram((await reader.text(MAX_BYTES)).text);
    if (classes.length > 0) found.push({ totalBytes, classes: classes.slice(0, MAX_CLASSES).map((one) => ({ ...one, name: oneLine(one.name, 120) })), where: oneLine(reader.ref.name, 120) });
  }
  return found;
}
