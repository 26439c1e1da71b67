// Owns the tests of the look at a JavaScript heap from outside: what is counted in its pages is what the process holds, and foreign memory is not believed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { snapshotParts } from '../../src/analyze/heap-cost.ts';
import { predictSnapshot, type HeapFacts } from '../../src/analyze/heap-guard.ts';
import { heapDensity } from '../../src/platform/linux/heap-pages.ts';
import { PAGE_BYTES, PageWalk } from '../../src/platform/linux/heap-walk.ts';
import { TextSample } from '../../src/platform/linux/text-sample.ts';

const never = new AbortController().signal;

/** Classes with unset fields, arrays of small integers and of fractions, long texts, repeated ones, names, a large array, a Map. */
const APP = `const fs = require('fs'), v8 = require('v8'), kept = [], map = new Map();
  class Item { constructor(i) { this.id = i; this.next = null; this.list = [i, {}]; this.none = undefined; } }
  for (let i = 0; i < 30000; i += 1) { kept.push(new Item(i)); map.set('key' + i, { i }); }
  for (let i = 0; i < 2000; i += 1) kept.push(Array.from({ length: 200 }, (_, k) => k), Array.from({ length: 200 }, (_, k) => k + 0.5), Buffer.alloc(4000, 'text' + i).toString(), Buffer.from('one of few texts ' + i % 9).toString());
  const status = (name) => Number(new RegExp(name + ':\\\\s+(\\\\d+)').exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
  const tell = () => {
    gc(); gc();
    const lines = new (require('inspector').Session)();          // closed by who asks for a snapshot through it: V8 forgets the ids of its objects then
    lines.connect();
    lines.disconnect();
    const used = v8.getHeapStatistics().used_heap_size;
    console.log(JSON.stringify({ usedBytes: used, unusedBytes: v8.getHeapStatistics().total_physical_size - used, largeBytes: v8.getHeapSpaceStatistics().filter((one) => one.space_name.includes('large')).reduce((sum, one) => sum + one.space_used_size, 0), limitBytes: 0 }));
  };
  process.stdin.on('data', () => {
    fs.writeFileSync('/proc/self/clear_refs', '5');
    const before = status('VmRSS');
    v8.writeHeapSnapshot(process.env.FILE);
    const [, nodes, edges] = /"node_count":(\\d+),\\s*"edge_count":(\\d+)/.exec(fs.readFileSync(process.env.FILE, 'latin1').slice(0, 16384));
    console.log(JSON.stringify({ nodes: Number(nodes), edges: Number(edges), peakBytes: status('VmHWM') - before, kept: kept.length + map.size }));
    tell();
  });
  tell();`;

test('what a snapshot will tell of a living process is counted from outside: objects and references as many as it says then, and its memory within 30 %, the first time and the second', { skip: process.platform !== 'linux' || process.arch !== 'x64' ? 'SKIPPED: Linux on x64 only' : false }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'heap-pages-'));
  const child = spawn(process.execPath, ['--expose-gc', '-e', APP], { stdio: ['pipe', 'pipe', 'inherit'], env: { FILE: join(folder, 'one.heapsnapshot') } });
  try {
    const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<Record<string, number>> => JSON.parse(String((await said.next()).value)) as Record<string, number>;
    const facts = await next() as unknown as HeapFacts;
    const density = await heapDensity(child.pid as number, never);
    if (density === undefined && process.getuid?.() !== 0) { t.skip('SKIPPED: the memory of a child may not be read here'); return; }
    assert.ok(density !== undefined);
    child.stdin.write('now\n');
    const { nodes = NaN, edges = NaN, peakBytes = NaN } = await next();
    const parts = snapshotParts(facts.usedBytes - facts.largeBytes, density), told = predictSnapshot({ ...facts, density }, true);
    const words = `objects ${(parts.nodes / nodes).toFixed(2)}, edges ${(parts.edges / edges).toFixed(2)}, peak ${(told.peakBytes / peakBytes).toFixed(2)}`;
    t.diagnostic(words);
    assert.ok(Math.abs(parts.nodes / nodes - 1) < 0.2 && Math.abs(parts.edges / edges - 1) < 0.2 && Math.abs(told.peakBytes / peakBytes - 1) < 0.3, words);
    assert.ok(told.peakAtLeastBytes <= peakBytes && peakBytes <= told.peakAtMostBytes, words);
    assert.ok(density.lostBytes < density.walkedBytes / 10 && (density.slowdown ?? 1) >= 1, JSON.stringify(density));
    // The 30,000 keys are one text each, and so are the long ones; those of which there are nine are nine.
    assert.ok(density.differentTexts > 10_000, JSON.stringify(density));
    assert.ok(density.memory !== undefined && density.memory.waitNs > 0.5 && density.memory.pageUs > 0.01, JSON.stringify(density));
    const again = await next() as unknown as HeapFacts, held = await heapDensity(child.pid as number, never);
    const told2 = predictSnapshot({ ...again, density: held }, true), freeBytes = held?.freeBytes ?? NaN;
    child.stdin.write('now\n');
    const { peakBytes: grownBytes = NaN } = await next();
    const twice = `again: grew by ${Math.round(grownBytes / 1e6)} MB, told ${Math.round(told2.peakBytes / 1e6)}, of which free before ${Math.round(freeBytes / 1e6)}`;
    t.diagnostic(twice);
    // glibc keeps nearly all of the first; another C library is not looked into, and all is told as if it were needed again.
    if (freeBytes === 0) return;
    assert.ok(freeBytes > peakBytes * 0.5 && told2.peakBytes < told.peakBytes * 0.6 && Math.abs((told2.peakBytes + freeBytes) / (grownBytes + freeBytes) - 1) < 0.3, twice);
    assert.ok(told2.peakAtLeastBytes <= grownBytes && grownBytes <= told2.peakAtMostBytes, twice);
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await rm(folder, { recursive: true, force: true });
  }
});

test('different texts are counted as they repeat: few are known soon, and where none repeats there are many', () => {
  const few = new TextSample(), many = new TextSample();
  for (let i = 0; i < 2_000; i += 1) { few.take(i % 50); many.take(i); }
  assert.equal(few.different(), 50);
  assert.ok(many.different() > 1_000_000);
  // 2,000 of 10,000, each as likely as any other.
  const some = new TextSample();
  let state = 7;
  for (let i = 0; i < 2_000; i += 1) { state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; some.take(Math.floor(state / 2 ** 32 * 10_000)); }
  assert.ok(some.different() > 7_000 && some.different() < 14_000, String(some.different()));
});

test('a process that has ended, and one that is no JavaScript, have no heap to be seen', { skip: process.platform !== 'linux' ? 'SKIPPED: Linux only' : false }, async () => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  await once(child, 'spawn');
  assert.equal(await heapDensity(child.pid as number, never), undefined);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(await heapDensity(child.pid as number, never), undefined);
});

test('a page is walked by what its maps say, room between objects is none, and memory of others is not counted', () => {
  const maps = 0x2000_0000_0000, page = 0x1000_0000_0000;
  const memory = Buffer.alloc(PAGE_BYTES);
  const shapes = new Map<number, Buffer>();
  const shape = (index: number, words: number, type: number): bigint => {
    const bytes = Buffer.alloc(16);
    bytes.writeBigUInt64LE(BigInt(maps + 1), 0);                // its map is the map of maps, whose map is itself
    bytes.writeUInt8(words, 8);
    bytes.writeUInt16LE(type, 12);
    shapes.set(maps + index * 64, bytes);
    return BigInt(maps + index * 64 + 1);
  };
  shape(0, 5, 0x100);
  const [plain, text, list, free] = [shape(1, 4, 0x200), shape(2, 0, 0x28), shape(3, 0, 0x120), shape(4, 0, 0x130)];
  let at = 256;
  for (let i = 0; i < 100; i += 1) {
    memory.writeBigUInt64LE(plain, at);                        // two references and a small integer
    memory.writeBigUInt64LE(BigInt(page + 256 + 1), at + 8);
    memory.writeBigUInt64LE(BigInt(page + 256 + 1), at + 16);
    memory.writeBigUInt64LE(7n << 32n, at + 24);
    memory.writeBigUInt64LE(text, at + 32);                    // eleven characters
    memory.writeUInt32LE(11, at + 44);
    memory.writeBigUInt64LE(list, at + 64);                    // two places, one reference
    memory.writeBigUInt64LE(2n << 32n, at + 72);
    memory.writeBigUInt64LE(BigInt(page + 256 + 1), at + 80);
    memory.writeBigUInt64LE(free, at + 96);                    // what is in it was something once
    memory.writeBigUInt64LE(56n << 32n, at + 104);
    memory.writeBigUInt64LE(plain, at + 120);
    at += 152;
  }
  memory.writeBigUInt64LE(free, at);
  memory.writeBigUInt64LE(BigInt(PAGE_BYTES - at) << 32n, at + 8);
  const walk = new PageWalk((into, sizeBytes, from) => {
    const source = from === page ? memory : shapes.get(from);
    source?.copy(into, 0, 0, sizeBytes);
    return source !== undefined;
  }, [page]);
  assert.equal(walk.page(page), true);
  const { walkedBytes, objects, references, strings, characters, lostBytes } = walk.density() ?? assert.fail('no density');
  const counted = (each: number): number => Math.round(each * walkedBytes);
  assert.deepEqual({ walkedBytes, objects: counted(objects), references: counted(references), strings: counted(strings), characters: counted(characters), lostBytes }, { walkedBytes: 9_600, objects: 300, references: 300, strings: 100, characters: 1_100, lostBytes: 0 });
  assert.equal(new PageWalk(() => true, [page]).page(page), false);
});
