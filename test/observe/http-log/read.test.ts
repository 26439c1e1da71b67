// Tests reading a window of the HTTP log from its files: the same rows as a full read, and little else read.
import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { APP_SERVICE_FIELDS } from '../../../src/observe/http-log/fields.ts';
import { httpLogNames } from '../../../src/observe/http-log/files.ts';
import { httpLog } from '../../../src/observe/http-log/read.ts';
import type { RowQuery } from '../../../src/observe/http-log/read.ts';
import { spanOf } from '../../../src/observe/http-log/seek.ts';
import { iisW3c } from '../../../src/observe/http-log/w3c.ts';
import { HEAD, makeLog, readNaively, row, seeded } from './support.ts';

const FROM = Date.UTC(2026, 10, 21, 0, 0, 0);
const HOUR = 3_600_000;
const never = new AbortController().signal;

describe('a window of the HTTP log', () => {
  let folder = '';
  // Two files, 20 hours in all, one row each second; the second file is much longer than the probes of the bisecting.
  const first = makeLog({ seed: 1, rows: 7_200, from: FROM, stepMs: 1_000 });
  const second = makeLog({ seed: 2, rows: 64_800, from: FROM + 2 * HOUR, stepMs: 1_000 });
  const rows = [...readNaively(first).rows.map((one) => ({ ...one, file: 'a1b2c3-1.log' })), ...readNaively(second).rows.map((one) => ({ ...one, file: 'a1b2c3-2.log' }))].filter((one) => !one.site.startsWith('~1'));
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'http-log-'));
    await writeFile(join(folder, 'a1b2c3-1.log'), first);
    await writeFile(join(folder, 'a1b2c3-2.log'), `${second}${row({ at: FROM + 21 * HOUR, path: '/half' })}`);
    await writeFile(join(folder, 'ffffff-1.log'), makeLog({ seed: 3, rows: 100, from: FROM }));
    await writeFile(join(folder, 'a1b2c3-notes.txt'), 'no log');
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const log = () => httpLog({ folder, instance: 'a1b2c3', now: () => FROM, sourceOf: async (name) => `id-${name}` });
  const inside = (from: number, to: number): typeof rows => rows.filter((one) => one.at >= from && one.at <= to);

  test('only this instance\'s files; all files when none carries its name', async () => {
    assert.deepEqual(await httpLogNames(folder, 'A1B2C3'), ['a1b2c3-1.log', 'a1b2c3-2.log']);
    assert.equal((await httpLogNames(folder, '999999')).length, 3);
    assert.deepEqual(await httpLogNames(join(folder, 'none'), 'a1b2c3'), []);
  });

  test('figures of windows equal a naive count, at the edges of files and beyond them', async () => {
    for (const [from, to] of [[FROM, FROM + 20 * HOUR], [FROM + 5 * HOUR, FROM + 5 * HOUR], [FROM + HOUR, FROM + HOUR + 59_000], [FROM + 2 * HOUR - 3_000, FROM + 2 * HOUR + 3_000], [FROM - HOUR, FROM - 1], [FROM + 19 * HOUR, FROM + 40 * HOUR], [FROM, FROM]] as const) {
      const report = await log().report({ from, to }, never);
      const want = inside(from, to);
      assert.equal(report.rows, want.length, `${(from - FROM) / HOUR} h to ${(to - FROM) / HOUR} h`);
      assert.equal(Object.values(report.byStatus).reduce((sum, count) => sum + count, 0), want.length);
      assert.deepEqual([...report.failed].map((one) => one.offset).slice(0, 5), want.filter((one) => one.status >= 500).reverse().map((one) => one.offset).slice(0, 5));
    }
  });

  test('a short window reads little of a long file', async () => {
    const report = await log().report({ from: FROM + 12 * HOUR, to: FROM + 12 * HOUR + 60_000 }, never);
    assert.ok(report.bytes < second.length * 0.06, `${report.bytes} of ${second.length} bytes for 11 of 1,080 minutes`);
    assert.equal((await log().report({ from: FROM + 60 * HOUR, to: FROM + 61 * HOUR }, never)).rows, 0);
  });

  test('rows come newest first, filtered, with what more there is', async () => {
    const from = FROM + HOUR, to = FROM + 10 * HOUR;
    const cases: readonly (readonly [string, (one: (typeof rows)[number]) => boolean])[] = [
      ['', () => true], ['failed', (one) => one.status >= 500], ['-failed', (one) => one.status < 500], ['status:5xx', (one) => one.status >= 500], ['status:502', (one) => one.status === 502],
      ['status:502.3', (one) => one.key.startsWith('502.3.')], ['status:502.3.12030', (one) => one.key === '502.3.12030'], ['status:502.3.1', () => false], ['status:50', () => false],
      ['route:/api/orders/{id}', (one) => one.path.startsWith('/api')], ['route:"POST /api/orders/{id}" status:503', (one) => one.path.startsWith('/api') && one.method === 'POST' && one.status === 503],
    ];
    for (const [filter, keep] of cases) {
      const query: RowQuery = { from, to, limit: 50, filter };
      const found = await log().rows(query, never);
      const report = await log().report(query, never);
      assert.equal(report.rows, inside(from, to).filter(keep).length, filter);
      const want = inside(from, to).filter(keep).reverse();
      assert.deepEqual(found.rows.map((one) => `${one.source}:${one.offset}`), want.slice(0, 50).map((one) => `id-${one.file}:${one.offset}`), filter);
      assert.equal(found.more, want.length > 50, filter);
    }
  });

  test('an unterminated last line is not a row yet', async () => {
    assert.equal((await log().rows({ from: FROM + 20 * HOUR + 60_000, to: FROM + 22 * HOUR, limit: 5 }, never)).rows.length, 0);
  });

  test('an abort ends the reading', async () => {
    await assert.rejects(log().report({ from: FROM, to: FROM + 20 * HOUR }, AbortSignal.abort()), { name: 'AbortError' });
  });
});

test('rows that are out of order by minutes are found, and columns that changed far before the window are obeyed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'http-log-'));
  try {
    const next = seeded(8);
    const other = '#Fields: sc-status date time cs-uri-stem time-taken';
    const lines = [HEAD, other];
    const want: number[] = [];
    for (let i = 0; i < 60_000; i += 1) {
      const at = FROM + i * 1_000 - Math.floor(next() * 240) * 1_000;
      const [date, time] = new Date(at).toISOString().slice(0, 19).split('T');
      lines.push(`200 ${date} ${time} /page/of/some/length ${i}`);
      if (at >= FROM + 8 * HOUR && at <= FROM + 9 * HOUR) want.push(i);
    }
    lines.push(APP_SERVICE_FIELDS, row({ at: FROM + 60_000_000 }));
    await writeFile(join(folder, 'x.log'), `${lines.join('\n')}\n`);
    const found = await httpLog({ folder, instance: 'a1b2c3', now: () => FROM, sourceOf: async (name) => name }).rows({ from: FROM + 8 * HOUR, to: FROM + 9 * HOUR, limit: 10_000 }, never);
    assert.deepEqual(found.rows.map((one) => one.takenMs ?? -1).sort((a, b) => a - b), want);
    const file = await open(join(folder, 'x.log'), 'r');
    try {
      const span = await spanOf(file, (await file.stat()).size, iisW3c, FROM + 8 * HOUR, FROM + 9 * HOUR, never);
      assert.ok(span !== undefined && span.start > 1_200_000 && span.head?.includes('sc-status date time') === true, JSON.stringify(span));
    } finally {
      await file.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
