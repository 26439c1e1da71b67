// Tests the reading of logs that lie here: every format, plain and packed, gives the truth of the generator; windows, filters and rows go through all of them.
import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import { ZipArchive } from 'archiver';
import { readLogs } from '../../../src/observe/http-log/offline/read-logs.ts';
import type { ReadLogs, ReadLogsOptions } from '../../../src/observe/http-log/offline/read-logs.ts';
import { WRITERS, makeLog } from '../../support/generate-http-log.ts';
import type { ExpectedRow } from '../../support/generate-http-log.ts';
import { HEAD, row } from './support.ts';

const signal = new AbortController().signal;
let folder = '';
before(async () => { folder = await mkdtemp(join(tmpdir(), 'offline-')); });
after(() => rm(folder, { recursive: true, force: true }));
const read = (options: Omit<ReadLogsOptions, 'signal'>): Promise<ReadLogs> => readLogs({ ...options, signal });

async function put(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function zipped(name: string, members: readonly (readonly [string, Uint8Array])[]): Promise<string> {
  const path = join(folder, name);
  const zip = new ZipArchive({ zlib: { level: 1 } });
  for (const [member, content] of members) zip.append(Buffer.from(content), { name: member });
  const done = pipeline(zip, createWriteStream(path));
  await zip.finalize();
  await done;
  return path;
}

describe('every format', () => {
  for (const [i, writer] of WRITERS.entries()) {
    test(`${writer.name}: figures and rows are the generator's truth, plain and packed`, async () => {
      const { bytes, truth, rows } = makeLog(writer, { rows: 5_000, seed: 20 + i, damagedEvery: 500 });
      const plain = await put(`${i}.log`, bytes);
      const packed = await put(`${i}.log.gz`, gzipSync(bytes, { level: 1 }));
      const failed = (all: readonly ExpectedRow[]): string[] => all.filter((one) => one.status >= 500).map((one) => `${one.at} ${one.offset}`);
      // Newest first; of equal instants the later in the file.
      const order = (a: ExpectedRow, b: ExpectedRow): number => b.at - a.at || b.offset - a.offset;
      for (const path of [plain, packed]) {
        const { report, rows: found } = await read({ paths: [path], filter: 'failed', everything: true, rows: 5_000 });
        assert.deepEqual(found.map((one) => `${one.at} ${one.offset}`), failed([...rows].sort(order)), path);
        assert.equal(report.rows, failed(rows).length);
        const all = (await read({ paths: [path] })).report;
        assert.deepEqual(all.byStatus, Object.fromEntries(truth.byStatus));
        assert.deepEqual([all.lines, all.rows, all.leftOut, all.malformed, all.bytes], [truth.lines, truth.rows - truth.leftOut, truth.leftOut, truth.malformed, bytes.length]);
      }
      const times = rows.map((one) => one.at).sort((a, b) => a - b);
      const [from = 0, to = 0] = [times[1_500], times[3_500]];
      for (const path of [plain, packed]) {
        const window = (await read({ paths: [path], from, to, everything: true })).report;
        assert.equal(window.rows, times.filter((at) => at >= from && at <= to).length, path);
      }
    });
  }
});

test('a folder is read with all it holds, members of a zip too, and what is no log is named', async () => {
  const { bytes, truth } = makeLog(WRITERS[0] ?? assert.fail(), { rows: 3_000, seed: 3 });
  const top = join(folder, 'many');
  await mkdir(join(top, 'deep', 'deeper'), { recursive: true });
  await writeFile(join(top, 'deep', 'deeper', 'a.log'), bytes);
  await writeFile(join(top, '.hidden.log'), bytes);
  await writeFile(join(top, 'readme.md'), '# Not a log\n');
  await writeFile(join(top, 'torn.gz'), gzipSync(bytes).subarray(0, 20_000));
  await symlink(join(top, 'nowhere'), join(top, 'link.log'));
  const zip = await zipped('logs.zip', [['x/one.log', bytes], ['x/two.log.gz', gzipSync(bytes)], ['notes.txt', Buffer.from('hello\n')]]);
  const { report, rows, more } = await read({ paths: [top, zip, top], rows: 10, filter: 'status:200' });
  const want = truth.byStatus.get('200.0.0') ?? 0;
  const by = new Map(report.sources.map((one) => [one.source.slice(folder.length + 1), one]));
  assert.deepEqual([...by.keys()].sort(), ['logs.zip/notes.txt', 'logs.zip/x/one.log', 'logs.zip/x/two.log.gz', 'many/deep/deeper/a.log', 'many/readme.md', 'many/torn.gz']);
  assert.match(by.get('many/torn.gz')?.note ?? '', /^Read up to/);
  assert.match(by.get('many/readme.md')?.note ?? '', /no format that is known here reads it/);
  const torn = (await read({ paths: [join(top, 'torn.gz')], filter: 'status:200' })).report.rows;
  assert.ok(torn > 100 && torn < want);
  assert.equal(report.byStatus['200.0.0'], want * 3 + torn);
  assert.equal(rows.length, 10);
  assert.equal(more, true);
});

test('each log counts once, however many names and links lead to it; what cannot be looked at is told and ends nothing else', async () => {
  const top = join(folder, 'linked');
  await mkdir(join(top, 'sub'), { recursive: true });
  await writeFile(join(top, 'sub', 'a.log'), `${HEAD}\n${row({ at: Date.UTC(2026, 10, 21) })}\n`);
  await symlink('.', join(top, 'sub', 'again'));
  await symlink('../sub', join(top, 'sub', 'sideways'));
  await symlink('sub/a.log', join(top, 'zz.log'));
  await symlink('itself', join(top, 'itself'));
  const { report } = await read({ paths: [top, join(top, 'sub', 'a.log'), join(top, 'sub', '..', 'zz.log')] });
  assert.equal(report.rows, 1);
  assert.deepEqual(report.sources.map(({ source, note }) => [source.slice(top.length + 1), note?.slice(0, 5)]), [['sub/a.log', undefined], ['itself', 'ELOOP']]);
});

test('JSON that is one array is read from its beginning, with rows and window', async () => {
  const records = Array.from({ length: 5_000 }, (_, i) => ({ time: new Date(Date.UTC(2026, 10, 21) + i * 1_000).toISOString(), method: 'GET', path: `/p/${i}`, status: i % 50 === 0 ? 503 : 200, duration_ms: 5, client_ip: '10.0.0.1', user_agent: 'curl/8' }));
  const path = await put('array.json', JSON.stringify(records, null, 1));
  const { report, rows } = await read({ paths: [path], filter: 'failed', rows: 3, from: Date.UTC(2026, 10, 21, 0, 30) });
  assert.equal(report.rows, 64);
  assert.deepEqual(rows.map((one) => one.path), ['/p/4950', '/p/4900', '/p/4850']);
});

test('one word on the format holds for all; a wrong word, an unknown filter, an empty folder are refused', async () => {
  const path = await put('odd.log', '10.0.0.1 [21/Nov/2026:09:00:00 +0000] "GET /a HTTP/1.1" 502 0.250\n10.0.0.1 [21/Nov/2026:09:00:01 +0000] "GET /b HTTP/1.1" 200 0.001\n');
  const { report } = await read({ paths: [path], format: 'nginx:$remote_addr [$time_local] "$request" $status $request_time' });
  assert.deepEqual([report.byStatus, report.total.max], [{ '200': 1, '502': 1 }, 250]);
  await mkdir(join(folder, 'empty'));
  const refusals: readonly (readonly [Omit<ReadLogsOptions, 'signal'>, string])[] = [
    [{ paths: [path], format: 'nosuch' }, 'LOG_FORMAT_BAD'], [{ paths: [path], filter: 'a:b' }, 'HTTP_FILTER_BAD'], [{ paths: [join(folder, 'empty')] }, 'NO_HTTP_LOG'], [{ paths: [join(folder, 'gone')] }, 'NOT_FOUND'], [{ paths: [await put('empty.log', '')] }, 'NO_HTTP_LOG'],
  ];
  for (const [options, code] of refusals) await assert.rejects(read(options), { code }, code);
  await assert.rejects(readLogs({ paths: [path], signal: AbortSignal.abort() }), { name: 'AbortError' });
});

test('a window that holds nothing of a log reads nothing of it and says so', async () => {
  const path = await put('old.log', `${HEAD}\n${Array.from({ length: 20_000 }, (_, i) => row({ at: Date.UTC(2026, 10, 1) + i * 1_000 })).join('\n')}\n`);
  const { report, rows } = await read({ paths: [path], from: Date.UTC(2026, 10, 20), rows: 5 });
  assert.deepEqual([report.rows, report.bytes, report.sources.length, rows.length], [0, 0, 1, 0]);
});
