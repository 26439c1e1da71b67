// Owns the tests of `diag autoheal`: a file without an agent from show to restore with its exit codes, and the site's through an agent.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { w3cRow } from '../support/agent.ts';
import { CLI, runningAgent, startProgram, withFolder, type Ran } from './support.ts';

const CONFIG = '\ufeff<?xml version="1.0" encoding="utf-8"?>\r\n<configuration>\r\n\t<system.webServer>\r\n\t\t<!-- keep --><iisnode watchedFiles="*.js"/>\r\n\t</system.webServer>\r\n</configuration>';
const RULES = { triggers: { statusCodes: [{ status: 502, subStatus: 3, count: 2, timeInterval: '00:01:00' }], slowRequests: { timeTaken: '00:00:45', count: 20, timeInterval: '00:02:00' } }, actions: { actionType: 'Recycle', minProcessExecutionTime: '00:10:00' } };
const FIELDS = '#Fields: date time s-sitename cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken';

function run(home: string, input: string | undefined, ...args: string[]): Promise<Ran> {
  const started = startProgram(process.execPath, [CLI, 'autoheal', ...args], { DIAG_HOME: home }, undefined, input === undefined ? 'ignore' : 'pipe');
  started.child.stdin?.end(input);
  return started.ended;
}

test('a file needs no agent: shown, compared, set, tried over logs, restored to the same bytes; exit codes say which', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'web.config'), home = join(folder, 'home'), text = JSON.stringify(RULES);
    await writeFile(file, CONFIG);
    const shown = await run(home, undefined, 'show', '--file', file);
    assert.deepEqual([shown.code, shown.stderr], [0, '']);
    assert.match(shown.stdout, /Auto-heal is off/);
    const differs = await run(home, text, 'diff', '--file', file);
    assert.equal(differs.code, 1, differs.stderr);
    assert.match(differs.stdout, /@@ -3,4 \+3,13 @@\n.*\n.*\n\+\t\t<monitoring>|\+ {2}<monitoring>/);
    assert.equal(await readFile(file, 'utf8'), CONFIG);
    const set = await run(home, text, 'set', '--file', file, '--json');
    assert.equal(set.code, 0, set.stderr);
    const written = JSON.parse(set.stdout) as { changed: boolean; left: string[]; backup: { id: string; file: string; sha256: string } };
    assert.deepEqual([written.changed, written.left.length, written.backup.file], [true, 1, file]);
    assert.match(set.stderr, /Not written: The least age/);
    const lines = (await readFile(file, 'utf8')).split('\r\n');
    assert.deepEqual(lines.filter((line) => !CONFIG.split('\r\n').includes(line)).map((line) => line.trim()), ['<monitoring>', '<triggers>', '<slowRequests timeTaken="00:00:45" count="20" timeInterval="00:02:00" />', '<statusCode>', '<add statusCode="502" subStatusCode="3" win32StatusCode="0" count="2" timeInterval="00:01:00" />', '</statusCode>', '</triggers>', '<actions value="Recycle" />', '</monitoring>']);
    assert.equal((await run(home, text, 'diff', '--file', file)).code, 0);
    const from = Date.UTC(2026, 10, 21, 9);
    await writeFile(join(folder, 'a.log'), [FIELDS, ...Array.from({ length: 60 }, (_, i) => w3cRow(from + i * 1_000, '/cart', i % 20 === 7 ? '502.3.12030' : '200.0.0', 20))].map((line) => `${line}\r\n`).join(''));
    const tried = await run(home, undefined, 'show', '--file', file, '--log', join(folder, 'a.log'));
    assert.match(tried.stdout, /2 answers 502\.3 within 1 min: would have fired 1 time\n {4}2026-11-21 09:00:27 UTC/);
    const restored = await run(home, undefined, 'restore', '--file', file);
    assert.equal(restored.code, 0, restored.stderr);
    assert.equal(await readFile(file, 'utf8'), CONFIG);
  });
});

test('what is wrong with the command line, the rules or the file has its exit code', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'web.config'), home = join(folder, 'home');
    await writeFile(file, CONFIG);
    const cases: readonly [string, string, number, RegExp][] = [
      ['no JSON', '{', 2, /standard input/], ['no rules', '{"triggers":{"requests":{"count":5}}}', 2, /triggers\.requests\.timeInterval/],
      ['out of bounds', '{"triggers":{"privateBytesInKB":5},"actions":{"actionType":"Recycle"}}', 2, /102,401/], ['unsaid', '{"triggers":{"statusCodesRange":[{"statusCodes":"500-503","count":5,"timeInterval":"00:01:00"}]},"actions":{"actionType":"Recycle"}}', 2, /500-503/],
    ];
    await Promise.all(cases.map(async ([name, input, code, says]) => {
      const { code: ended, stderr } = await run(home, input, 'set', '--file', file);
      assert.equal(ended, code, `${name}: ${stderr}`);
      assert.match(stderr, says, name);
    }));
    await writeFile(file, '<configuration>');
    const broken = await Promise.all([run(home, '{}', 'set', '--file', file), run(home, undefined, 'show', '--file', join(folder, 'no.config')), run(home, undefined, 'restore', '--file', file)]);
    assert.deepEqual(broken.map(({ code }) => code), [3, 3, 3]);
    assert.equal(await readFile(file, 'utf8'), '<configuration>');
  });
});

test('without --file it is the site of an agent: set and restored through it, with an audit and a mark on the charts', async () => {
  const given = await runningAgent();
  try {
    const file = join(given.home, 'site/wwwroot/web.config');
    await writeFile(file, CONFIG);
    const rules = join(given.home, 'rules.json');
    await writeFile(rules, JSON.stringify(RULES));
    const set = await given.diag('autoheal', 'set', '--rules', rules);
    assert.equal(set.code, 0, set.stderr);
    const shown = await given.diag('autoheal', 'show', '--json');
    const view = JSON.parse(shown.stdout) as { enabled: boolean; backups: unknown[]; wouldHaveFired: { triggers: { on: string; firedCount: number }[] } };
    assert.deepEqual([shown.code, view.enabled, view.backups.length], [0, true, 1]);
    assert.deepEqual(view.wouldHaveFired.triggers.map(({ on, firedCount }) => [on, firedCount]), [['statusCodes.0', 1], ['slowRequests', 0]]);
    const restored = await given.diag('autoheal', 'restore');
    assert.equal(restored.code, 0, restored.stderr);
    assert.equal(await readFile(file, 'utf8'), CONFIG);
    const { entries } = await given.agent.store.audit.recent(10);
    assert.deepEqual(entries.map(({ did }) => did).filter((did) => did.includes('auto-heal') || did.includes('web.config')), ['restore web.config', 'set auto-heal']);
    assert.ok((await given.agent.store.changes.recent(50)).entries.some(({ kind, title }) => kind === 'configuration' && title.includes('set auto-heal')));
  } finally {
    await given.stop();
  }
});
