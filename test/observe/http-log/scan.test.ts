// Tests the reading of whole logs over threads: the same report however many threads read and wherever the files are cut.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { HttpReport } from '../../../src/shared/http-report.ts';
import { plan } from '../../../src/observe/http-log/scan/plan.ts';
import { scan } from '../../../src/observe/http-log/scan/scan.ts';
import { spareThreads } from '../../../src/observe/http-log/scan/spare.ts';
import type { ScanInput, ScanOptions } from '../../../src/observe/http-log/scan/contract.ts';
import { WRITERS, writeLog, writeW3c } from '../../support/generate-http-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'diag-scan-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const never = new AbortController().signal;
const w3c = (path: string, more: Partial<ScanInput> = {}): ScanInput => ({ path, source: path.slice(folder.length + 1), format: { id: 'iis-w3c' }, ...more });
const read = async (inputs: readonly ScanInput[], more: Partial<ScanOptions> = {}): Promise<HttpReport> => (await scan({ inputs, signal: never, aloneBelowBytes: 0, ...more })).report;
const pathOf = (name: string): string => join(folder, name);
const MIB = 1024 * 1024;

test('one, two and three threads, and the caller\'s alone, give the same report, which is true', async () => {
  const path = pathOf('large.log');
  const truth = writeW3c(path, 26 * MIB, 5, { damagedEvery: 900, headEvery: 20_000 });
  const alone = await read([w3c(path)], { threads: 0 });
  HttpReport.parse(alone);
  assert.deepEqual([alone.lines, alone.rows + alone.leftOut, alone.comments, alone.malformed, alone.failures, alone.bytes], [truth.lines, truth.rows, truth.comments, truth.malformed, truth.failures, statSync(path).size]);
  assert.deepEqual(alone.byStatus, Object.fromEntries(truth.byStatus));
  for (const threads of [1, 2, 3]) assert.deepEqual(await read([w3c(path)], { threads }), alone, `${threads} threads`);
  for (const threads of [1, 2]) assert.deepEqual(await read([w3c(path)], { threads, help: true }), alone, `${threads} threads, the caller's one of them`);
});

test('a thread that was started before the logs were looked at serves the scan; one too many is still there to be ended', async () => {
  const path = pathOf('large.log');
  const spare = spareThreads(2);
  try {
    assert.deepEqual(await read([w3c(path)], { threads: 2, help: true, spare }), await read([w3c(path)], { threads: 0 }));
    const left = spare.take();
    assert.ok(left !== undefined && spare.take() === undefined);
    await left.terminate();
  } finally {
    await spare.end();
  }
});

test('columns that change long before a cut are not lost: the file is read again in one piece', async () => {
  const path = pathOf('changes.log');
  const truth = writeW3c(path, 26 * MIB, 6, { headEvery: 20_000, fieldChanges: true });
  const two = await read([w3c(path)], { threads: 2 });
  assert.deepEqual([two.malformed, two.rows + two.leftOut, two.lines], [0, truth.rows, truth.lines]);
  assert.deepEqual(two, await read([w3c(path)], { threads: 0 }));
});

test('pieces touch and begin at lines', async () => {
  const path = pathOf('large.log');
  const size = statSync(path).size;
  const input = w3c(path);
  const pieces = await plan([{ input, index: 0, from: 0, to: size }], 2, new Set(), never);
  assert.ok(pieces.length >= 3);
  assert.deepEqual(pieces.map((piece) => piece.from).slice(1), pieces.map((piece) => piece.to).slice(0, -1));
  assert.deepEqual([pieces[0]?.from, pieces.at(-1)?.to, pieces.map((piece) => piece.last).indexOf(true)], [0, size, pieces.length - 1]);
  assert.ok(pieces.slice(1).every(({ head }) => head?.includes('#Fields: date time') === true));
  assert.equal((await plan([{ input, index: 0, from: 0, to: size }], 2, new Set([0]), never)).length, 1);
});

test('files of several formats add up; one that is gone says so and ends nothing', async () => {
  const inputs: ScanInput[] = [];
  let rows = 0;
  for (const writer of WRITERS.filter(({ id }) => ['iis-w3c', 'ncsa-combined'].includes(id))) {
    const path = pathOf(`${writer.name}.log`);
    rows += writeLog(path, writer, { rows: 2_000, seed: 2 }).rows;
    inputs.push({ path, source: writer.name, format: { id: writer.id } });
  }
  inputs.push(w3c(pathOf('gone.log')));
  const report = await read(inputs, { threads: 2 });
  assert.equal(report.rows + report.leftOut, rows);
  assert.deepEqual(await read(inputs, { threads: 0 }), report);
  const gone = report.sources.at(-1);
  assert.match(gone?.note ?? '', /could not be read/);
  assert.equal(gone?.rows, 0);
});

test('window and filter choose the rows in every thread', async () => {
  const path = pathOf('large.log');
  const all = await read([w3c(path)], { threads: 0 });
  const from = all.from + 600_000, to = all.from + 1_200_000;
  const report = await read([w3c(path)], { threads: 2, from, to, filter: 'status:5xx' });
  assert.equal(report.rows, report.failures);
  assert.ok(report.rows > 0 && report.outside > 0 && report.filteredOut > 0);
  assert.equal(report.lines, report.rows + report.comments + report.malformed + report.leftOut + report.outside + report.filteredOut);
  assert.equal(report.failures, all.minutes.filter(({ at }) => at >= from && at < to).reduce((sum, { failures }) => sum + failures, 0));
  await assert.rejects(read([w3c(path)], { filter: 'status:nonsense:' }), { code: 'HTTP_FILTER_BAD' });
});

test('a scan that is given up ends at once, with its reason; progress counts every byte', async () => {
  const path = pathOf('large.log');
  let last = 0;
  await read([w3c(path)], { threads: 2, progress: (done) => { assert.ok(done >= last); last = done; } });
  assert.equal(last, statSync(path).size);
  const stop = new AbortController();
  await assert.rejects(read([w3c(path)], { threads: 2, signal: stop.signal, progress: () => stop.abort(new Error('enough')) }), /enough/);
  await assert.rejects(read([w3c(path)], { threads: 0, signal: stop.signal }), /enough/);
  const again = new AbortController();
  await assert.rejects(read([w3c(path)], { threads: 2, help: true, signal: again.signal, progress: () => again.abort(new Error('enough')) }), /enough/);
});

test('an unterminated last line is judged, or left out as not yet whole', async () => {
  const path = pathOf('half.log');
  writeFileSync(path, '#Fields: date time sc-status\n2026-11-20 12:00:00 200\n2026-11-20 12:00:01 20');
  assert.deepEqual([(await read([w3c(path)], { threads: 2 })).rows, (await read([w3c(path, { dropPartial: true })], { threads: 2 })).rows], [2, 1]);
});
