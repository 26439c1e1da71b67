// Owns the measure of heap snapshots: what is predicted of stop and peak from the size of the heap, against what V8 takes, over heaps of one kind each.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { predictSnapshot } from '../../src/analyze/heap-guard.ts';

const RESULT = new URL('../../artifacts/bench/heap-snapshot.json', import.meta.url);
const count = Number(process.argv[2]) || 100_000;

/** Each fills `kept` with about as much as `n` objects. */
const SHAPES: Readonly<Record<string, string>> = {
  objects: 'for (let i = 0; i < n; i += 1) kept.push({ id: i, name: "object-" + i, list: [i, i + 1] })',
  'parsed JSON': 'for (let i = 0; i < n / 6; i += 1) kept.push(JSON.parse(JSON.stringify({ id: i, user: { name: "n" + i, tags: ["a" + i, "b" + i] }, items: [{ sku: "s" + i, n: i }, { sku: "t" + i, n: i * 1.5 }] })))',
  strings: 'for (let i = 0; i < n * 2; i += 1) kept.push("a string of some length " + i + " and more " + i * 7)',
  closures: 'for (let i = 0; i < n; i += 1) kept.push(((a, b) => () => a + b)(i, "x" + i))',
  maps: 'for (let i = 0; i < n / 20; i += 1) kept.push(new Map(Array.from({ length: 20 }, (_, k) => ["k" + k + i, { k }])))',
  'maps of numbers': 'for (let i = 0; i < n / 20; i += 1) kept.push(new Map(Array.from({ length: 40 }, (_, k) => [k, i])))',
  'arrays of numbers': 'for (let i = 0; i < n / 40; i += 1) kept.push(Array.from({ length: 400 }, (_, k) => k * 1.5 + i))',
  'long strings': 'for (let i = 0; i < n / 30; i += 1) kept.push(Buffer.alloc(4000, "abc" + i).toString("latin1"))',
  buffers: 'for (let i = 0; i < n / 4; i += 1) kept.push(Buffer.alloc(9000))',
  'one large array': 'kept.push(new Array(n * 20).fill(0).map((_, i) => i + 0.5))',
};

/** The app collects first, as the guard has it do; the peak is the kernel's own mark of its memory. */
const APP = (fill: string, file: string): string => `
const v8 = require('v8'), fs = require('fs'), kept = [], n = ${count};
${fill};
gc(); gc();
const usedBytes = v8.getHeapStatistics().used_heap_size;
const largeBytes = v8.getHeapSpaceStatistics().filter((one) => one.space_name.includes('large_object')).reduce((sum, one) => sum + one.space_used_size, 0);
const status = (name) => Number(new RegExp(name + ':\\\\s+(\\\\d+)').exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
fs.writeFileSync('/proc/self/clear_refs', '5');
const before = status('VmRSS'), began = performance.now(), cpu = process.cpuUsage();
v8.writeHeapSnapshot(${JSON.stringify(file)});
const used = process.cpuUsage(cpu);
console.log(JSON.stringify({ usedBytes, largeBytes, stopMs: performance.now() - began, cpuMs: (used.user + used.system) / 1000, peakBytes: status('VmHWM') - before, kept: kept.length }));`;

interface Seen { readonly usedBytes: number; readonly largeBytes: number; readonly stopMs: number; readonly cpuMs: number; readonly peakBytes: number }

async function seen(fill: string, folder: string): Promise<Seen> {
  const child = spawn(process.execPath, ['--expose-gc', '--max-old-space-size=8000', '-e', APP(fill, join(folder, 'one.heapsnapshot'))], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const piece of child.stdout.setEncoding('utf8') as AsyncIterable<string>) text += piece;
  return JSON.parse(text) as Seen;
}

const folder = await mkdtemp(join(tmpdir(), 'bench-heap-'));
const result: Record<string, unknown>[] = [];
try {
  for (const [shape, fill] of Object.entries(SHAPES)) {
    const real = await seen(fill, folder);
    const told = predictSnapshot({ usedBytes: real.usedBytes, largeBytes: real.largeBytes, limitBytes: 0 }, true);
    const within = (value: number, least: number, most: number): string => (value < least ? 'BELOW' : value > most ? 'ABOVE' : 'within');
    const row = { shape, heapMB: Math.round(real.usedBytes / 1e6), stopMs: Math.round(real.stopMs), cpuMs: Math.round(real.cpuMs), told: [told.stopAtLeastMs, told.stopMs, told.stopAtMostMs], peakMB: Math.round(real.peakBytes / 1e6), toldPeakMB: [told.peakAtLeastBytes, told.peakBytes, told.peakAtMostBytes].map((one) => Math.round(one / 1e6)) };
    result.push(row);
    process.stdout.write(`${shape.padEnd(18)} ${String(row.heapMB).padStart(4)} MB: stop ${row.stopMs} ms (${row.cpuMs} of processor), told ${told.stopMs} (${told.stopAtLeastMs} to ${told.stopAtMostMs}): ${within(real.cpuMs, told.stopAtLeastMs, told.stopAtMostMs)}, ratio ${(told.stopMs / real.cpuMs).toFixed(2)}; peak ${row.peakMB} MB, told ${row.toldPeakMB[1]} (${row.toldPeakMB[0]} to ${row.toldPeakMB[2]}): ${within(real.peakBytes, told.peakAtLeastBytes, told.peakAtMostBytes)}, ratio ${(told.peakBytes / real.peakBytes).toFixed(2)}\n`);
  }
  mkdirSync(new URL('.', RESULT), { recursive: true });
  writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
