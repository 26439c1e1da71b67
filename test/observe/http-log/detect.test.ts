// Tests the guess of a log's format: every format is known by its sample, what is none is said to be none, and the user's word counts.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DiagError } from '../../../src/shared/errors.ts';
import { detect, sampleOf } from '../../../src/observe/http-log/detect.ts';
import type { Detection } from '../../../src/observe/http-log/detect.ts';
import { sourcesOf } from '../../../src/observe/http-log/unpack.ts';
import { WRITERS, makeLog } from '../../support/generate-http-log.ts';

const FIRST = 64 * 1024;
const of = (bytes: Uint8Array | string): Detection => { const all = typeof bytes === 'string' ? Buffer.from(bytes) : bytes; return detect({ first: all.subarray(0, FIRST), whole: all.length <= FIRST, later: [] }); };
/** The user's own format strings are known only when they are well known. */
const OWN = new Set(['nginx', 'apache']);

let folder = '';
before(async () => { folder = await mkdtemp(join(tmpdir(), 'detect-')); });
after(async () => { await rm(folder, { recursive: true }); });
const signal = new AbortController().signal;

async function ofFile(name: string, content: Uint8Array): Promise<Detection> {
  const path = join(folder, name);
  await writeFile(path, content);
  for await (const source of sourcesOf(path, signal)) return detect(await sampleOf(source, signal));
  return assert.fail();
}

for (const writer of WRITERS) {
  if (OWN.has(writer.name)) continue;
  const id = writer.name === 'nginx with escape=json' ? 'json' : writer.id;
  test(`${writer.name} is detected from a line, a page, and a page with damaged lines`, () => {
    for (const [rows, damagedEvery, least] of [[1, 0, 0.6], [300, 0, 0.7], [300, 20, 0.65]] as const) {
      const { bytes } = makeLog(writer, { rows, seed: 8, damagedEvery });
      const found = of(bytes);
      assert.equal(found.format?.id, id);
      assert.ok(found.confidence >= least && found.confidence < 1, `${found.confidence} of ${rows} rows`);
      assert.ok((found.runnerUp?.confidence ?? 0) <= found.confidence && found.runnerUp?.id !== id);
    }
  });
}

test('well-known formats of nginx and Apache are told from combined, and from each other', () => {
  const combined = '203.0.113.7 - - [01/Mar/2026:12:30:15 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"';
  const cases: readonly (readonly [behind: string, id: string, ends: RegExp])[] = [
    ['', 'ncsa-combined', /^$/], [' "-"', 'nginx', /http_x_forwarded_for"$/], [' "203.0.113.9" 0.120', 'nginx', /\$request_time$/], [' 0.123', 'nginx', /\$request_time$/], [' 123456', 'apache', /%D$/], [' 150 512', 'apache', /%I %O$/],
    [' rt=0.1 uct="0.001" uht="0.01" urt="0.01"', 'nginx', /urt="\$upstream_response_time"$/],
  ];
  for (const [behind, id, ends] of cases) {
    const found = of(Array.from({ length: 30 }, () => `${combined}${behind}\n`).join(''));
    assert.deepEqual([found.format?.id, ends.test(found.format?.pattern ?? '')], [id, true], `${behind}: ${found.format?.pattern}`);
  }
});

test('combined with more behind it that nobody knows is read as far as it is known, with little confidence', () => {
  for (const name of OWN) {
    const found = of(makeLog(WRITERS.find((writer) => writer.name === name) ?? assert.fail(), { rows: 100, seed: 1, damagedEvery: 20 }).bytes);
    assert.ok(found.format?.title.includes('more behind it that is not read') === true && found.confidence > 0.3 && found.confidence <= 0.6, `${found.format?.title} ${found.confidence}`);
  }
});

test('what is no log is said to be none, without a word of its content', () => {
  const none: readonly (readonly [Uint8Array | string, RegExp])[] = [
    ['', /^nothing: it is empty$/], ['\n\n\0\0\n# a\n', /^only blanks/], ['password=hunter2 is the secret 42\n', /^lines like a=a0 a a a 0$/], [Buffer.from([0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0, 0, 0, 0, 0]), /another kind of file/],
    [Buffer.from('\uFEFF2026-03-01 hello\r\n', 'utf16le'), /UTF-16/], ['{"level":"info","msg":"started"}\n', /^lines like \{/], ['[1,2,3]', /^lines like \[0,0,0\]$/], ['2026-03-01 00:00:00 GET /secret 200\n', /^lines like 0-0-0/],
  ];
  for (const [content, seen] of none) {
    const found = of(content);
    assert.deepEqual([found.format, found.confidence], [undefined, 0]);
    assert.match(found.seen, seen);
    assert.doesNotMatch(found.seen, /secret|hunter2|hello|started/);
  }
});

test('a log of IIS that has but its header is one; without a header it is one with less confidence', () => {
  assert.deepEqual(of('#Software: Microsoft Internet Information Services 8.0\r\n#Fields: date time sc-status\r\n').format?.id, 'iis-w3c');
  const { bytes } = makeLog(WRITERS[0] ?? assert.fail(), { rows: 200, seed: 1 });
  const headless = of(bytes.subarray(bytes.indexOf('\n', bytes.indexOf('#Fields')) + 1));
  assert.equal(headless.format?.id, 'iis-w3c');
  assert.ok(headless.confidence < of(bytes).confidence);
});

test('the user\'s word counts, and a wrong word is refused', () => {
  const sample = { first: Buffer.from('x'), whole: true, later: [] };
  assert.deepEqual([detect(sample, 'ncsa-common').format?.id, detect(sample, 'ncsa-common').confidence], ['ncsa-common', 1]);
  assert.equal(detect(sample, 'nginx:$msec $status').format?.pattern, '$msec $status');
  assert.throws(() => detect(sample, 'nginx:$msec'), (error: unknown) => error instanceof DiagError && error.code === 'LOG_FORMAT_BAD');
});

test('from a file the sample is its beginning and pieces farther in: a log that changes its format is trusted less', async () => {
  const common = makeLog(WRITERS.find((writer) => writer.id === 'ncsa-common') ?? assert.fail(), { rows: 3_000, seed: 1 }).bytes;
  const combined = makeLog(WRITERS.find((writer) => writer.id === 'ncsa-combined') ?? assert.fail(), { rows: 3_000, seed: 1 }).bytes;
  const whole = await ofFile('a.log', common), changed = await ofFile('b.log', Buffer.concat([common.subarray(0, common.indexOf('\n', 200_000) + 1), combined]));
  assert.deepEqual([whole.format?.id, changed.format?.id], ['ncsa-common', 'ncsa-common']);
  assert.ok(changed.confidence < whole.confidence - 0.15, `${changed.confidence} after ${whole.confidence}`);
});

test('JSON with one record a line is read by lines even inside an array; on one line it is read as an array', () => {
  const records = makeLog(WRITERS.find((writer) => writer.id === 'json-app-service') ?? assert.fail(), { rows: 30, seed: 1 }).bytes.toString().trimEnd().split('\n');
  assert.equal(of(`[\n${records.join(',\n')}\n]\n`).format?.fromStart, undefined);
  for (const text of [`[${records.join(',')}]`, `{"records":[${records.join(',')}]}`, JSON.stringify(records.map((one) => JSON.parse(one) as unknown), undefined, 2)]) assert.deepEqual([of(text).format?.id, of(text).format?.fromStart], ['json-app-service', true]);
});
