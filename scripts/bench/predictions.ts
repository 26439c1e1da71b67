// Owns the measure of what is predicted of heap snapshots: stop and peak as told from what the heap is made of, against what V8 takes the first and the second time, over heaps of one kind each, mixed ones, and programs that nothing was fitted to.
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

/** Nothing was fitted to these: `predictions.ts 60 unseen`. */
const UNSEEN: Readonly<Record<string, string>> = {
  'a search tree': 'let at = kept[0] ??= { key: 0.5, left: null, right: null, value: "" }; const key = Math.random(); for (;;) { const side = key < at.key ? "left" : "right"; if (at[side] === null) { at[side] = { key, left: null, right: null, value: "v" + key }; break; } at = at[side]; }',
  'a chain of classes': 'class Link { constructor(v) { this.v = v; this.next = kept.at(-1) ?? null; this.at = new Date(v); this.handlers = { ok: () => v, bad: null }; } } kept.push(new Link(i))',
  promises: 'let done; const one = new Promise((ready) => { done = ready; }); one.then((x) => x + i); kept.push(one, done)',
  emitters: 'const one = new (require("events"))(); one.on("a", () => i); one.on("b", () => i); kept.push(one)',
  'a cache of users': 'one.set("user:" + i, { id: i, email: "u" + i + "@example.org", roles: ["reader", i % 3 ? "writer" : "admin"], seen: new Date(1e12 + i), prefs: { theme: "dark", size: i % 7 } }); kept[0] = one',
  dictionaries: 'const all = {}; for (let k = 0; k < 50; k += 1) all["k" + ((i * 50 + k) * 7919).toString(36)] = k; kept.push(all)',
  rows: 'kept.push([i, "row " + i, i * 0.5, i % 2 === 0, null, new Date(1e12 + i * 1e4)])',
  documents: 'if (i % 100 === 0) kept.push(JSON.parse(fs.readFileSync("public/openapi.json", "utf8")))',
};
const KINDS = { ...SHAPES, ...UNSEEN };
const asked = (words: string | undefined): readonly string[] => words === undefined ? Object.keys(SHAPES) : words === 'unseen' ? Object.keys(UNSEEN) : words.split(',');

/** The app collects first, as the guard has it do, and has its debugger opened and closed; the peak is the kernel's own mark of its memory, the time that of its main thread on a processor. */
const APP = (shape: string, file: string): string => `
const v8 = require('v8'), fs = require('fs'), { Session } = require('inspector'), kept = [], one = new Map(), fill = {};
const name = (i) => 'n' + (i * 7919 + 1e6).toString(36);
${Object.entries(KINDS).map(([each, code]) => `fill[${JSON.stringify(each)}] = (i) => { ${code}; };`).join('\n')}
const sizeOf = () => { const { used_heap_size: used } = v8.getHeapStatistics(); return ${shape === 'buffers' ? 'used + process.memoryUsage().external' : 'used'}; };
for (let i = 0; i % 100 > 0 || sizeOf() < ${heapMB}e6; i += 1) fill[${JSON.stringify(shape)}](i);
const status = (name) => Number(new RegExp(name + ':\\\\s+(\\\\d+)').exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
const ranMs = () => Number(fs.readFileSync('/proc/self/task/' + process.pid + '/schedstat', 'utf8').split(' ')[0]) / 1e6;
const kernelMs = () => process.resourceUsage().systemCPUTime / 1000;
const tell = () => {
  gc(); gc();
  // As the guard does, before a snapshot by a V8 that would count the lines of a script anew for each object of its classes.
  const lines = new Session();
  lines.connect();
  lines.post('Debugger.enable');
  lines.post('Debugger.disable');
  lines.disconnect();
  const { used_heap_size: usedBytes, total_physical_size: held } = v8.getHeapStatistics();
  const largeBytes = v8.getHeapSpaceStatistics().filter((one) => one.space_name.includes('large_object')).reduce((sum, one) => sum + one.space_used_size, 0);
  console.log(JSON.stringify({ usedBytes, largeBytes, unusedBytes: held - usedBytes, version: process.versions.v8, limitBytes: 0 }));
};
process.stdin.on('data', () => {
  fs.writeFileSync('/proc/self/clear_refs', '5');
  const before = status('VmRSS'), began = performance.now(), ran = ranMs(), kernel = kernelMs();
  v8.writeHeapSnapshot(${JSON.stringify(file)});
  const cpuMs = ranMs() - ran, stopMs = performance.now() - began, peakBytes = status('VmHWM') - before, inKernelMs = kernelMs() - kernel;
  const head = Buffer.alloc(16384);
  fs.readSync(fs.openSync(${JSON.stringify(file)}), head);
  const counts = /"node_count":(\\d+),\\s*"edge_count":(\\d+)/.exec(head.toString('latin1'));
  fs.unlinkSync(${JSON.stringify(file)});
  console.log(JSON.stringify({ stopMs, cpuMs, inKernelMs, peakBytes, nodes: Number(counts[1]), edges: Number(counts[2]), kept: kept.length }));
  tell();
});
tell();`;

interface Facts { readonly usedBytes: number; readonly largeBytes: number; readonly unusedBytes: number; readonly version: string; readonly limitBytes: number }
interface Seen { readonly stopMs: number; readonly cpuMs: number; readonly inKernelMs: number; readonly peakBytes: number; readonly nodes: number; readonly edges: number }

type Row = Facts & Seen & { readonly shape: string; readonly density: Awaited<ReturnType<typeof heapDensity>>; readonly lookedMs: number };

/** Two snapshots, one after the other. */
async function measure(shape: string, folder: string): Promise<readonly Row[]> {
  const child = spawn(program, ['--expose-gc', '--max-old-space-size=8000', '-e', APP(shape, join(folder, 'one.heapsnapshot'))], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => JSON.parse(String((await said.next()).value));
    const rows: Row[] = [];
    for (let facts = await next() as Facts; rows.length < 2; facts = await next() as Facts) {
      const cpu = process.cpuUsage();
      const density = await heapDensity(child.pid as number, never);
      const { user, system } = process.cpuUsage(cpu);
      child.stdin.write('now\n');
      rows.push({ shape, ...facts, density, lookedMs: Math.round((user + system) / 1_000), ...await next() as Seen });
    }
    return rows;
  } finally {
    child.kill('SIGKILL');
  }
}

const quotient = (told: number, seen: number): string => `${(told / seen).toFixed(2)}${told / seen > 1 / 0.7 || told / seen < 0.7 ? '!' : ''}`;
const megabytes = (value: number): number => Math.round(value / 1e6);

function say({ shape, usedBytes, largeBytes, unusedBytes, version, density, lookedMs, cpuMs, inKernelMs, stopMs, peakBytes, nodes, edges }: Row): string {
  // What others take of the processor is no part of its time.
  const { slowdown = 1, ...alone } = density ?? {};
  const told = predictSnapshot({ usedBytes, largeBytes, unusedBytes, version, limitBytes: 0, density: density === undefined ? undefined : alone as typeof density }, true);
  const parts = density === undefined ? { edges: NaN } : snapshotParts(usedBytes - largeBytes, density), freeBytes = density?.freeBytes ?? 0;
  const outside = peakBytes > told.peakAtMostBytes || cpuMs > told.stopAtMostMs ? ' ABOVE THE UPPER END' : peakBytes < told.peakAtLeastBytes || cpuMs < told.stopAtLeastMs ? ' BELOW THE LOWER END' : '';
  return `${shape.padEnd(18)} ${String(megabytes(usedBytes)).padStart(4)} MB, looked at in ${lookedMs} ms: objects told / are ${quotient(told.nodes, nodes)}, edges ${quotient(parts.edges, edges)}; stop ${Math.round(cpuMs)} ms of processor (${Math.round(inKernelMs)} in the kernel), told ${told.stopMs}: ${quotient(told.stopMs, cpuMs)} (${Math.round(stopMs)} ms in all, ${quotient(told.stopMs * slowdown, stopMs)}); peak ${megabytes(peakBytes)} MB, told ${megabytes(told.peakBytes)}: ${quotient(told.peakBytes, peakBytes)}, with the ${megabytes(freeBytes)} MB that were free ${quotient(told.peakBytes + freeBytes, peakBytes + freeBytes)}${outside}\n`;
}

const folder = await mkdtemp(join(tmpdir(), 'bench-predictions-'));
const result: Row[] = [];
try {
  for (const shape of asked(process.argv[3])) {
    for (const row of await measure(shape, folder)) {
      result.push(row);
      process.stdout.write(say(row));
    }
  }
  mkdirSync(new URL('.', RESULT), { recursive: true });
  writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
