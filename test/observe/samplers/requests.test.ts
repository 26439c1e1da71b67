// Tests the sampling of requests over real, growing files: when a second is known, late rows, rotation, truncation, damaged ends.
import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { RequestsSampler } from '../../../src/observe/samplers/requests.ts';
import type { Values } from '../../../src/observe/samplers/process.ts';
import type { RequestRow } from '../../../src/shared/model.ts';
import { HEAD, row } from '../http-log/support.ts';

const START = Date.UTC(2026, 10, 21, 2, 0, 0);
const never = new AbortController().signal;

describe('sampling of requests', () => {
  let folder = '';
  let now = START;
  let rows: RequestRow[] = [];
  const samples = new Map<number, Values>();
  const history = new Map<string, Values>();
  let sampler: RequestsSampler;

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'requests-')), 'RawLogs');
    now = START;
    rows = [];
    samples.clear();
    history.clear();
    sampler = make();
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

  function make(): RequestsSampler {
    return new RequestsSampler({
      folder, instance: 'a1b2c3', startedAt: now, now: () => now, sourceOf: async (name) => `id-${name}`,
      history: { write: (stepMs, sample) => { history.set(`${stepMs} ${(sample.at - START) / 1_000}`, sample.values); } },
      onRows: (some) => { rows.push(...some.rows); }, onSample: (sample) => samples.set((sample.at - START) / 1_000, sample.values),
    });
  }
  const file = (name = 'a1b2c3-1.log'): string => join(folder, name);
  const put = (second: number, more: Partial<Parameters<typeof row>[0]> = {}): string => `${row({ at: START + second * 1_000, ...more })}\r\n`;
  async function begin(text: string, name?: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    await writeFile(file(name), `${HEAD}\r\n${text}`);
  }
  async function tick(atSecond: number): Promise<string | undefined> {
    now = START + atSecond * 1_000;
    return sampler.tick(now, never);
  }
  const requests = (second: number): number | undefined => samples.get(second)?.['http.requests'];

  test('no folder, no file, an empty file: values are absent, and the reason is said', async () => {
    assert.match(await tick(0) ?? '', /HTTP logging is off/);
    await mkdir(folder, { recursive: true });
    assert.match(await tick(3) ?? '', /HTTP logging is off/);
    assert.equal(samples.size, 0);
    await begin(put(5));
    assert.equal(await tick(6), undefined, 'switched on while we run');
    assert.deepEqual([requests(4), requests(5)], [undefined, 1]);
  });

  test('a start reads the last five minutes and not what was before', async () => {
    await begin(Array.from({ length: 4_000 }, (_, i) => put(i - 4_000)).join(''));
    assert.equal(await tick(0), undefined);
    assert.deepEqual([rows.length, rows[0]?.at, rows[0]?.source], [300, START - 300_000, 'id-a1b2c3-1.log']);
    assert.equal(history.get('60000 -300')?.['http.requests'], 60, 'whole minutes');
    assert.deepEqual([requests(-300), requests(-301), requests(-1), requests(0)], [1, undefined, 1, undefined]);
  });

  test('seconds between rows are 0; those after the newest row are not known until rows would have come', async () => {
    await begin(put(-20) + put(-10));
    await tick(0);
    assert.deepEqual([requests(-20), requests(-15), requests(-10), requests(-9), requests(0)], [1, 0, 1, undefined, undefined]);
    await tick(85);
    assert.deepEqual([requests(-9), requests(-5), requests(-4)], [0, 0, undefined], '90 s are waited for while it is not known how late rows come');
  });

  test('where rows come at once, silence is told after two seconds; where they come by the minute, after a minute', async () => {
    await begin('');
    await tick(0);
    await appendFile(file(), put(1));
    await tick(1);
    await tick(5);
    assert.deepEqual([requests(1), requests(3), requests(4)], [1, 0, undefined]);
    await appendFile(file(), put(6) + put(30) + put(60));
    await tick(61);
    assert.deepEqual([requests(6), requests(59), requests(60)], [1, 0, 1]);
    await tick(90);
    assert.deepEqual([requests(61), requests(34)], [undefined, 0], 'the oldest row of the flush was 55 s late');
    await tick(118);
    assert.deepEqual([requests(61), requests(63)], [0, undefined]);
  });

  test('late rows amend seconds that were told, in all three steps', async () => {
    await begin(put(-100));
    await tick(0);
    assert.deepEqual([requests(-95), history.get('10000 -100')?.['http.requests'], history.get('60000 -120')?.['http.5xx']], [0, 1, 0]);
    await appendFile(file(), put(-95, { status: 502, sub: 3, win32: 12030, taken: 700 }));
    await tick(1);
    assert.deepEqual([requests(-95), samples.get(-95)?.['http.5xx'], samples.get(-95)?.['http.response-max']], [1, 1, 700]);
    assert.deepEqual([history.get('10000 -100')?.['http.requests'], history.get('60000 -120')?.['http.5xx'], history.get('60000 -120')?.['http.requests']], [2, 1, 2]);
  });

  test('a row written in two halves is one row; room reserved with NUL bytes is read when it is filled', async () => {
    await begin('');
    await tick(0);
    const line = put(1, { path: '/halves' });
    await appendFile(file(), line.slice(0, 50));
    await tick(1);
    assert.equal(rows.length, 0);
    await appendFile(file(), line.slice(50));
    await tick(2);
    await writeFile(file(), Buffer.concat([Buffer.from(`${HEAD}\r\n${line}`), Buffer.alloc(400)]));
    await tick(3);
    const next = put(3, { path: '/filled' });
    await writeFile(file(), Buffer.concat([Buffer.from(`${HEAD}\r\n${line}${next}`), Buffer.alloc(400 - next.length)]));
    await tick(4);
    assert.deepEqual(rows.map((one) => one.path), ['/halves', '/filled']);
    assert.deepEqual(sampler.lost(), []);
  });

  test('rotation: a new file is read from its begin, the old one to its end; renaming tells nothing twice', async () => {
    await begin(put(-3, { path: '/a' }));
    await tick(0);
    await appendFile(file(), put(1, { path: '/b' }));
    await begin(put(2, { path: '/c' }), 'a1b2c3-2.log');
    await tick(3);
    await rename(file('a1b2c3-2.log'), file('a1b2c3-3.log'));
    await tick(6);
    await appendFile(file('a1b2c3-3.log'), put(7, { path: '/d' }));
    await tick(7);
    assert.deepEqual(rows.map((one) => one.path).sort(), ['/a', '/b', '/c', '/d']);
  });

  test('truncation, deletion and re-creation begin anew', async () => {
    await begin(put(-3, { path: '/first-and-long-enough-to-be-longer-than-what-follows' }));
    await tick(0);
    await begin(put(1, { path: '/2' }));
    await tick(1);
    await rm(file());
    await tick(2);
    await begin(put(3, { path: '/3' }));
    await tick(3);
    assert.deepEqual(rows.map((one) => one.path.slice(0, 6)), ['/first', '/2', '/3']);
  });

  test('SCM rows and our own are not requests; damaged lines are counted', async () => {
    await begin(put(-3, { site: '~1SHOP' }) + put(-3, { agent: 'app-service-diag/1' }) + put(-3) + 'damaged\r\n');
    await tick(0);
    assert.equal(rows.length, 1);
    assert.deepEqual(sampler.lost(), [{ what: 'damaged lines of the HTTP log', count: 1 }]);
  });

  test('a log that has been still for an hour says nothing any more, until it grows', async () => {
    await begin(put(-3));
    await utimes(file(), new Date(START), new Date(START));
    await tick(0);
    assert.equal(await tick(3_500), undefined);
    assert.match(await tick(3_700) ?? '', /has not grown for 61 minutes/);
    assert.equal(requests(3_650), undefined);
    await appendFile(file(), put(3_700));
    assert.equal(await tick(3_701), undefined);
    assert.equal(requests(3_700), 1);
  });

  test('files of other instances are not ours, while there are any of ours', async () => {
    await begin(put(-3, { path: '/ours' }));
    await begin(put(-3, { path: '/theirs' }), 'ffffff-1.log');
    await tick(0);
    assert.deepEqual(rows.map((one) => one.path), ['/ours']);
  });
});
