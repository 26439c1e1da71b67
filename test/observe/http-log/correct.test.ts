// Tests what is read and counted of generated logs against other programs: awk for every count, an exact sort for quantiles, DuckDB for group-bys; and against the generator's own truth.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import { HttpReport } from '../../../src/shared/http-report.ts';
import { Figures } from '../../../src/observe/http-log/figures/figures.ts';
import { formatOf } from '../../../src/observe/http-log/formats/index.ts';
import { scan } from '../../../src/observe/http-log/scan/scan.ts';
import { WRITERS, exactQuantile, makeLog, writeW3c } from '../../support/generate-http-log.ts';
import type { LineWriter, Truth } from '../../support/generate-http-log.ts';

const signal = new AbortController().signal;
let folder = '';
let duck: DuckDBConnection;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'correct-'));
  duck = await (await DuckDBInstance.create(':memory:')).connect();
});
after(async () => { duck.closeSync(); await rm(folder, { recursive: true }); });

async function reportOf(path: string, threads: number): Promise<HttpReport> {
  return HttpReport.parse((await scan({ inputs: [{ path, source: 'log', format: { id: 'iis-w3c' } }], threads, aloneBelowBytes: 0, signal })).report);
}

/** At most 0.5 % off; what is told of times is rounded to a tenth of a ms. */
function near(found: number | undefined, exact: number | undefined, what: string): void {
  assert.ok(found !== undefined && exact !== undefined && Math.abs(found - exact) <= exact * 0.005 + 0.051, `${what}: ${found} is not within 0.5 % of ${exact}`);
}

/** Rows of a query as plain values; counts come as bigint. */
async function query(sql: string): Promise<readonly (readonly (string | number)[])[]> {
  const found = await duck.runAndReadAll(sql);
  return found.getRows().map((row) => row.map((value) => (typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? value : String(value))));
}

/** Knows of W3C what its document says: fields by name, rows with as many columns, times and numbers by their shape. */
const AWK = `
function digits(x) { return x ~ /^[0-9]+$/ }
function number(x) { return x == "-" || digits(x) }
{ lines++; sub(/\\r$/, "") }
/^#Fields:/ { split("", col); for (i = 2; i <= NF; i++) col[$i] = i - 1; n = NF - 1 }
/^#/ || $0 == "" { comments++; next }
index($0, "\\001") || NF != n || !digits($(col["sc-status"])) || $(col["date"]) !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]$/ || $(col["time"]) !~ /^[0-9][0-9]:[0-9][0-9]:[0-9][0-9]$/ || !number($(col["time-taken"])) { malformed++; next }
{
  if ($(col["s-sitename"]) ~ /^~1/ || $(col["cs(User-Agent)"]) ~ /^app-service-diag\\//) { left++; next }
  rows++; status = $(col["sc-status"]); failed = status >= 500
  key = status; if ("sc-substatus" in col) key = key "." $(col["sc-substatus"]) "." $(col["sc-win32-status"])
  by_status[key]++; failures += failed
  minute = $(col["date"]) "T" substr($(col["time"]), 1, 5); minutes[minute]++; minute_failures[minute] += failed
  clients[$(col["c-ip"])]++; methods[$(col["cs-method"])]++
  taken = $(col["time-taken"]); if (taken > longest) longest = taken
}
END {
  print "total", lines, rows, comments + 0, malformed + 0, left + 0, failures + 0, longest
  for (k in by_status) print "status", k, by_status[k]
  for (k in minutes) print "minute", k, minutes[k], minute_failures[k] + 0
  for (k in clients) print "client", k, clients[k]
  for (k in methods) print "method", k, methods[k]
}`;

interface Counted { readonly total: readonly number[]; readonly status: Map<string, number>; readonly minute: Map<number, readonly [number, number]>; readonly client: Map<string, number>; readonly method: Map<string, number> }

function awk(log: Buffer): Counted {
  // awk's own way with NUL bytes differs by implementation.
  const input = Buffer.from(log.map((byte) => (byte === 0 ? 1 : byte)));
  const { stdout, stderr, status } = spawnSync('awk', [AWK], { input, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, LC_ALL: 'C' } });
  assert.equal(status, 0, stderr.toString());
  const rows = stdout.toString().trimEnd().split('\n').map((line) => line.split(' '));
  const of = (kind: string): string[][] => rows.filter((row) => row[0] === kind);
  const counts = (kind: string): Map<string, number> => new Map(of(kind).map((row) => [row[1] ?? '', Number(row[2])]));
  return { total: (of('total')[0] ?? []).slice(1).map(Number), status: counts('status'), client: counts('client'), method: counts('method'), minute: new Map(of('minute').map((row) => [Date.parse(`${row[1]}:00Z`), [Number(row[2]), Number(row[3])]])) };
}

function minutesOf(report: HttpReport): Map<number, readonly [number, number]> {
  assert.equal(report.stepMs, 60_000);
  return new Map(report.minutes.filter((one) => one.count > 0).map((one) => [one.at, [one.count, one.failures]]));
}

test('awk counts the same lines, statuses, minutes, clients and methods in a log with damage, changed columns and rows of the SCM site', async () => {
  const path = join(folder, 'damaged.log');
  const truth = writeW3c(path, 24 * 1024 * 1024, 21, { damagedEvery: 60, headEvery: 4_000, fieldChanges: true, stepMs: 120, clients: 60, burstEvery: 6_000 });
  const report = await reportOf(path, 2);
  const counted = awk(await readFile(path));
  assert.ok(truth.malformed > 500 && truth.comments > 20 && truth.leftOut > 300 && truth.failures > 500, 'the log has what is to be counted');
  assert.deepEqual([report.lines, report.rows, report.comments, report.malformed, report.leftOut, report.failures, report.total.max], counted.total);
  assert.deepEqual(new Map(Object.entries(report.byStatus)), counted.status);
  assert.deepEqual(minutesOf(report), counted.minute);
  assert.deepEqual(new Map(report.clients.top.map((one) => [one.name, one.count])), counted.client);
  assert.deepEqual(new Map(report.methods.top.map((one) => [one.name, one.count])), counted.method);
});

/** Ids of the generator's paths as DuckDB folds them. */
const ROUTE = `regexp_replace(regexp_replace(path, '/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '/{id}'), '/([0-9]+|7[0-9a-f]{13})(/|$)', '/{id}\\2')`;

test('DuckDB groups the same by status, route, minute, client, host and agent, with quantiles within 0.5 %, whatever the threads', async () => {
  const path = join(folder, 'plain.log');
  const truth = writeW3c(path, 26 * 1024 * 1024, 22, { routes: 2_500, clients: 90, stepMs: 150, burstEvery: 9_000, headEvery: 20_000, hostile: false });
  const columns = ['date', 'time', 'site', 'method', 'path', 'query', 'port', 'user', 'client', 'agent', 'cookie', 'referrer', 'host', 'status', 'sub', 'win32', 'sent', 'received', 'taken'];
  const numbers = new Set(['status', 'sub', 'win32', 'sent', 'received', 'taken']);
  await duck.run(`CREATE TABLE log AS SELECT *, ${ROUTE} AS route, status >= 500 AS failed FROM read_csv('${path}', delim = ' ', header = false, comment = '#', quote = '', escape = '', auto_detect = false, new_line = '\\r\\n', columns = {${columns.map((name) => `'${name}': '${numbers.has(name) ? 'BIGINT' : 'VARCHAR'}'`).join(', ')}})
    WHERE site NOT LIKE '~1%' AND agent NOT LIKE 'app-service-diag/%'`);
  const report = await reportOf(path, 0);
  for (const threads of [1, 2, 3]) assert.deepEqual(await reportOf(path, threads), report, `${threads} threads`);
  assert.deepEqual([report.rows, report.leftOut, report.malformed], [truth.rows - truth.leftOut, truth.leftOut, 0]);

  const quantiles = 'quantile_disc(taken, 0.5), quantile_disc(taken, 0.95), quantile_disc(taken, 0.99), max(taken)';
  const told = (one: { p50?: number | undefined; p95?: number | undefined; p99?: number | undefined; max?: number | undefined }): readonly (number | undefined)[] => [one.p50, one.p95, one.p99, one.max];
  const same = (name: string, found: ReadonlyMap<string, { count: number; quantiles: readonly (number | undefined)[] }>, rows: readonly (readonly (string | number)[])[]): void => {
    for (const [key, count, ...exact] of rows) {
      const one = found.get(String(key));
      assert.equal(one?.count, count, `${name} ${key}`);
      one?.quantiles.forEach((value, i) => { near(value, Number(exact[i]), `${name} ${key}, quantile ${i}`); });
      if (one?.quantiles[3] !== undefined) assert.equal(one.quantiles[3], exact[3], `the longest of ${name} ${key}`);
    }
  };
  const all = await query(`SELECT 'all', count(*), ${quantiles} FROM log`);
  same('all', new Map([['all', { count: report.rows, quantiles: told(report.total) }]]), all);
  const statuses = await query(`SELECT status || '.' || sub || '.' || win32, count(*), ${quantiles} FROM log GROUP BY 1`);
  assert.equal(report.statuses.length, statuses.length);
  same('status', new Map(report.statuses.map((one) => [one.key, { count: one.count, quantiles: told(one) }])), statuses);
  const minutes = await query(`SELECT epoch_ms(date_trunc('minute', (date || ' ' || time)::TIMESTAMP)), count(*), ${quantiles} FROM log GROUP BY 1`);
  assert.equal(report.minutes.filter((one) => one.count > 0).length, minutes.length);
  same('minute', new Map(report.minutes.map((one) => [String(one.at), { count: one.count, quantiles: told(one) }])), minutes);
  const routes = await query(`SELECT method || ' ' || route, count(*), ${quantiles}, count(*) FILTER (failed), count(*) FILTER (status BETWEEN 400 AND 499), sum(sent) FROM log GROUP BY 1`);
  const byRoute = new Map(report.routes.map((one) => [`${one.method} ${one.route}`, one]));
  assert.ok(routes.length > 2_000 && byRoute.size === 1_000, `${routes.length} routes, ${byRoute.size} told`);
  const toldRoutes = routes.filter(([key]) => byRoute.has(String(key)));
  assert.equal(toldRoutes.length, byRoute.size, 'every route that is told is one of DuckDB\'s');
  same('route', new Map([...byRoute].map(([key, one]) => [key, { count: one.count, quantiles: told(one) }])), toldRoutes);
  for (const row of toldRoutes) { const one = byRoute.get(String(row[0])); assert.deepEqual([one?.failures, one?.clientErrors, one?.sentBytes], row.slice(6), String(row[0])); }
  const others = routes.filter(([key]) => !byRoute.has(String(key)));
  assert.deepEqual([report.otherRoutes.count, report.otherRoutes.failures, report.otherRoutes.distinct], [others.reduce((sum, row) => sum + Number(row[1]), 0), others.reduce((sum, row) => sum + Number(row[6]), 0), others.length]);
  for (const [name, groups] of [['client', report.clients], ['host', report.hosts], ['method', report.methods]] as const) {
    const rows = await query(`SELECT ${name}, count(*), count(*) FILTER (failed) FROM log GROUP BY 1`);
    assert.deepEqual(new Map(groups.top.map((one) => [one.name, [one.count, one.failures]])), new Map(rows.filter(([key]) => groups.top.some((one) => one.name === key)).map(([key, ...counts]) => [key, counts])), name);
    assert.equal(groups.top.length + (groups.distinct - groups.top.length), rows.length, name);
  }
});

function figuresOf(writer: LineWriter, bytes: Buffer): HttpReport {
  const figures = new Figures();
  const reader = formatOf(writer.id, writer.pattern).reader({ sink: (columns) => { figures.add(columns, 0); } });
  for (let at = 0; at < bytes.length; at += 50_000) reader.write(bytes.subarray(at, at + 50_000));
  reader.end();
  return HttpReport.parse(figures.report([{ source: 'log', format: writer.id, confidence: 1, ...reader.counts, malformedAt: [...reader.malformedAt] }]));
}

function equalsTruth(report: HttpReport, truth: Truth): void {
  assert.deepEqual([report.bytes, report.lines, report.rows + report.leftOut, report.comments, report.malformed, report.leftOut, report.failures], [truth.bytes, truth.lines, truth.rows, truth.comments, truth.malformed, truth.leftOut, truth.failures]);
  assert.deepEqual([report.from, report.to], [truth.from, truth.to]);
  assert.deepEqual(new Map(Object.entries(report.byStatus)), truth.byStatus);
  assert.deepEqual(minutesOf(report), new Map([...truth.minutes].map(([at, { count, failures }]) => [at, [count, failures]])));
  const routes = new Map(report.routes.map((one) => [`${one.method} ${one.route}`, one]));
  assert.deepEqual(new Map([...routes].map(([key, one]) => [key, [one.count, one.failures, one.clientErrors]])), new Map([...truth.routes].map(([key, one]) => [key, [one.count, one.failures, one.clientErrors]])));
  for (const [key, one] of truth.routes) {
    if (one.taken.length === 0) { assert.equal(routes.get(key)?.p50, undefined, `${key} has no time`); continue; }
    for (const [name, share] of [['p50', 0.5], ['p95', 0.95], ['p99', 0.99]] as const) near(routes.get(key)?.[name], exactQuantile(one.taken, share), `${name} of ${key}`);
    assert.equal(routes.get(key)?.max, one.max);
  }
}

for (const writer of WRITERS) {
  test(`${writer.name}: the figures are the generator's truth, its quantiles by an exact sort`, () => {
    const { bytes, truth } = makeLog(writer, { rows: 8_000, seed: 31, damagedEvery: 50, headEvery: 900 });
    equalsTruth(figuresOf(writer, bytes), truth);
  });
}

test('DuckDB reads the same out of JSON lines of App Service, Caddy and Traefik', async () => {
  const sql: readonly (readonly [name: string, columns: string])[] = [
    ['json-app-service with an object', `properties.CsMethod, properties.CsUriStem, properties.ScStatus::INT, properties.TimeTaken, properties.CIp`],
    ['json-caddy', `request."method", regexp_replace(request.uri, '\\?.*', ''), status, duration * 1000, request.client_ip`],
    ['json-traefik', `RequestMethod, regexp_replace(RequestPath, '\\?.*', ''), DownstreamStatus, Duration / 1000000, ClientHost`],
  ];
  for (const [name, columns] of sql) {
    const writer = WRITERS.find((one) => one.name === name) ?? assert.fail();
    const { bytes } = makeLog(writer, { rows: 5_000, seed: 41 });
    const path = join(folder, 'lines.json');
    await writeFile(path, bytes);
    const rows: unknown[] = [];
    const reader = formatOf(writer.id, writer.pattern).reader({ sink: ({ rows: size, bytes: text, status, taken, text: { method, path: paths, client } }) => {
      for (let row = 0; row < size; row += 1) rows.push([...[method, paths].map(({ from, to }) => Buffer.from(text.subarray(from[row], to[row])).toString()), status[row], Math.round(taken[row] as number), Buffer.from(text.subarray(client.from[row], client.to[row])).toString()]);
    } });
    reader.write(bytes);
    reader.end();
    const found = await query(`SELECT ${columns} FROM read_json('${path}', format = 'newline_delimited')`);
    assert.deepEqual(rows, found.map((row) => [row[0], row[1], Number(row[2]), Math.round(Number(row[3])), row[4]]), name);
  }
});
