// Owns the tables of what the guard of paths lets through and what it refuses, by both systems' rules, and a short run of the fuzzer.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../../src/platform/clock.ts';
import { openFileDoor } from '../../../src/platform/files/index.ts';
import { judgePath, nameFault, sameName } from '../../../src/platform/files/path-guard.ts';
import { fuzzPaths } from '../../support/fuzz-paths.ts';

const BOTH_GOOD = ['a', 'a/b/c.txt', 'a/', 'with space/x y', '100%.txt', '%2e%2e', '%00', '#', 'ü/日本/🎉', '.hidden', '..hidden', 'a..b', '...x', 'console.log', 'com', 'com10.txt', 'nullable.cs', 'auxiliary', '~$lock.docx', 'backup~', '-rf', "it's", 'a;b', 'x'.repeat(255)];
const BOTH_BAD = ['..', '.', 'a/..', '../a', 'a/../b', './a', 'a/./b', '/a', '//a', '/', 'a//b', '//server/share', 'a\0', 'a\nb', '\u001b[0m', 'a\u007f', 'x'.repeat(256), 'ü'.repeat(300), '\ud800', 'a/'.repeat(300), `${'x'.repeat(200)}/`.repeat(200)];
/** Plain names on Linux. */
const WINDOWS_BAD = ['C:', 'C:/x', 'c:x', '\\\\server\\share', '\\\\?\\C:\\x', '\\\\.\\pipe\\x', 'a\\b', '..\\x', 'con', 'CON.txt', 'nul', 'NUL.tar.gz', 'prn.', 'aux ', 'com1', 'COM1.log', 'com¹', 'LPT9', 'lpt².x', 'conin$', 'CONOUT$', 'clock$', 'NUL .txt', 'a/com1 .txt', 'a.txt:stream', 'a.txt::$DATA', 'web.config.', 'web.config ', 'a./b', 'a /b', 'PROGRA~1', 'progra~1/x', 'A~1.TXT', 'a<b', 'a>b', 'a"b', 'a|b', 'a?b', 'a*b'];

test('what is a plain name everywhere is let through everywhere', () => {
  for (const path of BOTH_GOOD) for (const rules of ['posix', 'windows'] as const) assert.deepEqual(judgePath(path, rules), { parts: path.replace(/\/$/, '').split('/') }, `${path} by ${rules}`);
  for (const rules of ['posix', 'windows'] as const) assert.deepEqual(judgePath('', rules), { parts: [] });
});

test('what leads out, or is no name anywhere, is refused everywhere with a reason', () => {
  for (const path of BOTH_BAD.filter((one) => one !== '/')) for (const rules of ['posix', 'windows'] as const) assert.ok('refused' in judgePath(path, rules), `${JSON.stringify(path).slice(0, 60)} by ${rules}`);
  assert.deepEqual(judgePath('/', 'posix'), { parts: [] }, 'a slash alone is the root');
});

test('what names something else on Windows is refused there, and a name on Linux', () => {
  for (const path of WINDOWS_BAD) {
    assert.ok('refused' in judgePath(path, 'windows'), path);
    assert.ok('parts' in judgePath(path, 'posix'), path);
  }
  assert.equal(nameFault('a/b', 'posix'), 'a name has no slash');
});

test('names that a disk may take for one are taken for one', () => {
  for (const [one, other] of [['token', 'TOKEN'], ['Straße', 'STRASSE'], ['ı', 'I'], ['K', 'K'.toLowerCase()]] as const) assert.ok(sameName(one, other), `${one} ${other}`);
  assert.ok(!sameName('token', 'tokens'));
});

test('a fuzzer of hostile paths reads and writes nothing outside', { timeout: 120_000 }, async () => {
  const { faults, refused, let_through: through } = await fuzzPaths(7, 1_500);
  assert.deepEqual(faults, []);
  assert.ok((refused['PATH_REFUSED'] ?? 0) > 500 && (refused['PATH_LINK'] ?? 0) > 3 && through > 3, JSON.stringify({ refused, through }));
});

test('a folder that is changed for a link between the look and the deed leads nowhere', { timeout: 120_000, skip: process.platform === 'linux' ? false : 'folders are held on Linux' }, async () => {
  const top = await mkdtemp(join(tmpdir(), 'swap-'));
  const home = join(top, 'home');
  await mkdir(join(home, 'dir'), { recursive: true });
  await mkdir(join(top, 'outside'));
  await writeFile(join(home, 'dir/f.txt'), 'inside');
  await writeFile(join(top, 'outside/f.txt'), 'outside');
  await symlink(join(top, 'outside'), join(home, 'other'));
  const door = openFileDoor({ roots: [{ name: 'home', title: 'Home', path: home }], bin: join(top, 'bin'), temp: join(top, 'temp'), clock: systemClock });
  const end = new AbortController();
  const swapping = (async () => {
    while (!end.signal.aborted) {                              // dir is now the folder, now a link that leads out
      await rename(join(home, 'dir'), join(home, 'kept'));
      await rename(join(home, 'other'), join(home, 'dir'));
      await rename(join(home, 'dir'), join(home, 'other'));
      await rename(join(home, 'kept'), join(home, 'dir'));
    }
  })();
  const seen = new Set<string>();
  for (let i = 0; i < 1_500; i += 1) {
    const place = { root: 'home', path: 'dir/f.txt' };
    const text = await door.open(place).then(async (file) => { try { return String(await file.read(0, 20)); } finally { await file.close(); } }, (error: { code: string }) => error.code);
    seen.add(text);
    if (i % 10 === 0) await door.write({ root: 'home', path: 'dir/new.txt' }, Buffer.from('x'), {}, end.signal).catch((error: { code: string }) => seen.add(error.code));
  }
  end.abort();
  await swapping;
  assert.ok(!seen.has('outside'), [...seen].join());
  for (const one of seen) assert.ok(['inside', 'PATH_LINK', 'FILE_UNKNOWN', 'FILE_KIND'].includes(one), one);
  await assert.rejects(import('node:fs/promises').then(({ lstat }) => lstat(join(top, 'outside/new.txt'))), { code: 'ENOENT' });
  await rm(top, { recursive: true, force: true });
});
