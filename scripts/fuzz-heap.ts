// Owns the long fuzz of the heap reader: mutated snapshots by the thousand, each must end in a result or a refusal within its time and memory. Usage: fuzz-heap [count] [first seed]
import { mutated, outcome } from '../test/analyze/heap/mutate.ts';
import { randomHeap, trackedHeap } from '../test/analyze/heap/random-heap.ts';

const MOST_MS = 5_000;
const MOST_RSS = 600 * 1024 * 1024;
const [count = 20_000, first = 1] = process.argv.slice(2).map(Number);
const texts = [randomHeap(1, 60).text, randomHeap(8, 120).text, randomHeap(3, 300, false).text, trackedHeap(8, 120)];
const ends = { whole: 0, partial: 0, refused: 0 };
let slowestMs = 0;
for (let seed = first; seed < first + count; seed++) {
  const from = performance.now();
  try {
    ends[await outcome(mutated(texts[seed % texts.length] ?? '', seed))]++;
  } catch (error) {
    process.stderr.write(`seed ${seed}: ${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
    process.exit(1);
  }
  slowestMs = Math.max(slowestMs, performance.now() - from);
}
const peak = process.resourceUsage().maxRSS * 1024;
process.stdout.write(`${count} mutated snapshots: ${ends.whole} whole, ${ends.partial} partial, ${ends.refused} refused; slowest ${Math.round(slowestMs)} ms, peak ${Math.round(peak / 2 ** 20)} MiB\n`);
process.exit(slowestMs > MOST_MS || peak > MOST_RSS ? 1 : 0);
