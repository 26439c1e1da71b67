// Owns the tests of `diag http-log`: the same counts as awk, packed logs and folders, windows, filters, rows, the page, exit codes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { InvalidArgumentError } from 'commander';
import { instant } from '../../src/cli/instant.ts';
import { failureLimit } from '../../src/cli/options.ts';
import { HttpReport } from '../../src/shared/http-report.ts';
import type { RequestRow } from '../../src/shared/model.ts';
import { HEAD, makeLog, row } from '../observe/http-log/support.ts';
import { diag, withFolder } from './support.ts';

const FROM = Date.UTC(2026, 10, 21, 2, 0, 0);
const HOUR = 3_600_000;
let log = '';
before(() => { log = makeLog({ seed: 6, rows: 20_000, from: FROM, stepMs: 500, damaged: false, eol: '\n' }); });

const reportOf = (stdout: string): HttpReport => HttpReport.parse(JSON.parse(stdout));
/** What awk counts: rows by status.sub.win32 that are not the SCM site's. */
function awk(file: string, condition = '1'): Record<string, number> {
  const out = execFileSync('awk', [`/^[^#]/ && $3 !~ /^~1/ && ${condition} { n[$14 "." $15 "." $16]++ } END { for (key in n) print key, n[key] }`, file], { encoding: 'utf8' });
  return Object.fromEntries(out.trim().split('\n').filter(Boolean).map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]));
}

test('counts are awk\'s, plain, packed and from a folder; --all counts what is left out', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'u_ex1.log');
    await writeFile(file, log);
    const want = awk(file);
    const plain = await diag(['http-log', file, '--json']);
    assert.equal(plain.code, 0, plain.stderr);
    const report = reportOf(plain.stdout);
    assert.deepEqual(report.byStatus, want);
    assert.equal(report.lines, log.split('\n').length - 1);
    assert.equal(report.lines, report.rows + report.comments + report.malformed + report.leftOut + report.outside + report.filteredOut);
    assert.deepEqual([report.bytes, report.malformed, report.rows + report.leftOut], [Buffer.byteLength(log), 0, 20_000]);
    assert.equal(report.routes.reduce((sum, one) => sum + one.count, 0) + report.otherRoutes.count, report.rows);
    assert.deepEqual([report.from, report.to], [FROM, Math.floor((FROM + 19_999 * 500) / 1_000) * 1_000]);
    await mkdir(join(folder, 'logs'));
    await writeFile(join(folder, 'logs', 'a.log.gz'), gzipSync(log));
    await writeFile(join(folder, 'logs', 'notes.txt'), 'Nothing that any server would write.\n');
    const both = reportOf((await diag(['http-log', join(folder, 'logs'), file, '--json'])).stdout);
    assert.deepEqual(both.byStatus, Object.fromEntries(Object.entries(want).map(([key, count]) => [key, count * 2])));
    assert.deepEqual(both.sources.map((one) => [one.source, one.format, one.rows]), [[file, 'iis-w3c', 20_000], [join(folder, 'logs', 'a.log.gz'), 'iis-w3c', 20_000], [join(folder, 'logs', 'notes.txt'), 'unknown', 0]]);
    assert.match(both.sources[2]?.note ?? '', /no format/);
    const all = reportOf((await diag(['http-log', file, '--all', '--json'])).stdout);
    assert.deepEqual([all.rows, all.leftOut], [20_000, 0]);
  });
});

test('a window and a filter count what awk counts there', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'x.log');
    await writeFile(file, log);
    const report = reportOf((await diag(['http-log', file, '--from', '2026-11-21 03:00', '--to', String(FROM + 2 * HOUR), '--filter', 'method:POST path:/api/*', '--json'])).stdout);
    assert.deepEqual(report.byStatus, awk(file, '$2 >= "03:00:00" && $2 <= "04:00:00" && $4 == "POST" && $5 ~ /^\\/api\\//'));
    assert.deepEqual([report.from, report.to], [FROM + HOUR, FROM + 2 * HOUR]);
    const rows = JSON.parse((await diag(['http-log', file, '--rows', '--limit', '3', '--filter', 'status:503 method:GET', '--json'])).stdout) as { rows: RequestRow[]; more: boolean };
    const last = execFileSync('awk', ['/^[^#]/ && $3 !~ /^~1/ && $14 == 503 && $4 == "GET" { print $2, $5 }', file], { encoding: 'utf8' }).trim().split('\n').slice(-3).reverse();
    assert.deepEqual(rows.rows.map((one) => `${new Date(one.at).toISOString().slice(11, 19)} ${one.path}`), last);
    assert.equal(rows.more, true);
    assert.ok(rows.rows.every((one) => Buffer.from(log).subarray(one.offset).toString('latin1', 0, 11) === '2026-11-21 '), 'an offset counts bytes from the begin of the file');
  });
});

test('failures come first for people; the page needs nothing else; --fail-on decides', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'x.log');
    await writeFile(file, log);
    const page = join(folder, 'out.html');
    const ran = await diag(['http-log', file, '--html', page, '--fail-on', '1000000']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /^[\d,]+ of [\d,]+ requests failed \([\d.]+ %\)\.\n2026-11-21 02:00:00 UTC to .*\n\nFailures by status\nSTATUS/);
    assert.ok(ran.stdout.indexOf('Failures by route') < ran.stdout.indexOf('Latency') && ran.stdout.indexOf('Latency') < ran.stdout.indexOf('Traffic'));
    const html = await readFile(page, 'utf8');
    assert.match(html, /^<!doctype html>/i);
    assert.doesNotMatch(html, /(?:src|href)="(?:https?:)?\/\//);
    assert.equal((await diag(['http-log', file, '--json', '--fail-on', '1'])).code, 1);
    assert.equal((await diag(['http-log', file, '--json', '--fail-on', '0.5%'])).code, 1);
    assert.equal((await diag(['http-log', file, '--json', '--fail-on', '99%'])).code, 0);
    const good = join(folder, 'good.log');
    await writeFile(good, `${HEAD}\n${row({ at: FROM })}\n`);
    const fine = await diag(['http-log', good, '--fail-on', '1']);
    assert.equal(fine.code, 0);
    assert.match(fine.stdout, /^All 1 request/);
  });
});

test('what is known as a secret by its form leaves in no answer: rows, report, page', async () => {
  await withFolder(async (folder) => {
    const secret = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P';
    const [file, page] = [join(folder, 'x.log'), join(folder, 'x.html')];
    await writeFile(file, `${HEAD}\n${row({ at: FROM, path: `/reset/${secret}`, status: 502 })}\n`);
    const answers = [await diag(['http-log', file, '--rows']), await diag(['http-log', file, '--rows', '--json']), await diag(['http-log', file, '--json']), await diag(['http-log', file, '--html', page])];
    for (const text of [...answers.map(({ stdout }) => stdout), await readFile(page, 'utf8')]) {
      assert.ok(text.includes('/reset/'), text.slice(0, 2_000));
      assert.ok(!text.includes(secret.slice(0, 30)), text.slice(0, 2_000));
    }
  });
});

test('what cannot be is refused with its code and the next step', async () => {
  await withFolder(async (folder) => {
    const [file, none] = [join(folder, 'x.log'), join(folder, 'none.txt')];
    await writeFile(file, log);
    await writeFile(none, 'a letter to a friend\n');
    const cases: readonly (readonly [readonly string[], number, string])[] = [
      [[], 2, 'BAD_INPUT'], [[file, '--filter', 'colour:red'], 2, 'HTTP_FILTER_BAD'], [[file, '--from', 'yesterday'], 2, 'BAD_INPUT'], [[file, '--limit', '0'], 2, 'BAD_INPUT'], [[file, '--fail-on', '0'], 2, 'BAD_INPUT'],
      [[file, '--format', 'nosuch'], 2, 'LOG_FORMAT_BAD'], [[none], 3, 'NO_HTTP_LOG'], [[join(folder, 'gone.log')], 3, 'NOT_FOUND'], [[file, '--html', join(file, 'x.html')], 3, 'EEXIST'],
    ];
    for (const [args, code, word] of cases) {
      const ran = await diag(['http-log', ...args, '--json']);
      assert.equal(ran.code, code, `${args.join(' ')}: ${ran.stdout}${ran.stderr}`);
      assert.equal((JSON.parse(ran.stdout) as { error: { code: string } }).error.code, word, args.join(' '));
    }
  });
});

test('instants are ISO in UTC, epoch ms, or so long ago', () => {
  const at = instant(() => FROM);
  const cases: readonly (readonly [string, number])[] = [
    ['now', FROM], ['1h ago', FROM - HOUR], ['90m', FROM - 1.5 * HOUR], ['2 days ago', FROM - 48 * HOUR], ['1.5 hours ago', FROM - 1.5 * HOUR], [String(FROM), FROM], ['2026-11-21', FROM - 2 * HOUR], ['2026-11-21T02:00', FROM], ['2026-11-21 02:00:00.5', FROM + 500],
    ['2026-11-21T02:00Z', FROM], ['2026-11-21T03:00:00+01:00', FROM],
  ];
  for (const [text, want] of cases) assert.equal(at(text), want, text);
  for (const bad of ['', 'yesterday', '12', '2026-13-01', '2026-11-21T25:00', '-1h', '1e3', '99999999999999999', 'NaN']) assert.throws(() => at(bad), InvalidArgumentError, bad);
});

test('a limit of failures is a number or a share', () => {
  assert.deepEqual([failureLimit('1'), failureLimit('0.5%'), failureLimit('100%')], [{ count: 1 }, { percent: 0.5 }, { percent: 100 }]);
  for (const bad of ['', '0', '0%', '1.5', '101%', '-1', 'all', '1%%']) assert.throws(() => failureLimit(bad), InvalidArgumentError, bad);
});
