// Owns the measure of what is predicted of heap snapshots: stop and peak as told from what the heap is made of, against what V8 takes, over heaps of one kind each and mixed ones.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { snapshotParts } from '../../src/analyze/heap-cost.ts';
import { predictSnapshot } from '../../src/analyze/heap-guard.ts';
import { heapDensity } from '../../src/platform/linux/heap-pages.ts';

const RESULT = new URL('../../artifacts/bench/predictions.json', import.meta.url);
/** MB of JavaScript heap (buffers: beside it); `predictions.ts 400`, `predictions.ts 100 maps,buffers`. */
const heapMB = Number(process.argv[2]) || 100;
/** Another Node than this one: `predictions.ts 100 objects .cache/node/24/package/bin/node` (npm run test:nodes fetches them). */
const program = process.argv[4] ?? process.execPath;
const never = new AbortController().signal;

/** What one step adds to `kept`. Names are no numbers: V8 keeps one text for each index of an array, which texts of the same digits would share. */
const SHAPES: Readonly<Record<string, string>> = {
  objects: 'kept.push({ id: i, name: "object-" + name(i), list: [i, i + 1] })',
  'parsed JSON': 'kept.push(JSON.parse(JSON.stringify({ id: i, user: { name: name(i), tags: ["a" + name(i), "b" + name(i)] }, items: [{ sku: "s" + name(i), n: i }, { sku: "t", n: i * 1.5 }] })))',
  strings: 'kept.push(Buffer.from("a string of some length " + name(i)).toString())',
  closures: 'kept.push(((a, b) => () => a + b)(i, "x" + name(i)))',
  maps: 'kept.push(new Map(Array.from({ length: 20 }, (_, k) => [name(k + i * 20), { k }])))',
  sets: 'kept.push(new Set(Array.from({ length: 20 }, (_, k) => name(k + i * 20))))',
  'maps of numbers': 'kept.push(new Map(Array.from({ length: 40 }, (_, k) => [k, i])))',
  'one large map': 'one.set(name(i), { i }); kept[0] = one',
  'small integers': 'kept.push(Array.from({ length: 400 }, (_, k) => k + i))',
  doubles: 'kept.push(Array.from({ length: 400 }, (_, k) => k * 1.5 + i))',
  'large arrays': 'kept.push(Array.from({ length: 50000 }, (_, k) => k % 9 ? k + 0.5 : k))',
  'long strings': 'kept.push(Buffer.alloc(4000, "abc" + name(i)).toString("latin1"))',
  buffers: 'kept.push(Buffer.alloc(9000))',
  mixed: 'const other = ["objects", "strings", "closures", "maps", "doubles", "parsed JSON", "maps of numbers"]; fill[other[i % other.length]](i)',
};

/** The app collects first, as the guard has it do; the peak is the kernel's own mark of its memory. */
const APP = (shape: string, file: string): string => `
const v8 = require('v8'), fs = require('fs'), kept = [], one = new Map(), fill = {};
const name = (i) => 'n' + (i * 7919 + 1e6).toString(36);
${Object.entries(SHAPES).map(([each, code]) => `fill[${JSON.stringify(each)}] = (i) => { ${code}; };`).join('\n')}
const sizeOf = () => { const { used_heap_size: used } = v8.getHeapStatistics(); return ${shape === 'buffers' ? 'used + process.memoryUsage().external' : 'used'}; };
for (let i = 0; i % 100 > 0 || sizeOf() < ${heapMB}e6; i += 1) fill[${JSON.stringify(shape)}](i);
gc(); gc();
const usedBytes = v8.getHeapStatistics().used_heap_size;
const unusedBytes = v8.getHeapStatistics().total_physical_size - usedBytes;
const largeBytes = v8.getHeapSpaceStatistics().filter((one) => one.space_name.includes('large_object')).reduce((sum, one) => sum + one.space_used_size, 0);
const status = (name) => Number(new RegExp(name + ':\\\\s+(\\\\d+)').exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
console.log(JSON.stringify({ usedBytes, largeBytes, unusedBytes, version: process.versions.v8, limitBytes: 0 }));
process.stdin.once('data', () => {
  // As the guard does, before a snapshot by a V8 that would count the lines of a script anew for each object of its classes.
  const lines = new (require('inspector').Session)();
  lines.connect();
  lines.post('Debugger.enable');
  lines.post('Debugger.disable');
  lines.disconnect();
  fs.writeFileSync('/proc/self/clear_refs', '5');
  const before = status('VmRSS'), began = performance.now(), cpu = process.cpuUsage();
  v8.writeHeapSnapshot(${JSON.stringify(file)});
  const used = process.cpuUsage(cpu);
  const head = Buffer.alloc(16384);
  fs.readSync(fs.openSync(${JSON.stringify(file)}), head);
  const counts = /"node_count":(\\d+),\\s*"edge_count":(\\d+)/.exec(head.toString('latin1'));
  console.log(JSON.stringify({ stopMs: performance.now() - began, cpuMs: (used.user + used.system) / 1000, peakBytes: status('VmHWM') - before, nodes: Number(counts[1]), edges: Number(counts[2]), kept: kept.length }));
  process.exit();
});`;

interface Facts { readonly usedBytes: number; readonly largeBytes: number; readonly unusedBytes: number; readonly version: string; readonly limitBytes: number }
interface Seen { readonly stopMs: number; readonly cpuMs: number; readonly peakBytes: number; readonly nodes: number; readonly edges: number }

async function measure(shape: string, folder: string): Promise<Record<string, unknown>> {
  const child = spawn(program, ['--expose-gc', '--max-old-space-size=8000', '-e', APP(shape, join(folder, 'one.heapsnapshot'))], { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => JSON.parse(String((await said.next()).value));
  const facts = await next() as Facts;
  const cpu = process.cpuUsage();
  const density = await heapDensity(child.pid as number, never);
  const { user, system } = process.cpuUsage(cpu);
  child.stdin.write('now\n');
  return { shape, ...facts, density, lookedMs: Math.round((user + system) / 1_000), ...await next() as Seen };
}

const quotient = (told: number, seen: number): string => `${(told / seen).toFixed(2)}${told / seen > 1 / 0.7 || told / seen < 0.7 ? '!' : ''}`;
const megabytes = (value: number): number => Math.round(value / 1e6);

const folder = await mkdtemp(join(tmpdir(), 'bench-predictions-'));
const result: Record<string, unknown>[] = [];
try {
  for (const shape of process.argv[3]?.split(',') ?? Object.keys(SHAPES)) {
    const row = await measure(shape, folder);
    result.push(row);
    const { usedBytes, largeBytes, unusedBytes, version, density, lookedMs, cpuMs, stopMs, peakBytes, nodes, edges } = row as unknown as Facts & Seen & { density: Awaited<ReturnType<typeof heapDensity>>; lookedMs: number };
    // What others take of the processor is no part of its time.
    const { slowdown = 1, ...alone } = density ?? {};
    const told = predictSnapshot({ usedBytes, largeBytes, unusedBytes, version, limitBytes: 0, density: density === undefined ? undefined : alone as typeof density }, true);
    const parts = density === undefined ? { edges: NaN } : snapshotParts(usedBytes - largeBytes, density);
    const outside = peakBytes > told.peakAtMostBytes || cpuMs > told.stopAtMostMs ? ' ABOVE THE UPPER END' : peakBytes < told.peakAtLeastBytes || cpuMs < told.stopAtLeastMs ? ' BELOW THE LOWER END' : '';
    process.stdout.write(`${shape.padEnd(16)} ${String(megabytes(usedBytes)).padStart(4)} MB, looked at in ${lookedMs} ms: objects told / are ${quotient(told.nodes, nodes)}, edges ${quotient(parts.edges, edges)}; stop ${Math.round(cpuMs)} ms of processor, told ${told.stopMs}: ${quotient(told.stopMs, cpuMs)} (${Math.round(stopMs)} ms in all, ${quotient(told.stopMs * slowdown, stopMs)}); peak ${megabytes(peakBytes)} MB, told ${megabytes(told.peakBytes)}: ${quotient(told.peakBytes, peakBytes)}${outside}\n`);
  }
  mkdirSync(new URL('.', RESULT), { recursive: true });
  writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
