// Tests the formats beside W3C: every text and number of a row as the client sent it, in any cut, and format strings of users.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DiagError } from '../../../src/shared/errors.ts';
import { detect } from '../../../src/observe/http-log/detect.ts';
import { FORMAT_IDS, formatNamed, formatOf } from '../../../src/observe/http-log/formats/index.ts';
import { MAX_LINE_BYTES } from '../../../src/observe/http-log/kernel/layout.ts';
import { WRITERS, makeLog } from '../../support/generate-http-log.ts';
import type { ExpectedRow } from '../../support/generate-http-log.ts';
import { readAll } from '../../support/fuzz-http-log.ts';
import { readRows } from '../../support/read-http-log.ts';
import type { PlainRow } from '../../support/read-http-log.ts';

const AT = Date.UTC(2026, 2, 1, 12, 30, 15);

/** The generator says '' for no text and -1 for no number; a text "-" is how logs say none. */
function said(row: ExpectedRow): PlainRow {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== '' && value !== -1 && value !== '-'));
}

for (const writer of WRITERS) {
  const format = formatOf(writer.id, writer.pattern);

  test(`${writer.name}: each row says what the client sent, and damaged lines are counted`, () => {
    const { bytes, truth, rows } = makeLog(writer, { rows: 1_500, seed: 11, damagedEvery: 20, headEvery: 300 });
    const read = readRows(format, [bytes]);
    assert.ok(truth.malformed > 30 && (!writer.texts.includes('agent') || rows.some((row) => String(row['agent']).includes('日本語'))), 'the log is as hostile as it is meant to be');
    assert.deepEqual(read.rows, rows.map(said));
    assert.deepEqual({ ...read.reader.counts }, { bytes: truth.bytes, lines: truth.lines, rows: truth.rows, comments: truth.comments, malformed: truth.malformed });
  });

  test(`${writer.name}: cut in two at every byte it reads the same`, () => {
    const { bytes } = makeLog(writer, { rows: 4, seed: 4, damagedEvery: 5 });
    const whole = JSON.stringify(readAll(format, [bytes]));
    for (let at = 0; at <= bytes.length; at += 1) assert.equal(JSON.stringify(readAll(format, [bytes.subarray(0, at), bytes.subarray(at)])), whole, `cut at ${at}`);
  });
}

test('every way of writing was tested, and every id can be made again from itself', () => {
  assert.deepEqual([...new Set(WRITERS.map((writer) => writer.id))].sort(), [...FORMAT_IDS].sort());
  for (const writer of WRITERS) {
    const made = formatOf(writer.id, writer.pattern);
    assert.deepEqual([made.id, made.pattern], [writer.id, writer.pattern]);
    assert.equal(formatOf(made.id, made.pattern).title, made.title);
  }
});

test('the samples of public documents read as their documents say', async () => {
  const samples: readonly (readonly [file: string, id: string, lines: number, rows: readonly PlainRow[]])[] = [
    ['app-service.log', 'iis-w3c', 5, [46, 32, 47].map((taken, i) => ({
      offset: [258, 657, 1056][i] ?? 0, at: Date.UTC(2014, 0, 1, 2, 1, 9), status: 200, sub: 0, win32: 0, taken, sent: [53175, 51237, 72177][i] ?? 0, received: 871, method: 'GET', path: `/blogposts/mvc4/step${i + 2}.png`,
      query: `X-ARR-LOG-ID=${['2ec4b8ad-3cf0-4442-93ab-837317ece6a1', '9eace870-2f49-4efd-b204-0d170da46b4a', '4bea5b3d-8ac9-46c9-9b8c-ec3e9500cbea'][i]}`, client: '1.54.23.196',
      agent: 'Mozilla/5.0+(Windows+NT+6.3;+WOW64)+AppleWebKit/537.36+(KHTML,+like+Gecko)+Chrome/31.0.1650.63+Safari/537.36', host: 'www.sample.com', site: 'SAMPLEWEBSITE',
      referrer: 'http://weblogs.asp.net/sample/archive/2007/12/09/asp-net-mvc-framework-part-4-handling-form-edit-and-post-scenarios.aspx',
    }))],
    ['iis6.log', 'iis-w3c', 5, [{ offset: 204, at: Date.UTC(2002, 4, 2, 17, 42, 15), status: 200, method: 'GET', path: '/images/picture.jpg', client: '172.22.255.255', agent: 'Mozilla/4.0+(compatible;MSIE+5.5;+Windows+2000+Server)' }]],
    ['apache-common.log', 'ncsa-common', 1, [{ offset: 0, at: Date.UTC(2000, 9, 10, 20, 55, 36), status: 200, sent: 2326, method: 'GET', path: '/apache_pb.gif', client: '127.0.0.1' }]],
    ['apache-combined.log', 'ncsa-combined', 1, [{ offset: 0, at: Date.UTC(2000, 9, 10, 20, 55, 36), status: 200, sent: 2326, method: 'GET', path: '/apache_pb.gif', client: '127.0.0.1', agent: 'Mozilla/4.08 [en] (Win98; I ;Nav)', referrer: 'http://www.example.com/start.html' }]],
    ['caddy.log', 'json-caddy', 2, [{ offset: 126, at: 1_646_861_401_524, status: 200, taken: 0.929675, sent: 10_900, received: 0, method: 'GET', path: '/', client: '127.0.0.1', agent: 'curl/7.82.0', host: 'localhost' }]],
    ['traefik.log', 'json-traefik', 2, [
      { offset: 0, at: Date.UTC(2025, 1, 28, 12, 11, 34), status: 404, taken: 1.964899, sent: 75, received: 0, method: 'GET', path: '/500', client: '192.168.156.1', host: 'nodejs.127.0.0.1.sslip.io', upstream: '192.168.156.12:3000' },
      { offset: 870, at: Date.UTC(2021, 5, 5, 4, 3, 22), status: 404, taken: 0.204055, sent: 19, received: 0, method: 'GET', path: '/', client: '172.16.100.61', host: '172.16.100.61' },
    ]],
    ['traefik-common.log', 'apache', 1, [{ offset: 0, at: Date.UTC(2025, 1, 28, 12, 11, 34), status: 404, taken: 2, sent: 75, method: 'GET', path: '/500', client: '192.168.156.1' }]],
    ['ingress-nginx.log', 'nginx', 2, [
      { offset: 0, at: Date.UTC(2026, 9, 7, 15, 15, 32), status: 200, taken: 5, sent: 17, received: 77, method: 'GET', path: '/app1', client: '10.244.0.1', agent: 'curl/8.9.0', upstream: '10.244.0.124:5678' },
      { offset: 187, at: Date.UTC(2026, 9, 7, 15, 15, 32), status: 404, taken: 1, sent: 146, received: 77, method: 'GET', path: '/app3', client: '10.244.0.1', agent: 'curl/8.9.0', upstream: '127.0.0.1:8181' },
    ]],
    ['app-service.json', 'json-app-service', 2, [{
      offset: 0, at: Date.UTC(2026, 2, 1, 10, 1, 7, 123), status: 502, sub: 3, win32: 12_002, taken: 120_031, sent: 1_477, received: 1_203, method: 'GET', path: '/api/orders/17', query: 'a=1', client: '203.0.113.7', agent: 'curl/8.9.0', host: 'shop.azurewebsites.net', site: 'SHOP',
    }]],
  ];
  for (const [file, id, lines, expected] of samples) {
    const bytes = await readFile(join(import.meta.dirname, '../../fixtures/http-logs', file));
    const found = detect({ first: bytes, whole: true, later: [] });
    assert.equal(found.format?.id, id, file);
    assert.ok(found.confidence >= 0.8, `${file}: ${found.confidence}`);
    const { rows, reader } = readRows(found.format, [bytes]);
    assert.deepEqual(rows, expected, file);
    assert.deepEqual([reader.counts.lines, reader.counts.malformed], [lines, 0], file);
  }
});

const STAMP = '01/Mar/2026:12:30:15 +0000';
const common = (request: string): string => `203.0.113.7 - - [${STAMP}] "${request}" 400 0`;

test('request lines: what names a method and a target, and what is garbage', () => {
  const cases: readonly (readonly [string, PlainRow])[] = [
    ['GET /a?b=c HTTP/1.1', { method: 'GET', path: '/a', query: 'b=c' }],
    ['GET /', { method: 'GET', path: '/' }],
    ['GET /a b c HTTP/2.0', { method: 'GET', path: '/a b c' }],
    ['GET /a?b?c HTTP/1.1', { method: 'GET', path: '/a', query: 'b?c' }],
    ['GET /? HTTP/1.1', { method: 'GET', path: '/' }],
    ['OPTIONS * HTTP/1.1', { method: 'OPTIONS', path: '*' }],
    ['CONNECT shop.example:443 HTTP/1.1', { method: 'CONNECT', path: 'shop.example:443' }],
    ['GET http://shop.example/a?b HTTP/1.1', { method: 'GET', path: '/a', query: 'b', host: 'shop.example' }],
    ['GET https://shop.example HTTP/1.1', { method: 'GET', path: 'https://shop.example' }],
    ['GET /\\"x\\\\y\\x41\\t HTTP/1.1', { method: 'GET', path: '/"x\\yA\t' }],
    ['GET /\\q\\x4 HTTP/1.1', { method: 'GET', path: '/\\q\\x4' }],
    ['M-SEARCH * HTTP/1.1', { method: 'M-SEARCH', path: '*' }],
    ['-', {}], ['', {}], ['\\x16\\x03\\x01\\x02\\x00 /x HTTP/1.1', {}], ['GET', {}], ['GET ', {}], [`${'A'.repeat(40)} / HTTP/1.1`, {}],
  ];
  for (const [request, texts] of cases) assert.deepEqual(readRows(formatOf('ncsa-common'), [common(request)]).rows, [{ offset: 0, at: AT, status: 400, sent: 0, client: '203.0.113.7', ...texts }], request);
});

test('NCSA: users with blanks, virtual hosts, IPv6, zones; and what is no row', () => {
  const format = formatOf('ncsa-common');
  const row = { offset: 0, at: AT, status: 200, sent: 5, method: 'GET', path: '/', client: '203.0.113.7' };
  const fine: readonly (readonly [string, PlainRow])[] = [
    [`203.0.113.7 - John Smith [${STAMP}] "GET / HTTP/1.1" 200 5`, row],
    [`203.0.113.7 - - [01/Mar/2026:05:30:15 -0700] "GET / HTTP/1.1" 200 5`, row],
    [`203.0.113.7 - - [01/mar/2026:18:00:15 +0530] "GET / HTTP/1.1" 200 5`, row],
    [`shop.example:443 203.0.113.7 - - [${STAMP}] "GET / HTTP/1.1" 200 5`, { ...row, host: 'shop.example' }],
    [`2001:db8::1 - - [${STAMP}] "GET / HTTP/1.1" 200 5\r`, { ...row, client: '2001:db8::1' }],
    [`203.0.113.7 - - [${STAMP}] "GET / HTTP/1.1" 200 -`, Object.fromEntries(Object.entries(row).filter(([key]) => key !== 'sent'))],
  ];
  for (const [line, expected] of fine) assert.deepEqual(readRows(format, [line]).rows, [expected], line);
  const bad = [`x`, `203.0.113.7 - - [31/Feb/2026:12:30:15 +0000] "GET / HTTP/1.1" 200 5`, `203.0.113.7 - - [01/Mar/2026:25:30:15 +0000] "GET / HTTP/1.1" 200 5`, `203.0.113.7 - - [${STAMP}] "GET / HTTP/1.1" 2x0 5`,
    `203.0.113.7 - - [${STAMP}] "GET / HTTP/1.1" - 5`, `203.0.113.7 - - [${STAMP}] "GET / HTTP/1.1" 200 5 "more"`, `203.0.113.7 - - [${STAMP}] "GET / HTTP/1.1" 1000 5`, `203.0.113.7 - - [${STAMP}] "GET / HTTP/1.1 200 5`, `203.0.\x00113.7 - - [${STAMP}] "GET / HTTP/1.1" 200 5`];
  for (const line of bad) assert.deepEqual([readRows(format, [line]).rows.length, readRows(format, [line]).reader.counts.malformed], [0, 1], line);
});

test('nginx: lists over several upstreams, URIs in pieces, times in three ways, a directive pasted whole', () => {
  const cases: readonly (readonly [pattern: string, line: string, PlainRow])[] = [
    ['$msec $status $upstream_response_time $upstream_status', '1772368215.123 502 0.001, 0.200 : - 502, 504', { at: AT + 123, status: 502, taken: 201, upstream: '502, 504' }],
    ['$msec $status $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id', '1772368215.123 200 10.0.0.1:80, unix:/tmp/a : 10.0.0.2:80 0, - : 146 0.001, - : 0.200 502, 502 : 200 abc', { at: AT + 123, status: 200, taken: 201, upstream: '10.0.0.1:80, unix:/tmp/a : 10.0.0.2:80' }],
    ['$msec $status "$upstream_response_time"', '1772368215.123 502 "-"', { at: AT + 123, status: 502 }],
    ['$time_iso8601|$status|$request_time|$upstream_response_time|$scheme://$host$uri$is_args$args', '2026-03-01T13:30:15+01:00|200|0.250|0.100|https://shop.example/a/b?c=d', { at: AT, status: 200, taken: 250, host: 'shop.example', path: '/a/b', query: 'c=d' }],
    ['$status $msec "$http_x_forwarded_for" ${request_method} $request_uri', '200 1772368215.000 "203.0.113.7, 10.0.0.1" GET /x?y', { at: AT, status: 200, client: '203.0.113.7', method: 'GET', path: '/x', query: 'y' }],
    ['$status $msec [$remote_addr] [$http_x_forwarded_for]', '200 1772368215.000 [-] [203.0.113.7]', { at: AT, status: 200, client: '203.0.113.7' }],
    [`log_format main '$remote_addr - [$time_local] '\n    '"$request" $status';`, `203.0.113.7 - [${STAMP}] "GET / HTTP/1.1" 200`, { at: AT, status: 200, client: '203.0.113.7', method: 'GET', path: '/' }],
    [`log_format j escape=json '{"t":"$time_iso8601","s":$status,"a":"$http_user_agent"}';`, '{"t":"2026-03-01T12:30:15+00:00","s":499,"a":"say \\"\\u00e9\\ud83d\\ude00\\" \\/"}', { at: AT, status: 499, agent: 'say "é😀" /' }],
    ['escape=none $msec $status "$http_user_agent" end', '1772368215 200 "a\\b" end', { at: AT, status: 200, agent: 'a\\b' }],
    ['#$msec $status', '#1772368215 200', { at: AT, status: 200 }],
  ];
  for (const [pattern, line, expected] of cases) assert.deepEqual(readRows(formatNamed(`nginx:${pattern}`), [line]).rows, [{ offset: 0, ...expected }], pattern);
});

test('Apache: directives with arguments and modifiers, units of time, times in pieces, a directive pasted whole', () => {
  const cases: readonly (readonly [pattern: string, line: string, PlainRow])[] = [
    ['%a %h %t %>s %s %b %O %I %D', `203.0.113.7 host [${STAMP}] 500 200 - 7 8 1500`, { at: AT, status: 500, sent: 7, received: 8, taken: 1.5, client: '203.0.113.7' }],
    ['%t %>s %b', `[${STAMP}] 304 -`, { at: AT, status: 304, sent: 0 }],
    ['%{ms}T %{%Y-%m-%d}t %{%H:%M:%S}t.%{msec_frac}t %{%z}t %s', '12 2026-03-01 14:30:15.042 +0200 200', { at: AT + 42, status: 200, taken: 12 }],
    ['%{sec}t %T %s', '1772368215 3 200', { at: AT, status: 200, taken: 3_000 }],
    ['%{usec}t %{us}T %s', '1772368215000999 2500 200', { at: AT, status: 200, taken: 2.5 }],
    ['%{%d/%b/%Y %T}t %s', '01/Mar/2026 12:30:15 200', { at: AT, status: 200 }],
    ['%{begin:%s}t %s', '1772368215 200', { at: AT, status: 200 }],
    ['%{%I:%M:%S %p, %e %B %Y}t %s', '12:30:15 PM,  1 March 2026 200', { at: AT, status: 200 }],
    ['%m %U%q %H %t %>s', `GET /a/b?c=d HTTP/1.1 [${STAMP}] 200`, { at: AT, status: 200, method: 'GET', path: '/a/b', query: 'c=d' }],
    ['%m %U %q %t %>s', `GET /a/b ?c=d [${STAMP}] 200`, { at: AT, status: 200, method: 'GET', path: '/a/b', query: 'c=d' }],
    ['%400,501{User-Agent}i|%!200{referer}i|%{Host}i|%{X-Forwarded-For}i|%t|%>s|100%%', `curl|http://r/|shop.example|203.0.113.7, 10.0.0.1|[${STAMP}]|200|100%`, { at: AT, status: 200, client: '203.0.113.7', agent: 'curl', host: 'shop.example', referrer: 'http://r/' }],
    ['LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-agent}i\\" %X" mine', `203.0.113.7 - - [${STAMP}] "GET / HTTP/1.1" 200 5 "-" "say \\"hi\\"" +`, { at: AT, status: 200, sent: 5, client: '203.0.113.7', method: 'GET', path: '/', agent: 'say "hi"' }],
  ];
  for (const [pattern, line, expected] of cases) assert.deepEqual(readRows(formatNamed(`apache:${pattern}`), [line]).rows, [{ offset: 0, ...expected }], pattern);
});

test('a format string that cannot work is refused with its reason', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['nginx:', /no status/], ['nginx:$status', /no time/], ['nginx:$time_local', /no status/], ['nginx:$msec$status', /\$msec and \$status stand side by side/], ['nginx:$remote_addr $http_x$status $msec', /side by side/],
    [`nginx:${'$a '.repeat(200)}`, /more than 128 variables/], [`nginx:${'a'.repeat(5_000)}`, /longer than 4096/], [`nginx:$msec ${'a'.repeat(300)} $status`, /more than 256 characters without a variable/], ['nginx', /wants its log_format/], ['apache', /wants its LogFormat/],
    ['apache:%h %t', /no status/], ['apache:%t %>s %Z', /%Z is no directive/], ['apache:%t %>s %', /no directive/], ['apache:%{%Q}t %>s', /time in a way/], ['apache:%t %{weeks}T %>s', /no such unit/], ['apache:%t%>s%D', /side by side/],
    ['iis', /there is no format "iis"/], ['iis-w3c:x', /takes no format string/], ['json:lines', /no variant "lines"/], ['', /there is no format/], [`${'x'.repeat(999)}`, /there is no format "x{40}"/], ['constructor', /there is no format/],
  ];
  for (const [named, why] of cases) assert.throws(() => formatNamed(named), (error: unknown) => error instanceof DiagError && error.code === 'LOG_FORMAT_BAD' && why.test(error.message), named.slice(0, 60));
});

test('a hostile format string, and a line made for it, take no more than their length', () => {
  const many = Array.from({ length: 120 }, (_, i) => `\${v${i}}`).join('a');
  for (const pattern of [`${many}a$status $msec`, `\${msec}${'a'.repeat(255)}b$status`, `$msec ${'a$b '.repeat(100)}$status`]) {
    const { reader } = readRows(formatNamed(`nginx:${pattern}`), ['a'.repeat(1_000_000)]);
    assert.deepEqual([reader.counts.lines, reader.counts.malformed], [1, 1]);
  }
});

test('JSON: texts within texts, lists, null, numbers as texts, double keys, depth; other entries are no faults', () => {
  const format = formatOf('json');
  const row = { offset: 0, at: AT, status: 200 };
  const fine: readonly (readonly [string, PlainRow])[] = [
    ['{"time":"2026-03-01T12:30:15Z","status":"200","request":"GET /a?b HTTP/1.1"}', { ...row, method: 'GET', path: '/a', query: 'b' }],
    ['  {"time" : 1772368215 , "Status-Code" : 200 , "user_agent" : null , "url" : ["/x","/y"], "took":"1.5ms" }  ', { ...row, path: '/x', taken: 1.5 }],
    ['{"time":1772368215000,"status":500,"status":200,"duration":"1m2.5s"}', { ...row, taken: 62_500 }],
    ['{"ts":1772368215000000,"status":200,"duration_us":"250","a":[[{"status":5}],{}],"b":{"c":{"status":"x}{\\""}}}', { ...row, taken: 0.25 }],
    ['{"@timestamp":"2026-03-01T13:30:15.000+01:00","http":{"request":{"method":"GET"},"response":{"status_code":200}},"url":{"path":"/x","query":"y=1"},"event":{"duration":1500000},"client":{"ip":"203.0.113.7"}}', { ...row, method: 'GET', path: '/x', query: 'y=1', client: '203.0.113.7', taken: 1.5 }],
    ['{"time":"01/Mar/2026:12:30:15 +0000","status":200,"http.request.method":"GET"}', { ...row, method: 'GET' }],
    [`{"time":1772368215,"status":200,"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, row],
    ['{"time":1772368215,"status":200,"user_agent":"\\ud83d \\u0041"}', { ...row, agent: '\uFFFD A' }],
  ];
  for (const [line, expected] of fine) assert.deepEqual(readRows(format, [line]).rows, [expected], line.slice(0, 100));
  for (const line of ['{}', '{"level":"info","msg":"started"}', '[', ']', ',', '{"records": [', '']) assert.deepEqual({ ...readRows(format, [`${line}\n`]).reader.counts, bytes: 0 }, { bytes: 0, lines: 1, rows: 0, comments: 1, malformed: 0 }, line);
  for (const line of ['{"time":1772368215,"status":200', '{"time":1772368215,"status":200}}', '{"time":1772368215 "status":200}', '{"time":1772368215,"status":2e9}', '{"time":"yesterday","status":200}', '{"status":200}', '{"time":1772368215,"status":-200}', '"status":200', '{"time":1772368215,"status":200,"x":"']) {
    assert.deepEqual({ ...readRows(format, [`${line}\n`]).reader.counts, bytes: 0 }, { bytes: 0, lines: 1, rows: 0, comments: 0, malformed: 1 }, line);
  }
});

test('one JSON array gives the same rows on one line, on many, and inside {"records": …}', () => {
  const { bytes, rows } = makeLog(WRITERS.find((writer) => writer.name === 'json-app-service') ?? assert.fail(), { rows: 300, seed: 5 });
  const records = bytes.toString().trimEnd().split('\n');
  const without = (found: readonly PlainRow[]): PlainRow[] => found.map((row) => ({ ...row, offset: 0 }));
  const expected = without(rows.map(said));
  const array = formatOf('json-app-service', 'array');
  for (const text of [`[${records.join(',')}]`, `{ "records" : [ ${records.join(',')} ] }\n`, JSON.stringify(records.map((one) => JSON.parse(one) as unknown), undefined, 2), `\uFEFF[\n${records.join(',\n')}\n]\n`]) {
    const { rows: found, reader } = readRows(array, [text]);
    assert.deepEqual(without(found), expected, text.slice(0, 20));
    assert.deepEqual([reader.counts.lines, reader.counts.malformed], [300, 0], text.slice(0, 20));
  }
  const lines = readRows(formatOf('json-app-service'), [`[\n${records.join(',\n')}\n]\n`]);
  assert.deepEqual([without(lines.rows).length, lines.reader.counts.comments, lines.reader.counts.malformed], [300, 2, 0]);
  const listed = `{"tags":[{"a":1}],"status":200,"time":1772368215}`;
  for (const text of [`[${listed},${listed}]`, `{"records":[${listed},${listed}]}`, `{"value" : [\n${listed},\n${listed}\n] }`]) assert.deepEqual(readRows(formatOf('json', 'array'), [text]).rows.map((row) => row['status']), [200, 200], text);
  const torn = readRows(array, [`[${records[0]},{"time":"2026-01-01T00:00:00Z","torn":"abc\n,${records[1]},${records[2]}`]);
  assert.deepEqual([torn.rows.length, torn.reader.counts.malformed], [3, 1], 'a string that is torn costs its record');
});

test('a line beyond the bound is malformed, in any cut, and the next row is read; a long one within it is a row', () => {
  const format = formatOf('ncsa-common');
  const log = Buffer.from([common(`GET /${'x'.repeat(1024 * 1024)} HTTP/1.1`), common(`GET /${'y'.repeat(MAX_LINE_BYTES)} HTTP/1.1`), common('GET /next HTTP/1.1')].join('\n'));
  const cut = (size: number): Uint8Array[] => Array.from({ length: Math.ceil(log.length / size) }, (_, i) => log.subarray(i * size, (i + 1) * size));
  for (const pieces of [[log], cut(65_536), cut(999_983)]) {
    const { rows, reader } = readRows(format, pieces);
    assert.deepEqual(rows.map((row) => String(row['path']).length), [1024 * 1024 + 1, 5]);
    assert.deepEqual([reader.counts.lines, reader.counts.malformed, reader.malformedAt.length], [3, 1, 1]);
  }
});

test('a live reader: rows are given at flush(), an unfinished line waits, and fill() reads as write() does', () => {
  const format = formatOf('ncsa-common');
  const line = `${common('GET /a HTTP/1.1')}\n`;
  let given = 0;
  const live = format.reader({ sink: (columns) => { given += columns.rows; }, dropPartial: true, baseOffset: 1_000 });
  live.write(Buffer.from(line + line.slice(0, 20)));
  assert.deepEqual([given, live.pendingBytes], [0, 20]);
  live.flush();
  assert.equal(given, 1);
  live.write(Buffer.from(line.slice(20) + line.slice(0, 5)));
  live.end();
  assert.deepEqual([given, live.counts.lines, live.counts.rows], [2, 2, 2]);

  const { bytes } = makeLog(WRITERS[3] ?? assert.fail(), { rows: 3_000, seed: 2, damagedEvery: 40 });
  const rows: PlainRow[] = [];
  const reader = format.reader({ sink: (columns) => { rows.push({ rows: columns.rows }); } });
  let at = 0;
  while (reader.fill?.((into) => { const size = bytes.copy(into, 0, at, at + 70_001); at += size; return size; }));
  reader.end();
  assert.deepEqual({ ...reader.counts }, { ...readRows(format, [bytes]).reader.counts });
});
