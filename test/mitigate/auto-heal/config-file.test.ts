// Owns the tests of a web.config on disk: set and restore give the same bytes, a change of somebody else and a closed folder are refused, backups are bounded.
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { refusalOf } from '../../../src/agent/auto-heal.ts';
import { Backups } from '../../../src/mitigate/auto-heal/backups.ts';
import { ConfigFile } from '../../../src/mitigate/auto-heal/config-file.ts';
import type { AutoHealRules } from '../../../src/shared/auto-heal.ts';
import { DiagError } from '../../../src/shared/errors.ts';
import { corpus } from './corpus.ts';

const RULES: AutoHealRules = { triggers: { statusCodes: [{ status: 503, count: 5, timeInterval: '00:01:00' }], privateBytesInKB: 1_200_000 }, actions: { actionType: 'Recycle' } };
const code = (wanted: string) => (error: unknown): boolean => { assert.ok(error instanceof DiagError, String(error)); assert.equal(error.code, wanted, error.message); return true; };

async function withFile(work: (given: { folder: string; path: string; file: ConfigFile; backups: Backups; refuse(why: string | undefined): void }) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'auto-heal-'));
  let now = Date.UTC(2026, 10, 21, 2, 14, 7), refusal: string | undefined;
  const backups = new Backups(join(folder, 'home', 'auto-heal'));
  const path = join(folder, 'web.config');
  const file = new ConfigFile({ path, backups, now: () => { now += 1_000; return now; }, refusal: () => refusal, mask: (text) => text.replace('geheim', '***') });
  try {
    await work({ folder, path, file, backups, refuse: (why) => { refusal = why; } });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('each file of the corpus is set and restored to the same bytes, with the permissions that it had', async () => {
  await withFile(async ({ path, file }) => {
    for (const { name, bytes } of corpus) {
      await writeFile(path, bytes);
      await chmod(path, 0o640);
      const { etag } = await file.view();
      const written = await file.write(RULES, etag, false, 'test');
      assert.equal(written.changed, true, name);
      assert.notDeepEqual(await readFile(path), Buffer.from(bytes), name);
      const restored = await file.restore(undefined, undefined, 'test');
      assert.equal(restored.changed, true, name);
      assert.ok((await readFile(path)).equals(bytes), `${name}: equal bytes`);
      assert.equal((await stat(path)).mode & 0o777, 0o640, name);
    }
    // One of each file and its changed form at least; of one path never more than twenty.
    assert.equal((await file.view()).backups.length, 20);
  });
});

test('a restore can be taken back; a named backup is found among several; a damaged one is refused', async () => {
  await withFile(async ({ folder, path, file }) => {
    await writeFile(path, '<configuration>\n</configuration>\n');
    const first = await file.write(RULES, undefined, false, 'one');
    const second = await file.write({}, undefined, false, 'two');
    const healed = await readFile(path, 'utf8');
    assert.equal(first.backup?.why, 'one');
    await file.restore(first.backup?.id, undefined, 'back');
    assert.equal(await readFile(path, 'utf8'), '<configuration>\n</configuration>\n');
    const { backups } = await file.view();
    await file.restore(backups[0]?.id, undefined, 'and forth');
    assert.equal(await readFile(path, 'utf8'), healed);
    const { diff } = await file.compare(second.backup?.id ?? '');
    assert.ok(diff.added > 0 && diff.removed === 0);
    await writeFile(join(folder, 'home', 'auto-heal', `${second.backup?.id}.config`), 'something else');
    await assert.rejects(file.restore(second.backup?.id, undefined, 'x'), code('AUTO_HEAL_REFUSED'));
    await assert.rejects(file.restore('20200101T000000000-00000000', undefined, 'x'), code('BACKUP_UNKNOWN'));
    await assert.rejects(file.restore('../../etc/passwd', undefined, 'x'), code('BACKUP_UNKNOWN'));
  });
});

test('where there was no file one is made, and restoring takes it away; a link stays a link', async () => {
  await withFile(async ({ folder, path, file }) => {
    assert.deepEqual([(await file.view()).exists, (await file.view()).etag], [false, 'none']);
    await file.write(RULES, 'none', false, 'new');
    assert.match(await readFile(path, 'utf8'), /^<\?xml version="1\.0" encoding="utf-8"\?>\r\n<configuration>\r\n {2}<system\.webServer>\r\n {4}<monitoring>/);
    await file.restore(undefined, undefined, 'back');
    assert.ok(!(await readdir(folder)).includes('web.config'));
    await mkdir(join(folder, 'real'));
    await writeFile(join(folder, 'real', 'x.config'), '<configuration/>');
    await symlink(join(folder, 'real', 'x.config'), path);
    await file.write(RULES, undefined, false, 'link');
    assert.match(await readFile(join(folder, 'real', 'x.config'), 'utf8'), /monitoring/);
    assert.deepEqual((await readdir(join(folder, 'real'))), ['x.config'], 'nothing temporary is left');
  });
});

test('a change of somebody else, a place that is closed, rules out of bounds and a broken file are refused, and nothing is written', async () => {
  await withFile(async ({ path, file, backups, refuse }) => {
    await writeFile(path, '<configuration/>');
    const { etag } = await file.view();
    await writeFile(path, '<configuration> </configuration>');
    await assert.rejects(file.write(RULES, etag, false, 'x'), code('AUTO_HEAL_CHANGED'));
    await assert.rejects(file.write({ triggers: { privateBytesInKB: 102_400 }, actions: { actionType: 'Recycle' } }, undefined, false, 'x'), (error: unknown) => { code('AUTO_HEAL_BAD')(error); assert.match(String(error), /102,400 KB is outside 102,401 KB to 33,554,432 KB.*portal/); return true; });
    await assert.rejects(file.write({ triggers: RULES.triggers }, undefined, false, 'x'), code('AUTO_HEAL_BAD'));
    await assert.rejects(file.write({ triggers: { slowRequestsWithPath: [{ timeTaken: '00:00:20', count: 3, timeInterval: '00:01:00', path: '/a' }] }, actions: { actionType: 'Recycle' } }, undefined, false, 'x'), code('AUTO_HEAL_UNSAID'));
    refuse('the site runs from a package');
    await assert.rejects(file.write(RULES, undefined, false, 'x'), code('AUTO_HEAL_REFUSED'));
    refuse(undefined);
    assert.equal(await readFile(path, 'utf8'), '<configuration> </configuration>');
    assert.deepEqual(await backups.list(), []);
    await writeFile(path, '<configuration><torn>');
    await assert.rejects(file.write(RULES, undefined, false, 'x'), code('AUTO_HEAL_UNREADABLE'));
    assert.match((await file.view()).unreadable ?? '', /line 1: the element torn of line 1 is not closed/);
    assert.equal(await readFile(path, 'utf8'), '<configuration><torn>');
  });
});

test('what is read and set again is not judged: a file out of bounds stays as it is, and secrets of its lines are hidden', async () => {
  await withFile(async ({ path, file }) => {
    const text = '<configuration>\n  <appSettings><add key="key" value="geheim"/></appSettings>\n  <system.webServer>\n    <monitoring>\n      <!-- geheim -->\n      <triggers>\n        <memory privateBytesInKB="5"/>\n      </triggers>\n      <actions value="Recycle"/>\n    </monitoring>\n  </system.webServer>\n</configuration>\n';
    await writeFile(path, text);
    const { rules, notes } = await file.view();
    assert.ok(notes.some(({ level, on }) => level === 'error' && on === 'triggers.privateBytesInKB'));
    assert.equal((await file.write(rules, undefined, false, 'x')).changed, false);
    const { diff, left } = await file.write({ triggers: RULES.triggers, actions: { actionType: 'Recycle', minProcessExecutionTime: '00:10:00' } }, undefined, false, 'x');
    assert.match(left.join(), /least age/);
    assert.ok(!JSON.stringify(diff).includes('geheim') && JSON.stringify(diff).includes('***'));
  });
});

test('where a site cannot be changed from here is known by its variables', () => {
  const windows = 'Windows Server 2022 Datacenter', linux = 'Debian, Linux 6.1';
  const cases: readonly [Record<string, string>, string, boolean, RegExp | undefined][] = [
    [{}, windows, true, undefined], [{}, windows, false, undefined], [{ WEBSITE_RUN_FROM_PACKAGE: '0' }, windows, true, undefined],
    [{ WEBSITE_RUN_FROM_PACKAGE: '1' }, windows, true, /package/], [{ WEBSITE_RUN_FROM_PACKAGE: 'https://x/y.zip' }, windows, true, /package/],
    [{ WEBSITE_LOCAL_CACHE_OPTION: 'Always' }, windows, true, /local cache/], [{ WEBSITE_LOCAL_CACHE_OPTION: 'Never' }, windows, true, undefined],
    [{}, linux, false, /Linux/], [{}, linux, true, undefined], [{ WEBSITE_SITE_NAME: 'shop', WEBSITE_STACK: 'NODE' }, linux, true, /Linux/],
  ];
  for (const [env, os, exists, wanted] of cases) {
    const why = refusalOf(env, os, exists);
    if (wanted === undefined) assert.equal(why, undefined, JSON.stringify(env)); else assert.match(why ?? '', wanted, JSON.stringify(env));
  }
});
