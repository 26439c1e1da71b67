// Owns the proof that JavaScript is told for every way V8 runs it, and that a damaged heap and a file of many GiB do no harm.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { FileBytes } from '../../../src/analyze/dump/bytes.ts';
import { RBP, RSP, readCore } from '../../../src/analyze/dump/core.ts';
import { CoreMemory } from '../../../src/analyze/dump/memory.ts';
import { readDumpFile } from '../../../src/analyze/dump/read-dump.ts';
import { errorOnStack } from '../../../src/analyze/dump/v8-error.ts';
import { jsFrame } from '../../../src/analyze/dump/v8-frames.ts';
import { V8 } from '../../../src/analyze/dump/v8.ts';
import { smallCore } from './small-dumps.ts';

const root = resolve(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'read-v8-'));
after(() => { rmSync(folder, { recursive: true, force: true }); });
const never = new AbortController().signal;
const gdb = (process.env['PATH'] ?? '').split(':').some((dir) => existsSync(join(dir, 'gdb')));
const skip = process.platform !== 'linux' || process.arch !== 'x64' ? 'SKIPPED: only on Linux, x64' : !gdb && process.env['CI'] !== 'true' ? 'SKIPPED: no gdb on this machine' : false;

const app = join(root, 'test/apps/js-tiers.cjs');
let made: string | undefined;
function core(): string {
  if (made === undefined) {
    made = join(folder, 'tiers.core');
    execFileSync('gdb', ['-nx', '-batch', '-iex', 'set debuginfod enabled off', '-ex', 'run', '-ex', `generate-core-file ${made}`, '-ex', 'kill', '--args', process.execPath, '--allow-natives-syntax', '--max-inlined-bytecode-size=0', app], { stdio: 'ignore' });
  }
  return made;
}

test('interpreted frames have the line of the call, baseline and optimized ones that of their beginning, and say so', { skip }, async () => {
  const dump = await readDumpFile(core(), { files: true, signal: never });
  const own = (dump.javascript?.stack ?? []).filter((one) => one.file === app).map((one) => [one.function, one.tier, one.line, one.begins ?? false]);
  assert.deepEqual(own, [['leaf', 'interpreted', 3, false], ['optimized', 'optimized', 4, true], ['middle', 'baseline', 9, true], ['(anonymous)', 'interpreted', 17, false]]);
  assert.equal(dump.death?.name, 'SIGABRT');
  assert.equal(dump.javascript?.exception, undefined, 'nothing was thrown');
});

test('what is not understood is said: another V8, or a binary that is not here', { skip }, async () => {
  const dump = await readDumpFile(core(), { files: false, signal: never });
  assert.deepEqual([dump.javascript?.understood, dump.javascript?.stack], [false, []]);
  assert.match(dump.javascript?.why ?? '', /not on this machine/);
  const bytes = new FileBytes(core());
  const memory = new CoreMemory(bytes, readCore(bytes), { files: true });
  const node = memory.images.find((one) => one.name === 'node');
  assert.ok(node !== undefined);
  const newer = { ...node, constant: (address: number) => (node.constant(address) === Number(process.versions.v8.split('.')[0]) ? 99 : node.constant(address)) };
  assert.match(String(V8.of(newer, () => undefined)), /^V8 99\.\d+ is not one of the versions that are understood/);
  memory.close();
  bytes.close();
});

const ROUNDS = 3_000;
/** Words of the heap that are read for one frame; with damage, more may follow wrong ways. */
const MAX_READS = 200_000;
test('a heap with damaged words never hurts the reader', { skip }, () => {
  const bytes = new FileBytes(core());
  const memory = new CoreMemory(bytes, readCore(bytes), { files: true });
  let state = 7;
  const next = (below: number): number => { state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; return Math.floor((state / 2 ** 32) * below); };
  let [damage, reads, told] = [0, 0, 0];
  const node = memory.images.find((one) => one.name === 'node');
  assert.ok(node !== undefined);
  const v8 = V8.of(node, (at, size) => {
    reads += 1;
    assert.ok(reads < MAX_READS, `more than ${MAX_READS} reads`);
    const piece = memory.read(at, size);
    if (piece === undefined || damage === 0 || next(damage) !== 0) return piece;
    const copy = Buffer.from(piece);
    if (copy.length >= 8 && next(2) === 0) (next(2) === 0 ? memory.read(at + next(512) * 8, 8) : Buffer.alloc(8, next(256)))?.copy(copy, next(Math.floor(copy.length / 8)) * 8);
    else if (copy.length > 0) copy[next(copy.length)] = next(256);
    return copy;
  });
  assert.ok(typeof v8 !== 'string');
  const [sp, first] = [memory.core.threads[0]?.registers[RSP] as number, memory.core.threads[0]?.registers[RBP] as number];
  const frames = [first];
  for (let fp = sp; fp < sp + 4_096; fp += 8) if (jsFrame(v8, fp) !== undefined) frames.push(fp);
  assert.ok(frames.length > 4, 'there are frames to damage');
  for (let n = 0; n < ROUNDS; n += 1) {
    damage = 2 + next(30);
    reads = 0;
    if (jsFrame(v8, frames[next(frames.length)] as number) !== undefined) told += 1;
    if (n % 30 === 0) errorOnStack(v8, sp, sp + 8_192);
  }
  assert.ok(told > ROUNDS / 20 && told < ROUNDS, `${told} of ${ROUNDS} still told something`);
  memory.close();
  bytes.close();
});

const GIB = 2 ** 30;
const MAX_GROWTH_KIB = 160 * 1024;
test('a core of 6 GiB is read in bounded memory', async () => {
  const small = smallCore();
  const heap = Math.ceil(small.length / 4_096) * 4_096;
  small.writeBigUInt64LE(BigInt(heap), 64 + 2 * 56 + 8);
  for (const place of [32, 40]) small.writeBigUInt64LE(BigInt(6 * GIB), 64 + 2 * 56 + place);
  const file = join(folder, 'large.core');
  const fd = openSync(file, 'w');
  writeSync(fd, small);
  ftruncateSync(fd, heap + 6 * GIB);
  closeSync(fd);
  const before = process.resourceUsage().maxRSS;
  const dump = await readDumpFile(file, { files: false, signal: never });
  assert.ok(process.resourceUsage().maxRSS - before < MAX_GROWTH_KIB, `${process.resourceUsage().maxRSS - before} KiB more`);
  assert.equal(dump.memory.biggest.find((one) => one.bytes === 6 * GIB)?.holds, '100 % never written or zero');
  assert.ok(dump.notes.some((one) => one.startsWith('texts were not searched for in 5.5 GiB')), dump.notes.join('; '));
});
