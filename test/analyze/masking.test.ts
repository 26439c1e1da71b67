// The masking of a session: known values, streamed logs, W3C rows.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeMasker } from '../../src/analyze/masker.ts';
import { MAX_LINE_BYTES, lineBlocks, masked, newTally } from '../../src/analyze/masked-text.ts';
import { fieldsBefore, rowMask } from '../../src/analyze/http-rows.ts';
import { maskJson, safeName } from '../../src/analyze/write.ts';

const never = new AbortController().signal;

async function* of(...chunks: (string | Buffer)[]): AsyncGenerator<Uint8Array> { for (const chunk of chunks) yield Buffer.from(chunk as string); }
async function all(chunks: AsyncIterable<Buffer>): Promise<string> { const out: Buffer[] = []; for await (const chunk of chunks) out.push(chunk); return Buffer.concat(out).toString('utf8'); }

test('a secret value of the environment is masked wherever it stands, in the forms in which logs repeat it', () => {
  const mask = makeMasker([
    { name: 'API_KEY', value: 'Tr0ub4dor&3 x' },
    { name: 'SQLCONNSTR_MAIN', value: 'Server=db;User ID=app;Password=corre;ct' },
    { name: 'ORDERS', value: 'Endpoint=sb://x;SharedAccessKey=zzz-horse-battery' },
    { name: 'CACHE', value: 'redis://user:p4ss%20word9@cache:6379' },
    { name: 'MODE', value: 'plain-and-visible' },
  ]);
  const text = 'a Tr0ub4dor&3 x b Tr0ub4dor%263%20x c Tr0ub4dor&3+x d zzz-horse-battery e p4ss%20word9 f p4ss word9 g plain-and-visible';
  const shown = mask.text(text);
  assert.equal(shown.text, 'a [masked] b [masked] c [masked] d [masked] e [masked] f [masked] g plain-and-visible');
  assert.equal(shown.count, 6);
});

test('short and ordinary values are not searched for: they would black out words', () => {
  const mask = makeMasker([{ name: 'A_SECRET', value: 'true' }, { name: 'B_SECRET', value: 'production' }, { name: 'C_SECRET', value: 'orange' }, { name: 'D_SECRET', value: 'hunter2' }]);
  assert.deepEqual(mask.text('true production orange hunter2'), { text: 'true production orange [masked]', count: 1 });
});

test('masking a stream does not depend on where its chunks end', async () => {
  const mask = makeMasker([{ name: 'KEY', value: 'marker-secret-1234' }]);
  const whole = `äöü first marker-secret-1234\nsecond\n\n  at third marker-secret-1234 €\nlast marker-secret-1234`;
  const bytes = Buffer.from(whole);
  for (let cut = 1; cut < bytes.length; cut += 1) {
    const tally = newTally();
    const out = await all(masked(of(bytes.subarray(0, cut), bytes.subarray(cut)), (text) => mask.text(text), tally));
    assert.deepEqual([out, tally.masked], [whole.replaceAll('marker-secret-1234', '[masked]'), 3], `cut at ${cut}`);
  }
});

test('a private key is masked though a block ends in the middle of it', async () => {
  const lines = Array.from({ length: 20 }, (_, i) => `MIIEvQIBADANBgkqhkiG9w0BAQEFAASC${i}line`);
  const key = ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----'];
  const text = ['before', ...key, 'after', ''].join('\n');
  const mask = makeMasker([]);
  for (const cut of [20, 60, 200, text.length - 20]) {
    const out = await all(masked(of(text.slice(0, cut), text.slice(cut)), (t) => mask.text(t), newTally()));
    assert.ok(out.startsWith('before\n') && out.endsWith('after\n'), out);
    for (const line of lines) assert.ok(!out.includes(line), `cut at ${cut}: ${line}`);
  }
});

test('a very long line is cut, counted, and does not show the half of a secret at its cut', async () => {
  const secret = 'S3cretThatStraddlesTheCut-0123456789';
  const mask = makeMasker([{ name: 'KEY', value: secret }]);
  const filler = 'x'.repeat(MAX_LINE_BYTES - 10);
  const tally = newTally();
  const out = await all(masked(of(filler, secret, 'y'.repeat(100_000), '\nnext line\n'), (t) => mask.text(t), tally));
  assert.ok(out.endsWith(' [line cut]\nnext line\n'));
  assert.ok(!out.includes('S3cret'));
  assert.equal(out.length - ' [line cut]\nnext line\n'.length + tally.cutBytes, filler.length + secret.length + 100_000);
});

test('UTF-16 is read as what it is, and other bytes keep theirs', async () => {
  const mask = makeMasker([{ name: 'KEY', value: 'marker-secret-1234' }]);
  const tally = newTally();
  const wide = Buffer.from('\uFEFFone\r\ntwo marker-secret-1234\r\n', 'utf16le');
  assert.equal(await all(masked(of(wide.subarray(0, 21), wide.subarray(21)), (t) => mask.text(t), tally)), 'one\r\ntwo [masked]\r\n');
  assert.equal(tally.foreign, 'utf-16le');
  const latin = Buffer.from('caf\xe9 marker-secret-1234\n', 'latin1');
  const out: Buffer[] = [];
  for await (const chunk of masked(of(latin), (t) => mask.text(t), newTally())) out.push(chunk);
  assert.deepEqual(Buffer.concat(out), Buffer.from('caf\xe9 [masked]\n', 'latin1'));
});

test('line blocks hold whole lines only, and nothing is lost', async () => {
  const text = Array.from({ length: 500 }, (_, i) => `line ${i} ${'z'.repeat(i % 70)}`).join('\n');
  const blocks: string[] = [];
  for await (const block of lineBlocks(of(...text.match(/[^]{1,77}/g) ?? []), newTally())) blocks.push(block.toString());
  assert.equal(blocks.join(''), text);
  for (const block of blocks.slice(0, -1)) assert.ok(block.endsWith('\n'));
});

const AT = Date.UTC(2026, 10, 21, 2, 0, 0);
const FIELDS = '#Fields: date time s-sitename cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken';
const row = (time: string, more: { query?: string; cookie?: string; referer?: string; path?: string } = {}): string =>
  `2026-11-21 ${time} SHOP GET ${more.path ?? '/cart'} ${more.query ?? '-'} 443 - 10.0.0.1 Mozilla/5.0+(x) ${more.cookie ?? '-'} ${more.referer ?? '-'} shop.azurewebsites.net 502 3 12030 100 200 5`;

test('rows of the window stay, with their columns; cookies and secret parameters do not', () => {
  const rows = rowMask({ from: AT, to: AT + 60_000, mask: makeMasker([{ name: 'KEY', value: 'marker-secret-1234' }]) });
  const shown = rows.lines([
    '#Software: Microsoft Internet Information Services 8.0', FIELDS,
    row('01:59:59'), row('02:00:00', { query: 'page=2&code=abc&X-ARR-LOG-ID=11111111-2222-3333-4444-555555555555' }),
    row('02:00:30', { cookie: 'ARRAffinity=abcd;+session=xyz;lone', referer: 'https://a.b/c?token=qwe' }), row('02:00:31', { path: '/reset/marker-secret-1234' }), row('02:01:01'), '',
  ].join('\n'));
  assert.deepEqual(shown.text.split('\n'), [
    '#Software: Microsoft Internet Information Services 8.0', FIELDS,
    row('02:00:00', { query: 'page=2&code=[masked]&X-ARR-LOG-ID=11111111-2222-3333-4444-555555555555' }),
    row('02:00:30', { cookie: 'ARRAffinity=[masked];+session=[masked];[masked]', referer: 'https://a.b/c?token=[masked]' }), row('02:00:31', { path: '/reset/[masked]' }), '',
  ]);
  assert.deepEqual([shown.count, rows.rows], [6, 3]);
});

test('the columns follow the #Fields: line, also one that comes in mid-file', () => {
  const rows = rowMask({ from: 0, to: AT + 1e9, mask: makeMasker([]) });
  const shown = rows.lines('#Fields: date time cs(Cookie) cs-uri-query sc-status\n2026-11-21 02:00:00 a=b token=x 200\n#Fields: date time cs(Authorization) sc-status\n2026-11-21 02:00:00 hidden 200\n');
  assert.equal(shown.text, '#Fields: date time cs(Cookie) cs-uri-query sc-status\n2026-11-21 02:00:00 a=[masked] token=[masked] 200\n#Fields: date time cs(Authorization) sc-status\n2026-11-21 02:00:00 [masked] 200\n');
});

test('the columns in force at a place are those of the last #Fields: line before it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rows-'));
  try {
    const path = join(folder, 'u.log');
    const filler = `${row('02:00:00')}\n`.repeat(20_000);      // more than one step of the backward search
    const later = '#Fields: date time sc-status';
    await writeFile(path, `${FIELDS}\r\n${filler}${later}\r\n${filler}`);
    const half = FIELDS.length + 2 + filler.length;
    assert.equal(await fieldsBefore(path, half - 100, never), FIELDS);
    assert.equal(await fieldsBefore(path, half + later.length + 2 + filler.length - 5, never), later);
    assert.equal(await fieldsBefore(path, 0, never), undefined);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('JSON is masked by name and by value, and keeps its form', () => {
  const mask = makeMasker([{ name: 'KEY', value: 'marker-secret-1234' }]);
  const { value, count } = maskJson({ a: 1, apiKey: 'zzz', list: ['x marker-secret-1234', null, true], deep: { environmentVariables: { DB_PASSWORD: 'p', HOME: '/h' } } }, mask);
  assert.deepEqual(value, { a: 1, apiKey: '[masked]', list: ['x [masked]', null, true], deep: { environmentVariables: { DB_PASSWORD: '[masked]', HOME: '/h' } } });
  assert.equal(count, 3);
});

test('names of artifacts are plain, and keep the end that holds the pid', () => {
  assert.equal(safeName('Application/RD0003FF-4120-stdout-1700000000000.txt'), 'Application_RD0003FF-4120-stdout-1700000000000.txt');
  assert.equal(safeName('../../etc/passwd'), 'log_.._.._etc_passwd');
  assert.equal(safeName('con.txt'), 'log_con.txt');
  assert.equal(safeName(`${'a'.repeat(300)}-77.log`).endsWith('-77.log'), true);
  assert.equal(safeName('x.tmp'), 'x.tmp_');
  assert.equal(safeName('…'), '_');
});
