// Owns the tests of the look at what the C library of a process holds free: what is freed is found, what is in use is not, and foreign memory is not believed.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { freePieces, heapRange, mallocFreeBytes } from '../../src/platform/linux/malloc-free.ts';

const never = new AbortController().signal;
const MIB = 2 ** 20;

/** 64 MiB in pieces that malloc takes from its heap; each second one is freed, then the others but the last. */
const APP = `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static char *all[1024];
static void say(void) { puts("now"); fflush(stdout); getchar(); }
int main(void) {
  for (int i = 0; i < 1024; i += 1) { all[i] = malloc(65536); memset(all[i], 1, 65536); }
  say();
  for (int i = 0; i < 1022; i += 2) free(all[i]);
  say();
  for (int i = 1; i < 1022; i += 2) free(all[i]);
  say();
}`;

test('what a process has freed and its C library keeps is counted from outside', { skip: process.platform !== 'linux' || process.arch !== 'x64' ? 'SKIPPED: Linux on x64 only' : false }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'malloc-free-'));
  const program = join(folder, 'app');
  if (spawnSync('gcc', ['-x', 'c', '-', '-o', program], { input: APP }).error !== undefined) { await rm(folder, { recursive: true }); t.skip('SKIPPED: no C compiler'); return; }
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const free: number[] = [];
    for (let step = 0; step < 3; step += 1) {
      assert.equal((await said.next()).value, 'now');
      free.push(await mallocFreeBytes(child.pid as number, never));
      child.stdin.write('\n');
    }
    const [before = NaN, half = NaN, most = NaN] = free;
    t.diagnostic(free.map((one) => (one / MIB).toFixed(1)).join(' MiB, '));
    // Whole pages only: of each piece of 16 up to two are shared with what lies beside it.
    assert.ok(half - before > 27 * MIB && half - before < 33 * MIB, JSON.stringify(free));
    assert.ok(most - before > 60 * MIB && most - before < 65 * MIB, JSON.stringify(free));
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await rm(folder, { recursive: true, force: true });
  }
});

test('the way over its pieces ends where one is no piece, and the last one is not given out yet', async () => {
  const from = 0x1000, words = (pieces: readonly (readonly [bytes: number, flags: number])[]): { sizeAt(at: number): number; blocks: number } => {
    const sizes = new Map<number, number>();
    let at = from;
    for (const [bytes, flags] of pieces) { sizes.set(at, bytes + flags); at += bytes; }
    return { sizeAt: (place) => sizes.get(place) ?? 0, blocks: 1 };
  };
  const walk = async (pieces: readonly (readonly [number, number])[], total = pieces.reduce((sum, [bytes]) => sum + bytes, 0)): ReturnType<typeof freePieces> => await freePieces(words(pieces), { from, to: from + total }, never);
  // In use, free (the next one says so), in use, the rest.
  assert.deepEqual(await walk([[8_192, 1], [16_384, 1], [4_096, 0], [12_288, 1]]), [{ from: from + 8_192, to: from + 24_576 }, { from: from + 28_672, to: from + 40_960 }]);
  assert.deepEqual(await walk([[8_192, 1], [64, 1], [4_096, 0], [48, 1]]), [{ from: from + 12_352, to: from + 12_400 }], 'too small to count, but for the last');
  assert.equal(await walk([[8_192, 1], [24, 1], [8_192, 1]]), undefined, 'smaller than any');
  assert.equal(await walk([[8_192, 1], [72, 1], [8_192, 1]]), undefined, 'of no step');
  assert.equal(await walk([[8_192, 1], [8_192, 4], [8_192, 1]]), undefined, 'of another heap');
  assert.equal(await walk([[8_192, 1], [8_192, 1]], 8_192 + 4_096), undefined, 'longer than the heap');
});

test('the heap of a process is where its map says, in one part or several side by side; a process without one holds nothing free', { skip: process.platform !== 'linux' ? 'SKIPPED: Linux only' : false }, async () => {
  const line = (from: string, to: string, what = '[heap]'): string => `${from}-${to} rw-p 00000000 00:00 0          ${what}\n`;
  assert.deepEqual(heapRange(line('10000', '20000') + line('20000', '30000') + line('50000', '60000')), { from: 0x10000, to: 0x30000 });
  assert.equal(heapRange(line('10000', '20000', '[stack]')), undefined);
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  await once(child, 'spawn');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(await mallocFreeBytes(child.pid as number, never), 0);
});
