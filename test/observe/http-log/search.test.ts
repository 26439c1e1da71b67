// Tests the search for rows: the same rows as a naive filter over everything, in order, page by page; and how little is read for them.
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseHttpFilter } from '../../../src/shared/http-filter.ts';
import { INDEX_BOUNDS } from '../../../src/observe/http-log/index/kept.ts';
import type { IndexShelf } from '../../../src/observe/http-log/index/kept.ts';
import { plainFile } from '../../../src/observe/http-log/plain-file.ts';
import { cursorOf, placeOf, searchRows } from '../../../src/observe/http-log/search.ts';
import type { FoundRows } from '../../../src/observe/http-log/search.ts';
import { iisW3c } from '../../../src/observe/http-log/w3c.ts';
import { openShelf } from '../../../src/store/shelf.ts';
import { HEAD, makeLog, readNaively, row, seeded } from './support.ts';
import type { NaiveRow } from './support.ts';

const FROM = Date.UTC(2026, 10, 21, 0, 0, 0);
const HOUR = 3_600_000;
const never = new AbortController().signal;

interface One extends NaiveRow { file: string }
type Ask = { from?: number; to?: number; filter?: string; limit?: number; after?: string; all?: boolean };

class Logs {
  folder = '';
  shelf: IndexShelf | undefined;
  failures: unknown[] = [];
  async open(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'http-search-'));
    this.shelf = { ...openShelf(join(this.folder, 'index'), INDEX_BOUNDS, () => FROM), unkept: (error) => { this.failures.push(error); } };
  }
  async ask({ from = 0, to = Number.MAX_SAFE_INTEGER, filter = '', limit = 100, after, all }: Ask, names?: readonly string[]): Promise<FoundRows> {
    const files = (names ?? (await readdir(this.folder)).filter((name) => name.endsWith('.log'))).map((name) =>
      plainFile({ path: join(this.folder, name), source: name, format: iisW3c, whole: false, ...(this.shelf === undefined ? {} : { shelf: this.shelf }) }));
    return searchRows(files, { from, to, filter: parseHttpFilter(filter), limit, ...(after === undefined ? {} : { after: placeOf(after) }), ...(all === undefined ? {} : { all }) }, never);
  }
}

const names = (rows: readonly { source?: string; file?: string; offset: number }[]): string[] => rows.map((one) => `${one.source ?? one.file}:${one.offset}`);

describe('rows of several files', () => {
  const logs = new Logs();
  // 1 and 14 MiB, overlapping in time by an hour.
  const texts = { 'a.log': makeLog({ seed: 1, rows: 7_200, from: FROM, stepMs: 1_000 }), 'b.log': makeLog({ seed: 2, rows: 64_800, from: FROM + HOUR, stepMs: 1_000 }), 'c.log': '' };
  const all: One[] = Object.entries(texts).flatMap(([file, text]) => readNaively(text).rows.map((one) => ({ ...one, file })));
  const order = (a: One, b: One): number => b.at - a.at || (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || b.offset - a.offset;
  const truth = (from: number, to: number, keep: (one: One) => boolean = () => true): One[] => all.filter((one) => one.at >= from && one.at <= to && !one.site.startsWith('~1') && keep(one)).sort(order);
  before(async () => {
    await logs.open();
    for (const [name, text] of Object.entries(texts)) await writeFile(join(logs.folder, name), text);
  });
  after(() => rm(logs.folder, { recursive: true, force: true }));

  const filters: readonly (readonly [string, (one: One) => boolean])[] = [
    ['', () => true], ['failed', (one) => one.status >= 500], ['-failed', (one) => one.status < 500], ['status:502.3.12030 route:"POST /api/orders/{id}"', (one) => one.key === '502.3.12030' && one.method === 'POST' && one.path.startsWith('/api')],
    ['failed client:10.0.1.7', (one) => one.status >= 500 && one.client === '10.0.1.7'], ['taken>50000', (one) => (one.taken ?? -1) > 50_000], ['status:503 route:/nowhere', () => false], ['path:/api/orders/77', (one) => one.path === '/api/orders/77'],
  ];

  for (const warm of [false, true]) {
    test(`equal a naive filter ${warm ? 'with' : 'while making'} the index`, async () => {
      for (const [from, to] of [[FROM - HOUR, FROM + 40 * HOUR], [FROM + 5 * HOUR, FROM + 6 * HOUR], [FROM + HOUR + 500, FROM + HOUR + 600_000], [FROM + 30 * HOUR, FROM + 40 * HOUR]] as const) {
        for (const [filter, keep] of filters) {
          const found = await logs.ask({ from, to, filter, limit: 60 });
          const want = truth(from, to, keep);
          assert.deepEqual(names(found.rows), names(want.slice(0, 60)), `${filter} in ${(from - FROM) / HOUR} h to ${(to - FROM) / HOUR} h`);
          assert.equal(found.more, want.length > 60, filter);
        }
      }
    });
  }

  test('pages follow each other without a gap or a row twice', async () => {
    const want = truth(FROM, FROM + 3 * HOUR, (one) => one.status >= 500);
    const got: string[] = [];
    let cursor: string | undefined;
    for (let more = true; more;) {
      const page = await logs.ask({ from: FROM, to: FROM + 3 * HOUR, filter: 'failed', limit: 37, ...(cursor === undefined ? {} : { after: cursor }) });
      got.push(...names(page.rows));
      more = page.more;
      const last = page.rows.at(-1);
      if (last !== undefined) cursor = cursorOf(last);
    }
    assert.deepEqual(got, names(want));
  });

  test('rows of the SCM site come only when they are asked for', async () => {
    const found = await logs.ask({ from: FROM, to: FROM + HOUR / 6, all: true, limit: 10_000 });
    assert.deepEqual(names(found.rows), names(all.filter((one) => one.at <= FROM + HOUR / 6).sort(order)));
  });

  test('a cursor that is not one of ours is refused', () => {
    for (const bad of ['', 'x', '1_2', '1_2_', '-1_2_s', `1_2_${'s'.repeat(300)}`, '1_2_a\nb']) assert.throws(() => placeOf(bad), { code: 'CURSOR_BAD' });
    assert.deepEqual(placeOf(cursorOf({ at: 12.5, source: 'a_b', offset: 9 })), { at: 12.5, source: 'a_b', offset: 9 });
  });

  test('an abort ends the search', async () => {
    const file = plainFile({ path: join(logs.folder, 'b.log'), source: 'b', format: iisW3c, whole: false });
    await assert.rejects(searchRows([file], { from: 0, to: Infinity, filter: parseHttpFilter('zzz'), limit: 5 }, AbortSignal.abort()), { name: 'AbortError' });
  });
});

describe('how much is read', () => {
  const logs = new Logs();
  // 40 MiB; 502.3 happens in one place only.
  const rows = 190_000;
  const rare = 120_000;
  let size = 0;
  before(async () => {
    await logs.open();
    const next = seeded(4);
    const lines = [HEAD];
    for (let i = 0; i < rows; i += 1) {
      const bad = i >= rare && i < rare + 5;
      lines.push(row({ at: FROM + i * 400, path: `/api/orders/${Math.floor(next() * 9_999)}`, client: `10.0.0.${Math.floor(next() * 99)}`, agent: 'Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+AppleWebKit/537.36+Chrome/125', status: bad ? 502 : next() < 0.01 ? 503 : 200, sub: bad ? 3 : 0, win32: bad ? 12_030 : 0, taken: i % 1_000 }));
    }
    await writeFile(join(logs.folder, 'x.log'), `${lines.join('\r\n')}\r\n`);
    size = (await stat(join(logs.folder, 'x.log'))).size;
  });
  after(() => rm(logs.folder, { recursive: true, force: true }));

  test('the newest rows of a window are found without an index by reading little around them', async () => {
    const found = await logs.ask({ from: FROM + 5 * HOUR, to: FROM + 6 * HOUR, limit: 50 });
    assert.equal(found.rows.length, 50);
    assert.ok(found.readBytes < 5 * 2 ** 20, `${found.readBytes} of ${size}`);
    assert.equal((await logs.ask({ from: FROM + 90 * HOUR, to: FROM + 91 * HOUR })).readBytes < 100_000, true);
  });

  test('rows that are rare cost the whole file once, and one block after that', async () => {
    const ask = { filter: 'status:502.3 route:"GET /api/orders/{id}"', limit: 50 };
    const cold = await logs.ask(ask);
    assert.equal(cold.rows.length, 5);
    assert.ok(cold.readBytes > size * 0.9 && cold.readBytes < size * 1.2, `${cold.readBytes} of ${size}`);
    const warm = await logs.ask(ask);
    assert.deepEqual(warm.rows, cold.rows);
    assert.ok(warm.readBytes < 3.5 * 2 ** 20, `${warm.readBytes} of ${size}`);
    const none = await logs.ask({ filter: 'status:503 route:"PUT /api/orders/{id}"' });
    assert.equal(none.rows.length, 0);
    assert.ok(none.readBytes < 2 * 2 ** 20, `${none.readBytes}: only the last block, which is not whole, is not known`);
    assert.ok((await logs.ask({ filter: 'taken>5000' })).readBytes < 2 * 2 ** 20);
    assert.ok((await logs.ask({ filter: 'failed client:10.9.9.9' })).readBytes < 8 * 2 ** 20);
    assert.deepEqual(logs.failures, []);
  });

  test('the index serves a log that has grown, and is made anew for another file under its name', async () => {
    const path = join(logs.folder, 'x.log');
    const ask = { filter: 'status:502.3', limit: 50 };
    await appendFile(path, `${row({ at: FROM + rows * 400, status: 502, sub: 3, win32: 64 })}\r\n`);
    const grown = await logs.ask(ask);
    assert.equal(grown.rows.length, 6);
    assert.equal(grown.rows[0]?.win32, 64);
    assert.ok(grown.readBytes < 4 * 2 ** 20, `${grown.readBytes}`);
    await truncate(path, 5 * 2 ** 20);
    assert.equal((await logs.ask(ask)).rows.length, 0);
    await rm(path);
    await writeFile(path, makeLog({ seed: 9, rows: 30_000, from: FROM, damaged: false }));
    const other = await logs.ask(ask, ['x.log']);
    assert.equal(other.more, true);
  });
});

test('columns that change anywhere in the file are obeyed, cold and with the index', async () => {
  const logs = new Logs();
  await logs.open();
  try {
    const next = seeded(8);
    const orders = [['date', 'time', 'sc-status', 'cs-uri-stem', 'time-taken'], ['sc-status', 'date', 'time', 'cs-uri-stem', 'time-taken', 'cs-method'], ['time', 'time-taken', 'date', 'sc-status', 'cs-uri-stem']];
    const lines: string[] = [];
    const want: string[] = [];
    let bytes = 0;
    const put = (line: string): void => { lines.push(line); bytes += line.length + 1; };
    let order: string[] = [];
    for (let i = 0; i < 60_000; i += 1) {
      if (i % 20_000 === 0) { order = orders[i / 20_000] ?? []; put(`#Date: 2026-11-21 00:00:0${i / 20_000}`); put(`#Fields: ${order.join(' ')}`); }
      const [date, time] = new Date(FROM + i * 1_000 - Math.floor(next() * 200) * 1_000).toISOString().slice(0, 19).split('T');
      const status = i % 997 === 0 ? 502 : 200;
      if (status === 502) want.push(`x.log:${bytes}`);
      const cells: Record<string, string> = { 'date': date ?? '', 'time': time ?? '', 'sc-status': `${status}`, 'cs-uri-stem': `/page/of/some/length/to/fill/blocks/${'x'.repeat(30)}`, 'time-taken': `${i}`, 'cs-method': 'GET' };
      put(order.map((name) => cells[name]).join(' '));
    }
    await writeFile(join(logs.folder, 'x.log'), `${lines.join('\n')}\n`);
    for (const pass of ['cold', 'kept']) {
      const found = await logs.ask({ filter: 'status:502', limit: 1_000 });
      assert.deepEqual(names(found.rows).sort(), [...want].sort(), pass);
    }
    const hour = await logs.ask({ from: FROM + 8 * HOUR, to: FROM + 9 * HOUR, limit: 10_000 });
    assert.equal(hour.rows.every((one) => (one.takenMs ?? -1) >= 28_800 && (one.takenMs ?? -1) <= 32_400 + 200), true);
    assert.ok(hour.rows.length > 3_300, `${hour.rows.length}`);
  } finally {
    await rm(logs.folder, { recursive: true, force: true });
  }
});

test('lines longer than a block, and an unterminated last line, are read once and whole', async () => {
  const logs = new Logs();
  await logs.open();
  try {
    const long = (n: number): string => row({ at: FROM + n * 1_000, path: `/${'y'.repeat(1_300_000)}${n}`, status: 502 });
    const text = `${HEAD}\n${Array.from({ length: 5 }, (_, n) => `${row({ at: FROM + n * 1_000, status: 500 })}\n${long(n)}\n`).join('')}`;
    await writeFile(join(logs.folder, 'x.log'), `${text}${row({ at: FROM + 9_000, status: 501 })}`);
    for (const pass of ['cold', 'kept']) assert.deepEqual((await logs.ask({ filter: 'failed' })).rows.map((one) => one.status), [502, 500, 502, 500, 502, 500, 502, 500, 502, 500], pass);
    const whole = plainFile({ path: join(logs.folder, 'x.log'), source: 'x', format: iisW3c, whole: true });
    assert.equal((await searchRows([whole], { from: 0, to: Infinity, filter: parseHttpFilter('failed'), limit: 1 }, never)).rows[0]?.status, 501);
  } finally {
    await rm(logs.folder, { recursive: true, force: true });
  }
});
