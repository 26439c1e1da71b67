// Owns the proof that failed requests are counted, named and explained, and that nothing is invented.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpFailures } from '../../../src/analyze/analyzers/http-failures.ts';
import type { Given } from '../../../src/analyze/contracts.ts';
import type { Finding } from '../../../src/shared/model.ts';
import { Finding as Schema } from '../../../src/shared/model.ts';
import { FIELDS, HOSTILE, WINDOW, given, httpLog, never, reader } from '../artifacts.ts';

const run = async (input: Given): Promise<readonly Finding[]> => {
  const findings = await httpFailures.analyze(input, { window: WINDOW }, never);
  return findings.map((f) => Schema.parse(f));
};

test('a healthy log gives one good finding with the number of requests, and no cause', async () => {
  const found = await run(given(httpLog('02:11:00 GET / 200 34 x800\n02:12:00 GET /missing 404 3 x3')));
  assert.deepEqual(found.map((f) => [f.id, f.severity, f.title]), [['http-no-failures', 'good', 'Nothing failed in 803 requests']]);
});

test('each status.sub-status.win32 is a finding with count, share and meaning in its title', async () => {
  const found = await run(given(httpLog(`02:11:00 GET / 200 34 x762
    02:14:07 POST /cart/apply 502.3.12030 66 x21
    02:14:08 GET /cart 502.3.12030 18 x20`)));
  const [first] = found;
  assert.equal(found.length, 1);
  assert.equal(first?.id, 'http-502-3-12030');
  assert.equal(first?.severity, 'critical');
  assert.equal(first?.title, '41 requests ended as 502.3 · 12030 (connection ended), 5.11 % of 803');
  assert.match(first?.why ?? '', /between 02:14:07 UTC and 02:14:08 UTC and took 18 ms to 66 ms, half of them at most 66 ms/);
  const [routes, times] = first?.evidence ?? [];
  assert.deepEqual(routes?.kind === 'table' && routes.rows, [['POST /cart/apply', 21, 51.2], ['GET /cart', 20, 48.8]]);
  assert.deepEqual(times?.kind === 'table' && times.rows, [[18, 66, 66, 66]]);
});

test('a rare failure is a warning, not an outage', async () => {
  const found = await run(given(httpLog('02:11:00 GET / 200 34 x900\n02:14:07 GET / 500 12 x2')));
  assert.deepEqual(found.map((f) => [f.id, f.severity]), [['http-500-0', 'warning']]);
});

test('rows at a limit of time are called by it; broad times are not', async () => {
  const spike = await run(given(httpLog('02:11:00 GET / 200 34 x90\n02:14:07 GET /export 500.121 230011 x6\n02:15:07 GET /export 500.121 230043 x4')));
  assert.match(spike[0]?.why ?? '', /10 of them took 3 min 50 s almost exactly: the front end's limit of 230 s ended them/);
  const broad = await run(given(httpLog('02:11:00 GET / 200 34 x90\n02:14:07 GET /export 500.121 130000 x6\n02:15:07 GET /export 500.121 170043 x4')));
  assert.doesNotMatch(broad[0]?.why ?? '', /almost exactly/);
});

test('requests that the client gave up are told as such and count as no failure', async () => {
  const found = await run(given(httpLog('02:11:00 GET / 200 34 x90\n02:12:00 GET /slow 400.604.64 900 x3\n02:13:00 GET /big 200.0.64 2500\n02:14:00 GET /slow 502.3.64 4000')));
  assert.deepEqual(found.map((f) => [f.id, f.severity, f.title]), [
    ['http-no-failures', 'good', 'Nothing failed in 95 requests'],
    ['http-client-aborts', 'info', '5 requests were given up by the client, 5.26 % of 95'],
  ]);
});

test('a lost connection at a limit of time is a failure, not an impatient client', async () => {
  const found = await run(given(httpLog('02:11:00 GET / 200 34 x20\n02:14:00 GET /slow 502.3.64 120200 x5')));
  assert.deepEqual(found.map((f) => f.id), ['http-502-3-64']);
});

test('many different codes are told up to ten, the rest in one finding', async () => {
  const rows = Array.from({ length: 14 }, (_, i) => `02:14:07 GET / 500.${1000 + i}.2 5`).join('\n');
  const found = await run(given(httpLog(`02:11:00 GET / 200 34 x5\n${rows}`)));
  assert.equal(found.length, 11);
  assert.equal(found.at(-1)?.title, '4 more requests failed with 4 other codes, 21.1 % of 19');
});

test('no rows, only rows outside the window, only the SCM site: cannot tell, never good', async () => {
  for (const text of ['', `${FIELDS}\r\n`, 'not a log at all\nreally\n']) {
    const found = await run(given(reader('http-log', 'raw.log', text)));
    assert.deepEqual(found.map((f) => [f.id, f.severity]), [['http-no-rows', 'cannot-tell']], JSON.stringify(text));
  }
  const old = await run(given(httpLog('01:00:00 GET / 500 5 x50')));
  assert.deepEqual(old.map((f) => f.id), ['http-no-rows']);
  const scm = await run(given(reader('http-log', 'raw.log', `${FIELDS}\n2026-11-21 02:14:00 ~1CONTOSO GET /api X 443 - 1.2.3.4 - - - h 500 0 0 1 1 1\n`)));
  assert.deepEqual(scm.map((f) => f.id), ['http-no-rows']);
  assert.match(scm[0]?.why ?? '', /1 row of the SCM site and of this agent were left out/);
});

test('rows of several files count together; a file cut in mid-row spoils only that row', async () => {
  const cutFile = `${FIELDS}\r\n2026-11-21 02:14:00 CONTOSO GET / - 443 - 1.2.3.4 - - - h 502 3 12030 1 1 7\r\n2026-11-21 02:14:0`;
  const found = await run(given(reader('http-log', 'a.log', cutFile), httpLog('02:15:00 GET / 502.3.12030 9', 'b.log')));
  assert.equal(found[0]?.title.startsWith('2 requests ended as 502.3 · 12030'), true);
  assert.equal(found.find((f) => f.id === 'http-damaged-rows')?.title, '1 line of the HTTP log could not be read');
});

test('hostile paths and a line of 3 MB neither break the row beside them nor reach a title unmade', async () => {
  const rows = HOSTILE.map((text) => `2026-11-21 02:14:07 CONTOSO GET /${text.replace(/[\s]/g, '+')} - 443 - 1.2.3.4 - - - h 502 3 12030 1 1 7`).join('\n');
  const long = `2026-11-21 02:14:07 CONTOSO GET /${'x'.repeat(3_000_000)} - 443 - 1.2.3.4 - - - h 502 3 12030 1 1 7`;
  const found = await run(given(reader('http-log', 'raw.log', `${FIELDS}\n${long}\n${rows}\n2026-11-21 02:14:07 CONTOSO GET /fine - 443 - 1.2.3.4 - - - h 200 0 0 1 1 7\n`)));
  const text = JSON.stringify(found);
  assert.ok(text.length < 20_000, `${text.length} characters`);
  assert.doesNotMatch(text, /\\u001b|\\u0007|\u202e/);
  assert.match(found[0]?.title ?? '', /^6 requests ended as 502.3 · 12030 .* of 7$/);
  assert.equal(found.find((f) => f.id === 'http-damaged-rows')?.title, '2 lines of the HTTP log could not be read', 'the endless one, and the one with NUL');
});

test('a cancelled pass stops, and does not spoil the next one', async () => {
  const input = given(httpLog('02:11:00 GET / 200 34 x500'));
  await assert.rejects(httpFailures.analyze(input, { window: WINDOW }, AbortSignal.abort()), { name: 'AbortError' });
  assert.equal((await run(input)).length, 1);
});
