// Owns the proof that no dump can hurt its reader: 20,000 damaged files, each read within stated bounds or refused in words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryBytes, type Bytes } from '../../../src/analyze/dump/bytes.ts';
import { readDump } from '../../../src/analyze/dump/read-dump.ts';
import { DumpRead } from '../../../src/shared/dump-read.ts';
import { DiagError } from '../../../src/shared/errors.ts';
import { smallCore, smallMinidump } from './small-dumps.ts';

const FILES = 20_000;
/** Reads of one file: a damaged one must not make the reader go round. A whole one takes about 300. */
const MAX_READS = 60_000;
/** Bytes handed to the reader for one file of 13 KiB. */
const MAX_BYTES = 64 * 1024 * 1024;
/** What all of them together may leave behind. */
const MAX_GROWTH_BYTES = 192 * 1024 * 1024;
const options = { files: false, signal: new AbortController().signal };

/** The same numbers every time. */
function chance(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => { state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; return Math.floor((state / 2 ** 32) * below); };
}

const EXTREME = [0, 1, 2, 7, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1000, 0x40_0000];
/** Headers and tables come first in both, so half of the damage goes there. */
function damaged(whole: Buffer, next: (below: number) => number): Buffer {
  const bytes = Buffer.from(whole);
  for (let n = 1 + next(4); n > 0; n -= 1) {
    const at = next(next(2) === 0 ? Math.min(bytes.length, 2_048) : bytes.length - 8);
    const how = next(6);
    if (how === 0) bytes[at] = next(256);
    else if (how === 1) bytes.writeUInt32LE(EXTREME[next(EXTREME.length)] as number, Math.min(at & ~3, bytes.length - 8));
    else if (how === 2) bytes.writeBigUInt64LE(BigInt(EXTREME[next(EXTREME.length)] as number) << BigInt(next(33)), Math.min(at & ~7, bytes.length - 8));
    else if (how === 3) bytes.copyWithin(at, next(bytes.length), bytes.length);
    else if (how === 4) bytes.writeUInt32LE((bytes.readUInt32LE(Math.min(at & ~3, bytes.length - 8)) + next(64) - 32) >>> 0, Math.min(at & ~3, bytes.length - 8));
    else if (next(4) === 0) return bytes.subarray(0, at);
  }
  return bytes;
}

function counted(bytes: Bytes): Bytes & { reads: number } {
  let handed = 0;
  const self = {
    sizeBytes: bytes.sizeBytes, reads: 0,
    read(at: number, size: number): Buffer | undefined {
      self.reads += 1;
      const piece = bytes.read(at, size);
      handed += piece?.length ?? 0;
      assert.ok(self.reads <= MAX_READS, `more than ${MAX_READS} reads`);
      assert.ok(handed <= MAX_BYTES, `more than ${MAX_BYTES} bytes`);
      return piece;
    },
  };
  return self;
}

test('the small dumps are read whole before they are damaged', async () => {
  const core = DumpRead.parse(await readDump(memoryBytes(smallCore()), options));
  assert.deepEqual(core.threads[0]?.frames.map((one) => [one.function, one.how]), [['shop::Cart<…>::total', 'context'], ['outer', 'rules'], ['main', 'rules'], ['main', 'rules']]);
  assert.deepEqual([core.death?.name, core.death?.address, core.process.pid, core.texts[0]?.text], ['SIGSEGV', '0x8', 77, 'TypeError: voucher of order 4711 is missing']);
  assert.deepEqual(core.environment.map((one) => [one.name, one.value]), [['A', '1'], ['PATH', '/bin'], ['SHOP_API_KEY', '[masked]']]);
  assert.equal(JSON.stringify(core).includes('k9-of-the-shop'), false);
  const mini = DumpRead.parse(await readDump(memoryBytes(smallMinidump()), options));
  assert.deepEqual(mini.threads[0]?.frames.map((one) => [one.function ?? one.offset, one.how]), [['ShopTotal', 'context'], ['0x250', 'rules'], ['0x260', 'rules']]);
  assert.deepEqual([mini.death?.name, mini.death?.place, mini.death?.address, mini.threads[0]?.name, mini.modules[0]?.version], ['access violation', 'app.exe+0x210', '0x10', 'worker', '20.20.2.0']);
  assert.deepEqual(mini.handles, { total: 2, byType: [{ type: 'File', count: 2 }] });
});

test('20,000 damaged dumps end in an answer or a refusal in words, within the bounds', async () => {
  const kinds = [smallCore(), smallMinidump()];
  const before = process.memoryUsage().rss;
  let [read, refused, most] = [0, 0, 0];
  for (let n = 0; n < FILES; n += 1) {
    const bytes = counted(memoryBytes(damaged(kinds[n % 2] as Buffer, chance(n + 1))));
    try {
      const answer = await readDump(bytes, options);
      if (n % 50 < 2) DumpRead.parse(answer);
      read += 1;
    } catch (error) {
      assert.ok(error instanceof DiagError && error.code === 'DUMP_UNREADABLE', `file ${n}: ${error instanceof Error ? error.stack : String(error)}`);
      refused += 1;
    }
    most = Math.max(most, bytes.reads);
  }
  assert.ok(read > FILES / 4 && refused > FILES / 100, `${read} read, ${refused} refused: both must happen, else this proves nothing`);
  const growth = process.memoryUsage().rss - before;
  assert.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes more than before; most reads of one file: ${most}`);
});
