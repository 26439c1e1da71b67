// Owns the digest of an analysis: equal digests mean equal numbers for every node and class.
import { createHash } from 'node:crypto';

export interface Numbers { readonly nodes: number; readonly shallow: ArrayLike<number>; readonly retained: ArrayLike<number>; readonly distances: ArrayLike<number>; readonly dominators: ArrayLike<number>; readonly classes: readonly (readonly [name: string, count: number, shallow: number, retained: number, distance: number])[] }

export function digests(numbers: Numbers): Record<string, string | number> {
  const of = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
  return {
    nodes: numbers.nodes, shallow: of(Array.from(numbers.shallow)), retained: of(Array.from(numbers.retained)), distances: of(Array.from(numbers.distances)), dominators: of(Array.from(numbers.dominators)),
    classes: numbers.classes.length, classRows: of(numbers.classes.map((row) => JSON.stringify(row)).sort()),
  };
}
