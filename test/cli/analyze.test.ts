// Owns the tests of `diag analyze`: a session's folder, plain logs, exit codes by --fail-on, the same bytes twice, what is missing.
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Report } from '../../src/shared/model.ts';
import { w3cRow } from '../support/agent.ts';
import { diag, ROOT, withFolder } from './support.ts';

const CRASH = join(ROOT, 'test/fixtures/sessions/crash');
const FIELDS = '#Fields: date time s-sitename cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken';

test('a recorded crash: its headline, its findings with the stack, exit 1; the same as JSON', async () => {
  const ran = await diag(['analyze', CRASH]);
  assert.equal(ran.code, 1, ran.stderr);
  assert.match(ran.stdout, /^The process crashed 4 times on TypeError: /);
  assert.match(ran.stdout, /\nCRITICAL {2}The worker crashed 4 times .* worker-crashes\n {2}\S/);
  assert.match(ran.stdout, /\n {2}→ \S.*\n {4}\S/, 'advice of several lines is one block');
  assert.match(ran.stdout, /\n {6}at applyFound \(\/home\/site\/wwwroot\/lib\/cart\.js:41:38\)\n/);
  const json = await diag(['analyze', CRASH, '--json', '--fail-on', 'never']);
  assert.equal(json.code, 0);
  const report = Report.parse(JSON.parse(json.stdout));
  assert.ok(report.findings.some((f) => f.id === 'http-502-3-12030' && f.title.startsWith('15 requests')));
});

test('--out writes report.json and report.html; the same input gives the same bytes', async () => {
  await withFolder(async (folder) => {
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    const ran = await diag(['analyze', CRASH, '--out', one]);
    assert.match(ran.stdout, new RegExp(`\\nwritten to ${one}\\n$`));
    await diag(['analyze', CRASH, '--out', two, '--json']);
    assert.deepEqual((await readdir(one)).sort(), ['report.html', 'report.json']);
    for (const file of ['report.html', 'report.json']) assert.ok((await readFile(join(one, file))).equals(await readFile(join(two, file))), file);
  });
});

test('--fail-on decides: a log where nothing failed has information at most', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'site.log');
    const rows = Array.from({ length: 200 }, (_, i) => w3cRow(Date.UTC(2026, 10, 21, 2, 0, i), '/', '200.0.0', 20));
    await writeFile(file, `${FIELDS}\r\n${rows.join('\r\n')}\r\n`);
    const expected: readonly (readonly [string[], number])[] = [[[], 0], [['--fail-on', 'critical'], 0], [['--fail-on', 'warning'], 0], [['--fail-on', 'info'], 1], [['--fail-on', 'never'], 0]];
    for (const [args, code] of expected) {
      const ran = await diag(['analyze', file, ...args, '--json']);
      assert.equal(ran.code, code, `${args.join(' ')} ${ran.stderr}`);
      assert.deepEqual(Report.parse(JSON.parse(ran.stdout)).findings.filter((f) => ['critical', 'warning'].includes(f.severity)), []);
    }
  });
});

test('what is not there, not readable as ours, or no log is said; nothing is written', async () => {
  await withFolder(async (folder) => {
    const missing = await diag(['analyze', join(folder, 'no\u001b[31msuch'), '--out', join(folder, 'out')]);
    assert.deepEqual([missing.code, missing.stdout], [3, '']);
    assert.match(missing.stderr, /^diag: There is nothing at \/\S+\/no\\x1b\[31msuch\. \[NOT_FOUND\]\n$/);
    const zip = join(folder, 'torn.zip');
    await writeFile(zip, 'PK\u0003\u0004 torn');
    const torn = await diag(['analyze', zip, '--out', join(folder, 'out')]);
    assert.deepEqual([torn.code, torn.stdout], [3, '']);
    assert.match(torn.stderr, /\[BUNDLE_UNREADABLE\]/);
    assert.deepEqual(await readdir(folder), ['torn.zip']);
    await writeFile(join(folder, 'picture.png'), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 0]));
    const picture = await diag(['analyze', join(folder, 'picture.png')]);
    assert.match(picture.stderr, /^picture\.png: /);
  });
});

test('several files at once are one case', async () => {
  const files = (await readdir(join(CRASH, 'files'))).filter((f) => /^http-|stderr/.test(f)).map((f) => join(CRASH, 'files', f));
  const ran = await diag(['analyze', ...files, '--json', '--fail-on', 'never']);
  assert.equal(ran.code, 0, ran.stderr);
  const ids = Report.parse(JSON.parse(ran.stdout)).findings.map((f) => f.id);
  assert.ok(ids.includes('http-502-3-12030') && ids.includes('application-exceptions'), ids.join(' '));
});
