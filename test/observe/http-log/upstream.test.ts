// Owns tests of what stands behind the server: lists of tries, rows without one, whose failures they were, and threads that agree.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Columns } from '../../../src/observe/http-log/columns.ts';
import { Figures } from '../../../src/observe/http-log/figures/figures.ts';
import { formatOf } from '../../../src/observe/http-log/formats/index.ts';
import { requestRow } from '../../../src/observe/http-log/rows.ts';
import { HttpReport } from '../../../src/shared/http-report.ts';
import type { HttpSource } from '../../../src/shared/http-report.ts';
import type { RequestRow } from '../../../src/shared/model.ts';
import { upstreamWords } from '../../../src/shared/http-words.ts';

const SOURCE: HttpSource = { source: 'a.log', format: 'nginx', confidence: 1, bytes: 0, lines: 0, rows: 0, comments: 0, malformed: 0, malformedAt: [] };
const PATTERN = '$remote_addr $msec $status $request_time $upstream_response_time $upstream_status';

/** Lines into figures, and into rows as they are shown. */
function read(id: string, pattern: string | undefined, lines: readonly string[], figures = new Figures()): { figures: Figures; rows: RequestRow[]; malformed: number } {
  const rows: RequestRow[] = [];
  const sink = (columns: Columns): void => {
    figures.add(columns, 0);
    for (let row = 0; row < columns.rows; row += 1) rows.push(requestRow(columns, row, 'a.log', id));
  };
  const reader = formatOf(id, pattern).reader({ sink });
  reader.write(Buffer.from(`${lines.join('\n')}\n`));
  reader.end();
  return { figures, rows, malformed: reader.counts.malformed };
}

const line = (status: number, seconds: string, upstreamSeconds: string, upstream: string): string => `10.0.0.1 1772368215.000 ${status} ${seconds} ${upstreamSeconds} ${upstream}`;

test('the last try counts, times add up, a row without an upstream says so', () => {
  const cases: readonly (readonly [string, number | undefined, number | undefined])[] = [
    [line(200, '0.300', '0.001, 0.200', '502, 200'), 200, 201], [line(502, '0.300', '0.001 : 0.2', '504 : 502'), 502, 201], [line(502, '0.000', '-', '-'), undefined, undefined],
    [line(499, '1.000', '-, 0.500', '502, -'), undefined, 500], [line(200, '0.1', '0.100', 'x'), undefined, 100], [line(200, '0.1', '0.100', '99999'), undefined, 100],
  ];
  const { rows, malformed } = read('nginx', PATTERN, cases.map(([text]) => text));
  assert.equal(malformed, 0);
  assert.deepEqual(rows.map((row) => [row.upstreamStatus, row.upstreamMs]), cases.map(([, status, ms]) => [status, ms]));
});

test('failures are the upstream\'s, the server\'s, or without an upstream; the report keeps its shape', () => {
  const lines = [line(502, '0.3', '0.2', '502'), line(502, '0', '-', '-'), line(502, '0', '-', '-'), line(504, '60', '60', '504'), line(502, '0.1', '0.1', '200'), line(200, '0.25', '0.2', '200')];
  const report = read('nginx', PATTERN, lines).figures.report([SOURCE]);
  assert.deepEqual(report.upstream, {
    statuses: [{ status: 502, count: 2 }, { status: 200, upstream: 200, count: 1 }, { status: 502, upstream: 200, count: 1 }, { status: 502, upstream: 502, count: 1 }, { status: 504, upstream: 504, count: 1 }],
    failures: { ofUpstream: 2, ofServer: 1, withoutUpstream: 2 }, took: { p50: 200, p95: 60_000, p99: 60_000, max: 60_000 }, total: { p50: 250, p95: 60_000, p99: 60_000, max: 60_000 },
  });
  assert.deepEqual(HttpReport.parse(report).upstream, report.upstream);
  assert.deepEqual(upstreamWords(report), [
    'Of 5 failures with a word on the upstream, 2 came from the upstream or for want of it, 1 from the server although the upstream had answered, 2 from the server without asking an upstream.',
    'In the middle the upstream took 200 ms of the request\'s 250 ms; at 95 % 1 min of the request\'s 1 min; at most 1 min.',
  ]);
});

test('counted apart and merged is counted together; a kept row keeps what it said', () => {
  const lines = Array.from({ length: 3_000 }, (_, i) => line(i % 7 === 0 ? 502 : 200, `${i % 13}.5`, i % 5 === 0 ? '-' : `0.${i % 10}, 1`, i % 5 === 0 ? '-' : `502, ${i % 7 === 0 ? 502 : 200}`));
  const together = read('nginx', PATTERN, lines).figures;
  const apart = read('nginx', PATTERN, lines.slice(0, 1_000)).figures;
  apart.merge(structuredClone(read('nginx', PATTERN, lines.slice(1_000)).figures.state()));
  assert.deepEqual(apart.report([SOURCE]).upstream, together.report([SOURCE]).upstream);
  const kept = together.report([SOURCE]).failed;
  assert.ok(kept.length > 100 && kept.every((row) => row.upstreamStatus === 502 || row.upstreamMs === undefined) && kept.some((row) => row.upstreamStatus === 502));
});

test('JSON of nginx and of Traefik says it too; W3C says nothing', () => {
  const nginx = read('json', undefined, ['{"time_iso8601":"2026-03-01T12:30:15Z","status":502,"request_time":"0.300","upstream_response_time":"0.1, 0.1","upstream_status":"504, 502"}']);
  assert.deepEqual([nginx.rows[0]?.upstreamStatus, nginx.rows[0]?.upstreamMs, nginx.rows[0]?.takenMs, nginx.rows[0]?.upstream], [502, 200, 300, '504, 502']);
  const traefik = read('json-traefik', undefined, ['{"StartUTC":"2026-03-01T12:30:15Z","RequestMethod":"GET","RequestPath":"/","DownstreamStatus":502,"OriginStatus":500,"OriginDuration":7000000,"Duration":9000000}']);
  assert.deepEqual([traefik.rows[0]?.upstreamStatus, traefik.rows[0]?.upstreamMs, traefik.rows[0]?.takenMs, traefik.rows[0]?.upstream], [500, 7, 9, undefined]);
  const w3c = read('iis-w3c', undefined, ['#Fields: date time cs-uri-stem sc-status', '2026-03-01 12:30:15 / 502']);
  assert.equal(w3c.figures.report([SOURCE]).upstream, undefined);
});
