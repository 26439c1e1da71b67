// Owns the tests of how an HTTP report is said, and of the heat map's cells: every number in its sentence, nothing claimed that is not known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gridOf, hourBefore, idOf, linesOf, newIds } from '../../src/shared/http-heat.ts';
import { headline } from '../../src/shared/http-view.ts';
import { burstWords, countWords, distinctWords, keyWord, limitWhat, limitWords, othersWords, readWords, SHADES, shadeOf, sharesWords, shareWord, shortCount, sourceWords, type Burst } from '../../src/shared/http-words.ts';
import { httpReport, noHttpLog } from '../support/stage-http.ts';

const HOUR = 3_600_000;
const T = Date.UTC(2026, 10, 21, 2, 18, 42);
const report = httpReport({ from: T - HOUR, to: T, bad: true, many: false });

test('a status key is read as people write it; zeros and absent parts say nothing', () => {
  const table: [string, string][] = [['502.3.12030', '502.3 · 12030'], ['200.0.0', '200'], ['404.0.2', '404 · 2'], ['500.121.0', '500.121'], ['503', '503'], ['500.19', '500.19']];
  assert.deepEqual(table.map(([key]) => keyWord(key)), table.map(([, word]) => word));
});

test('what was read is one line: rows, lines, and each thing that was not counted as a row', () => {
  const some = { ...report, rows: 900, lines: 1_130, bytes: 4_096, malformed: 3, leftOut: 210, outside: 0, filteredOut: 1 };
  assert.equal(readWords(some), '900 requests from 1,130 lines (4 KiB) of 1 log; 3 malformed lines, 210 rows of the SCM site and of this tool left out, 1 row left out by the filter.');
  assert.equal(readWords({ ...some, malformed: 0, leftOut: 0, filteredOut: 0 }), '900 requests from 1,130 lines (4 KiB) of 1 log.');
  const [source] = some.sources;
  assert.ok(source);
  assert.equal(readWords({ ...some, malformed: 0, leftOut: 0, filteredOut: 0, sources: [source, { ...source, format: 'unknown', lines: 0, rows: 0 }] }), '900 requests from 1,130 lines (4 KiB) of 1 log; 1 file in no format that is known.');
});

test('a log that was read in full as what it is has no note; else its places, its doubt and its reason', () => {
  const one = { source: 'a.log', format: 'IIS W3C', confidence: 1, bytes: 1, lines: 1, rows: 1, comments: 0, malformed: 0, malformedAt: [] };
  assert.equal(sourceWords(one), undefined);
  assert.equal(sourceWords({ ...one, malformed: 5, malformedAt: [1_024, 9_120] }), '5 malformed lines, the first at byte 1,024, 9,120.');
  assert.equal(sourceWords({ ...one, malformed: 1, malformedAt: [7], confidence: 0.9, note: 'The end is cut' }), 'The end is cut; 1 malformed line, at byte 7; read as IIS W3C, 90 % sure.');
  assert.equal(sourceWords({ ...one, confidence: 0, format: 'unknown', note: 'It is encrypted.' }), 'It is encrypted.', 'what was not read was read as nothing');
});

test('a share is never rounded to nothing, and absent where there is nothing to share', () => {
  assert.deepEqual([shareWord(51, 900), shareWord(0, 900), shareWord(1, 1_000_000), shareWord(3, 0), shareWord(9, 9)], ['5.7 %', '0 %', 'under 0.1 %', undefined, '100 %']);
});

const burst: Burst = { from: 1_000, to: 4_000, failures: 14, rows: 16, key: '502.3.12030', shares: [
  { dimension: 'status', value: '502.3.12030', share: 0.86, ofAll: 0.7 }, { dimension: 'host', value: 'shop', share: 1, ofAll: 1 }, { dimension: 'route', value: 'POST /cart/apply', share: 0.64, ofAll: 0.12 }, { dimension: 'instance', value: '4a1f9c', share: 1, ofAll: 0.5 }] };
test('a burst is said with what its failures share and the other requests of that time do not', () => {
  assert.equal(burstWords(burst), '14 of 16 requests failed within 3 s, most as 502.3 · 12030');
  assert.equal(sharesWords(burst), '64 % asked for POST /cart/apply (of all requests then 12 %); 100 % ran on 4a1f9c (of all requests then 50 %).');
  assert.equal(sharesWords({ ...burst, shares: [burst.shares[1] as Burst['shares'][number]] }), 'They share nothing that the other requests of that time do not.');
  assert.match(sharesWords({ ...burst, sampled: { failures: 10, rows: 12 } }), /Told from a sample of 10 failures and 12 of all requests\.$/);
  assert.equal(burstWords({ ...burst, failures: 1, rows: 1, to: 1_000, shares: [{ dimension: 'status', value: burst.key, share: 1, ofAll: 1 }] }), 'The only request failed within 1 s, as 502.3 · 12030');
});

test('requests at a time limit: how many, whose limit, how many failed, where', () => {
  const limit = { limitMs: 230_000, says: 'the front end gives up', count: 12, failures: 12, from: 0, to: 1, routes: [{ method: 'GET', route: '/export/{id}', count: 11 }, { method: 'GET', route: '/search', count: 1 }] };
  assert.equal(limitWhat(limit), '12 requests took about 230 s');
  assert.equal(limitWords(limit), 'the front end gives up. All of them failed. Most of them: GET /export/{id} (11), GET /search (1).');
  assert.equal(limitWords({ ...limit, count: 60, failures: 4 }), 'the front end gives up. 4 failed. On many routes, the most frequent: GET /export/{id} (11), GET /search (1).');
  assert.equal(limitWords({ ...limit, count: 1, failures: 0, routes: [{ method: 'GET', route: '/x', count: 1 }] }), 'the front end gives up. None failed. It was GET /x.');
});

test('an estimate says that it is one and how far off; what is not told apart is a span', () => {
  assert.equal(distinctWords({ distinct: 41 }, 'client'), '41 clients');
  assert.equal(distinctWords({ distinct: 12_400, estimated: 0.8 }, 'client'), 'about 12,400 clients (at most 0.8 % off)');
  assert.equal(countWords({ count: 1_203, maybeMore: 57 }), '1,203 to 1,260');
  assert.equal(countWords({ count: 1_203 }), '1,203');
  assert.equal(othersWords({ top: [], others: { count: 9, failures: 1 }, distinct: 0 }), '9 requests of others, 1 failed');
  assert.equal(othersWords({ top: [], others: { count: 0, failures: 0 }, distinct: 0 }), undefined);
});

test('short counts fit into a cell and are never zero for something', () => {
  assert.deepEqual([0, 7, 999, 1_000, 1_049, 9_949, 9_950, 12_345, 999_499, 999_500, 2_000_000].map(shortCount), ['0', '7', '999', '1k', '1k', '9.9k', '10k', '12k', '999k', '1M', '2M']);
});

test('one failure beside ten thousand still has a shade, and the largest has the last', () => {
  assert.deepEqual([0, 1, 10_000].map((n) => shadeOf(n, 10_000)), [0, 1, SHADES]);
  for (let n = 1; n < 200; n += 1) assert.ok(shadeOf(n, 200) <= shadeOf(n + 1, 200));
});

test('folding time into fewer columns loses no failure', () => {
  for (const most of [1, 2, 7, 24, 33, 120, 500]) {
    const grid = gridOf(report.heat, most);
    assert.ok(grid.columns <= most || grid.fold === 1, `${grid.columns} columns of at most ${most}`);
    for (const line of linesOf(report.heat, grid, undefined)) assert.equal(line.cells.reduce((n, c) => n + c.count, 0), line.row.count, `${line.id} in ${most}`);
  }
});

test('new is what the hour before did not have; what cannot be known is not claimed', () => {
  const known = report.heat.rows[0];
  assert.ok(known);
  const before = { ...report, heat: { ...report.heat, more: 0, rows: [known] } };
  assert.deepEqual(newIds(report, before), new Set(report.heat.rows.slice(1).map(idOf)));
  assert.equal(newIds(report), undefined, 'no report of the hour before');
  assert.equal(newIds(report, { ...before, rows: 0 }), undefined, 'no rows then');
  assert.equal(newIds(report, { ...before, heat: { ...before.heat, more: 1 } }), undefined, 'not all failures of then are told');
  const long = httpReport({ from: T - 24 * HOUR, to: T, bad: true, many: false });
  assert.deepEqual(newIds(long), new Set(long.heat.rows.filter((r) => r.firstAt >= T - HOUR).map(idOf)));
});

test('the hour to compare with moves in steps of ten minutes and is not asked for where the report reaches back', () => {
  assert.equal(hourBefore(T - 24 * HOUR, T), undefined);
  const one = hourBefore(T - 300_000, T);
  assert.deepEqual(one, hourBefore(T - 300_000, T + 60_000), 'a minute later it is the same');
  assert.ok(one && one.to <= T - HOUR && one.to > T - HOUR - 600_000 && one.to - one.from === HOUR);
});

test('the headline of the file holds the number', () => {
  assert.equal(headline({ ...report, failures: 51, rows: 900 }), '51 of 900 requests failed (5.7 %).');
  assert.equal(headline({ ...report, failures: 0, rows: 902 }), 'All 902 requests were answered with a status below 500.');
  assert.equal(headline(noHttpLog(0, 1)), 'No request was found.');
  assert.equal(headline({ ...noHttpLog(0, 1), malformed: 4 }), 'No request could be read: 4 lines are malformed.');
});
