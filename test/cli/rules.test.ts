// Owns the tests of the commands of rules without an agent: a file checked, and tried over logs.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { w3cRow } from '../support/agent.ts';
import { CLI, startProgram, withFolder, type Ran } from './support.ts';

const RULES = `{ "rules": [ // ours
  { "id": "bad-gateway", "when": { "type": "status", "status": "502.3", "count": 2, "withinMs": 60000 }, "do": [{ "type": "diagnose" }] },
  { "id": "cpu", "when": { "type": "metric", "metric": "site.cpu", "above": 1 }, "do": [{ "type": "notify" }] },
  { "id": "wild", "when": { "type": "exit" }, "do": [{ "type": "recycle" }] },
] }`;
const FIELDS = '#Fields: date time s-sitename cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken';
const diag = (...args: string[]): Promise<Ran> => startProgram(process.execPath, [CLI, ...args]).ended;

test('rules check names what is refused with its line; rules try says when the rest would have fired over logs', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'rules.json');
    await writeFile(file, RULES);
    const from = Date.UTC(2026, 10, 21, 9);
    await writeFile(join(folder, 'a.log'), [FIELDS, ...Array.from({ length: 600 }, (_, i) => w3cRow(from + i * 1_000, '/cart', i % 20 === 7 ? '502.3.12030' : '200.0.0', 20))].map((line) => `${line}\r\n`).join(''));
    const checked = await diag('rules', 'check', file);
    assert.equal(checked.code, 1, checked.stderr);
    assert.match(checked.stdout, /line 4: wild is refused: limits: recycle needs/);
    const tried = await diag('rules', 'try', file, '--log', join(folder, 'a.log'), '--json');
    assert.equal(tried.code, 1, tried.stderr);
    const { trials } = JSON.parse(tried.stdout) as { trials: { rule: string; firedCount: number; fired: { at: number }[]; cannot?: string }[] };
    assert.deepEqual(trials.map(({ rule, firedCount }) => [rule, firedCount]), [['bad-gateway', 2], ['cpu', 0]]);
    // The second failure of a minute, and again when the five minutes of cool-down are over.
    assert.deepEqual(trials[0]?.fired.map(({ at }) => (at - from) / 1_000), [27, 327]);
    assert.match(trials[1]?.cannot ?? '', /do not tell/);
  });
});
