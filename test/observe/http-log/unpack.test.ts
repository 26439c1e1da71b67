// Tests the way from files to the bytes of logs: plain, gzip, zip members, torn ones, and bombs.
import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import { ZipArchive } from 'archiver';
import { DiagError } from '../../../src/shared/errors.ts';
import { UNPACK_LIMITS, sourcesOf } from '../../../src/observe/http-log/unpack.ts';
import type { UnpackLimits } from '../../../src/observe/http-log/unpack.ts';
import { WRITERS, makeLog } from '../../support/generate-http-log.ts';

const log = makeLog(WRITERS[0] ?? assert.fail(), { rows: 6_000, seed: 9 }).bytes;
const signal = new AbortController().signal;
let folder = '';
before(async () => { folder = await mkdtemp(join(tmpdir(), 'unpack-')); });
after(async () => { await rm(folder, { recursive: true }); });

interface Read { readonly name: string; readonly packing: string; readonly refused: string | undefined; readonly cut: string | undefined; readonly text: Buffer; readonly textBytes: number | undefined; readonly path: string | undefined }

async function readAll(path: string, limits: UnpackLimits = UNPACK_LIMITS): Promise<Read[]> {
  const found: Read[] = [];
  for await (const source of sourcesOf(path, signal, limits)) {
    const pieces: Buffer[] = [];
    for await (const piece of source.read(signal)) pieces.push(Buffer.from(piece));
    found.push({ name: source.name, packing: source.packing, refused: source.refused, cut: source.cut, text: Buffer.concat(pieces), textBytes: source.textBytes, path: source.path });
  }
  return found;
}

async function put(name: string, content: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function zipped(name: string, members: readonly (readonly [string, Uint8Array])[]): Promise<string> {
  const path = join(folder, name);
  const zip = new ZipArchive({ zlib: { level: 6 } });
  for (const [member, content] of members) zip.append(Buffer.from(content), { name: member });
  const done = pipeline(zip, createWriteStream(path));
  await zip.finalize();
  await done;
  return path;
}

test('a plain file is read as it is, from any place', async () => {
  const path = await put('plain.log', log);
  const [one, ...more] = await readAll(path);
  assert.deepEqual([one?.packing, one?.name, one?.textBytes, one?.path, one?.cut, more.length], ['plain', 'plain.log', log.length, path, undefined, 0]);
  assert.ok(one?.text.equals(log));
});

test('gzip is known by its bytes, not its name; several members are one text, and only plain files offer a path', async () => {
  const half = log.indexOf('\n', log.length / 2) + 1;
  for (const content of [gzipSync(log), Buffer.concat([gzipSync(log.subarray(0, half)), gzipSync(Buffer.alloc(0)), gzipSync(log.subarray(half))])]) {
    const [one] = await readAll(await put('really-gzip.log', content));
    assert.deepEqual([one?.packing, one?.cut, one?.path, one?.textBytes], ['gzip', undefined, undefined, undefined]);
    assert.ok(one?.text.equals(log));
  }
});

test('a torn gzip gives all that came before the tear, and says so, wherever it is torn', async () => {
  const whole = gzipSync(log, { level: 1 });
  for (const share of [0.001, 0.3, 0.9, 0.9999]) {
    const [one] = await readAll(await put('torn.gz', whole.subarray(0, Math.floor(whole.length * share))));
    assert.ok(one !== undefined && log.subarray(0, one.text.length).equals(one.text));
    assert.ok(one.text.length >= log.length * share * 0.85 - 20_000, `${one.text.length} of ${log.length} at ${share}`);
    assert.match(one.cut ?? '', /^Read up to .*: it ends in the middle of the compressed text\.$/);
  }
});

test('a damaged gzip gives what came before the damage, and says so', async () => {
  const bytes = Buffer.concat([gzipSync(log), gzipSync(log)]);
  bytes.fill(0xAA, Math.floor(bytes.length * 0.75), Math.floor(bytes.length * 0.75) + 4_000);
  const [one] = await readAll(await put('damaged.gz', bytes));
  assert.ok(one !== undefined && one.text.length >= log.length && one.text.subarray(0, log.length).equals(log), 'the first member is whole');
  assert.match(one.cut ?? '', /its compressed text is damaged/);
});

test('members of a zip are read in its order, also gzip ones; folders are none', async () => {
  const path = await zipped('logs.zip', [['W3SVC1/b.log', log], ['W3SVC1/a.log.gz', gzipSync(log)], ['empty.log', Buffer.alloc(0)], ['inner.zip', Buffer.from('PK\x03\x04 and more')]]);
  const found = await readAll(path);
  assert.deepEqual(found.map((one) => [one.name, one.packing, one.text.length, one.cut, one.refused]), [
    ['logs.zip/W3SVC1/b.log', 'zip', log.length, undefined, undefined], ['logs.zip/W3SVC1/a.log.gz', 'zip', log.length, undefined, undefined], ['logs.zip/empty.log', 'zip', 0, undefined, undefined],
    ['logs.zip/inner.zip', 'zip', 0, undefined, 'It is a zip inside a zip: unpack the outer one.'],
  ]);
  assert.ok(found[0]?.text.equals(log) && found[1]?.text.equals(log));
});

test('a source can be read twice, as detection and reading do', async () => {
  for (const path of [await put('twice.gz', gzipSync(log)), await zipped('twice.zip', [['a.log', log]])]) {
    for await (const source of sourcesOf(path, signal)) {
      for await (const piece of source.read(signal)) { assert.ok(piece.length > 0); break; }
      let size = 0;
      for await (const piece of source.read(signal)) size += piece.length;
      assert.deepEqual([size, source.cut], [log.length, undefined]);
    }
  }
});

test('bombs are stopped by ratio and by size, and what was read is said', async () => {
  const bomb = Buffer.alloc(8 * 1024 * 1024, 'x');
  const limits: UnpackLimits = { textBytes: 6 * 1024 * 1024, ratio: 400, freeBytes: 1024 * 1024, members: 3, archiveFreeBytes: 64 * 1024 * 1024 };
  for (const path of [await put('bomb.gz', gzipSync(bomb)), await zipped('bomb.zip', [['bomb.log', bomb]])]) {
    const [one] = await readAll(path, limits);
    assert.ok(one !== undefined && one.text.length <= 4.5 * 1024 * 1024, String(one?.text.length));
    assert.match(one.cut ?? '', /more than 400 times as long as the file \(.*\), which no log is/);
    const [large] = await readAll(path, { ...limits, ratio: 10_000 });
    assert.match(large?.cut ?? '', /its text is longer than 6 MiB/);
  }
  await assert.rejects(readAll(await zipped('many.zip', [['1', log], ['2', log], ['3', log], ['4', log]]), limits), (error: unknown) => error instanceof DiagError && error.code === 'LOG_UNREADABLE' && /4 members, more than 3/.test(error.message));
});

test('members that are each within the bounds are bounded together', async () => {
  const path = await zipped('together.zip', ['a', 'b', 'c'].map((name) => [name, Buffer.alloc(900_000, 'x')] as [string, Buffer]));
  const read = await readAll(path, { textBytes: 2 ** 30, ratio: 100, freeBytes: 1_000_000, members: 3, archiveFreeBytes: 1_500_000 });
  assert.equal(read[0]?.cut, undefined);
  assert.match(read[1]?.cut ?? '', /all members together are more than 100 times as long as the zip/);
  assert.ok(read.reduce((sum, one) => sum + one.text.length, 0) <= 1_500_000);
});

test('a zip whose entry lies about its size, and one that is torn, end with words', async () => {
  const path = await zipped('lie.zip', [['a.log', log]]);
  const bytes = await readFile(path);
  const central = bytes.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'));
  const lie = Buffer.from(bytes);
  lie.writeUInt32LE(1_000, central + 24);
  const [one] = await readAll(await put('lies.zip', lie));
  assert.match(one?.cut ?? '', /too many bytes/);
  await assert.rejects(readAll(await put('torn.zip', bytes.subarray(0, bytes.length - 60))), (error: unknown) => error instanceof DiagError && error.code === 'LOG_UNREADABLE');
  const hurt = Buffer.from(bytes);
  hurt.fill(0xAA, 2_000, 4_000);
  const [damaged] = await readAll(await put('hurt.zip', hurt));
  assert.ok(damaged?.cut !== undefined, 'the damage is said');
});

test('a file that is not there is the file system\'s error, and an abort ends the reading', async () => {
  await assert.rejects(readAll(join(folder, 'gone.log')), { code: 'ENOENT' });
  const stop = new AbortController();
  const path = await put('abort.gz', gzipSync(log));
  for await (const source of sourcesOf(path, signal)) {
    await assert.rejects(async () => { for await (const piece of source.read(stop.signal)) { assert.ok(piece.length > 0); stop.abort(); } }, { name: 'AbortError' });
  }
});
