// Owns the long run of the HTTP log fuzzer: node --import tsx scripts/fuzz-http-log.ts [--count 1000000] [--seed 1]
import { parseArgs } from 'node:util';

interface Fuzzer { fuzz(count: number, seed: number, onProgress?: (done: number) => void): Readonly<Record<string, number>> }

const { values } = parseArgs({ options: { count: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } } });
const count = Number(values.count), seed = Number(values.seed);
if (!(Number.isSafeInteger(count) && count > 0 && Number.isSafeInteger(seed))) {
  process.stderr.write('--count and --seed are whole numbers\n');
  process.exit(2);
}
const { fuzz } = await import(new URL('../test/support/fuzz-http-log.ts', import.meta.url).href) as Fuzzer;
const began = performance.now();
const sum = fuzz(count, seed, (done) => { if (done % 100_000 === 0) process.stderr.write(`${done} inputs, ${((performance.now() - began) / 1000).toFixed(0)} s\n`); });
process.stdout.write(`${JSON.stringify({ seed, ...sum, seconds: Math.round((performance.now() - began) / 1000) })}\n`);
