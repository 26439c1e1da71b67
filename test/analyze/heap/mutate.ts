// Owns the damaging of snapshots, seeded, and how the analysis of one ended.
import { calculate } from '../../../src/analyze/heap/heap.ts';
import { Holders } from '../../../src/analyze/heap/holder.ts';
import { pathTo } from '../../../src/analyze/heap/path.ts';
import { Suspects } from '../../../src/analyze/heap/suspects.ts';
import { DiagError } from '../../../src/shared/errors.ts';
import { graphOf } from './ours.ts';

const PIECES = ['', '0', '4294967295', '99999999999999999999', '-1', '1.5', '"', '\\', '[', ']', '{', '}', ',', '\u0000', '\\ud800', '"nodes":[', '"strings":["', '"edges":[]', 'null'];

/** A few cuts, copies, flips and foreign pieces at places that the seed chooses. */
export function mutated(text: string, seed: number): string {
  let state = (seed * 2_654_435_761) >>> 0;
  const below = (limit: number): number => { state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; return Math.floor((state / 2 ** 32) * limit); };
  let out = text;
  for (let times = 1 + below(4); times > 0; times--) {
    const at = below(out.length);
    const length = below(3) === 0 ? below(out.length - at) : below(12);
    const kind = below(6);
    if (kind === 0) out = out.slice(0, at);
    else if (kind === 1) out = out.slice(0, at) + out.slice(at + length);
    else if (kind === 2) out = out.slice(0, at) + out.slice(at, at + length).repeat(2) + out.slice(at + length);
    else if (kind === 3) out = out.slice(0, at) + String(PIECES[below(PIECES.length)]) + out.slice(at);
    else if (kind === 4) out = out.slice(0, at) + String(below(100_000)) + out.slice(at + below(8));
    else out = out.slice(0, at) + String.fromCharCode(below(256)) + out.slice(at + 1);
    if (out.length === 0) return out;
  }
  return out;
}

/** Any other error than a refusal is thrown on. */
export async function outcome(text: string): Promise<'whole' | 'partial' | 'refused'> {
  try {
    const heap = calculate(await graphOf(text, 4_096));
    new Suspects(heap, new Holders(heap)).holdsMost();
    for (let node = 0; node < heap.graph.nodeCount; node += 17) pathTo(heap, node);
    return heap.graph.notes.length > 0 ? 'partial' : 'whole';
  } catch (error) {
    if (error instanceof DiagError && error.code === 'HEAP_UNREADABLE') return 'refused';
    throw error;
  }
}
