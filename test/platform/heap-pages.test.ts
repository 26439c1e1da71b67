// Owns the tests of the look at a JavaScript heap from outside: what is counted in its pages is what the process holds, and foreign memory is not believed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { heapDensity } from '../../src/platform/linux/heap-pages.ts';
import { PAGE_BYTES, PageWalk } from '../../src/platform/linux/heap-walk.ts';

const never = new AbortController().signal;

test('objects, strings and a large array of a living process are counted from outside', { skip: process.platform !== 'linux' || process.arch !== 'x64' ? 'SKIPPED: Linux on x64 only' : false }, async (t) => {
  const app = `const kept = []; for (let i = 0; i < 150000; i += 1) kept.push({ id: i, own: [i] });
    gc(); gc(); console.log(process.memoryUsage().heapUsed); process.stdin.resume().on('end', () => process.exit(kept.length > 0 ? 0 : 1));`;
  const child = spawn(process.execPath, ['--expose-gc', '-e', app], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const [line] = await once(createInterface({ input: child.stdout }), 'line') as [string];
    const density = await heapDensity(child.pid as number, never);
    if (density === undefined && process.getuid?.() !== 0) { t.skip('SKIPPED: the memory of a child may not be read here'); return; }
    assert.ok(density !== undefined);
    // Each is an object, an array and the array's elements.
    const objects = density.objects * (Number(line) - 1.2e6);
    assert.ok(objects > 400_000 && objects < 600_000, `${Math.round(objects)} objects of ${line} bytes`);
    assert.ok(density.references > density.objects / 2 && density.references < density.objects * 3, JSON.stringify(density));
    assert.ok(density.lostBytes < density.walkedBytes / 10, JSON.stringify(density));
  } finally {
    child.stdin.end();
    await once(child, 'exit');
  }
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
