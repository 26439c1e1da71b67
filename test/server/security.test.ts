// Owns the tests of what an attacker tries against the routes of a real agent, and of secrets that must not leave by them.
import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import supertest from 'supertest';
import { agentUnderTest, TOKEN, w3cRow, type AgentUnderTest } from '../support/agent.ts';
import { waitFor } from '../support/wait.ts';

const BASE = '/diag';
const HOST = '127.0.0.1';
const SECRET = 'vaulted-value-9876';
const REFERENCES = JSON.stringify({ PLAIN_SETTING: { reference: 'x', status: 'Resolved' } });
let given: AgentUnderTest;

before(async () => {
  given = await agentUnderTest({ env: { WEBSITE_KEYVAULT_REFERENCES: REFERENCES, PLAIN_SETTING: SECRET, UPSTREAM: `https://api.example/${SECRET}/v1` }, args: ['--label', SECRET] });
  await waitFor('the secrets of the site to be known', () => given.agent.observed.processes().some((p) => p.pid === given.victim.pid) && given.agent.mask(SECRET) !== SECRET);
});
after(async () => { await given.stop(); });

const bearer = { authorization: `Bearer ${TOKEN}` };
const get = (path: string, headers: Record<string, string> = bearer): supertest.Test => supertest(given.app).get(`${BASE}${path}`).set({ host: HOST, ...headers });
const restart = (body: object): supertest.Test => supertest(given.app).post(`${BASE}/api/restart`).set({ host: HOST, ...bearer }).send(body);

test('a setting that comes from a key vault is masked wherever a process is shown: by its name, in other variables, on the command line', async () => {
  const detail = await get(`/api/processes/${given.victim.pid}`);
  assert.equal(detail.status, 200);
  const { environment, info } = detail.body as { environment: { name: string; masked: boolean }[]; info: { commandLine: string } };
  for (const name of ['PLAIN_SETTING', 'UPSTREAM']) assert.equal(environment.find((v) => v.name === name)?.masked, true, name);
  assert.match(info.commandLine, /--label/);
  for (const path of [`/api/processes/${given.victim.pid}`, '/api/processes', '/api/restart']) {
    const answer = await get(path);
    assert.equal(answer.status, 200);
    assert.ok(answer.text.includes(String(given.victim.pid)) && !answer.text.includes(SECRET), path);
  }
});

test('requests, their summary and the landing page show no token of a path and no secret value', async () => {
  const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';
  await appendFile(join(given.home, 'LogFiles/http/RawLogs/a1b2c3-202611210200.log'), `${w3cRow(Date.now() - 1_000, `/reset/${token}`, '500.0.0', 20)}\r\n${w3cRow(Date.now() - 1_000, `/files/${SECRET}`, '500.0.0', 20)}\r\n`);
  for (const path of ['/api/requests', '/api/http', '/api/now?minutes=5']) {
    const text = await waitFor(`both rows in ${path}`, async () => { const answer = await get(path); return /\/reset\//.test(answer.text) && /\/files\//.test(answer.text) ? answer.text : undefined; });
    assert.ok(!text.includes(token) && !text.includes(SECRET), path);
  }
});

test('a row of the HTTP log is shown without the secrets of its query and its cookies', async () => {
  const [date, time] = new Date().toISOString().slice(0, 19).split('T');
  await appendFile(join(given.home, 'LogFiles/http/RawLogs/a1b2c3-202611210200.log'), `${date} ${time} SHOP GET /signin code=querysecret1&page=2 80 - 10.0.0.1 Mozilla/5.0 basket=cookiesecret1;+theme=cookiesecret2 https://x/?sig=referersecret1 shop.example 200 0 0 512 200 20\r\n`);
  const { sources } = (await get('/api/logs')).body as { sources: { id: string; title: string }[] };
  const source = sources.find((s) => s.title.endsWith('a1b2c3-202611210200.log'))?.id ?? '';
  const text = await waitFor('the row', async () => { const answer = await get(`/api/logs/${source}?text=signin`); return answer.text.includes('/signin') ? answer.text : undefined; });
  assert.match(text, /\/signin code=\[masked\]&page=2 80 - 10\.0\.0\.1 Mozilla\/5\.0 basket=\[masked\];\+theme=\[masked\] https:\/\/x\/\?sig=\[masked\] shop\.example 200 0 0/);
});

test('an instant that no calendar has is bad input', async () => {
  for (const startedAt of [8_640_000_000_000_001, Number.MAX_SAFE_INTEGER]) {
    const answer = await restart({ pid: given.victim.pid, startedAt });
    assert.deepEqual([answer.status, (answer.body as { code: string }).code], [400, 'BAD_INPUT'], answer.text);
  }
});

test("what another site's page embeds is refused, though the browser names no Origin for it; a link to a download works", async () => {
  for (const site of ['cross-site', 'same-site']) {
    for (const dest of ['image', 'script', 'iframe', 'empty']) {
      const answer = await get('/api/audit', { ...bearer, 'sec-fetch-site': site, 'sec-fetch-dest': dest, 'sec-fetch-mode': dest === 'iframe' ? 'navigate' : 'no-cors' });
      assert.deepEqual([answer.status, (answer.body as { code: string }).code], [403, 'ORIGIN_REFUSED'], `${dest} of ${site}`);
    }
    const link = await get('/api/audit', { ...bearer, 'sec-fetch-site': site, 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate' });
    assert.equal(link.status, 200, site);
  }
  for (const site of ['same-origin', 'none']) assert.equal((await get('/api/audit', { ...bearer, 'sec-fetch-site': site, 'sec-fetch-dest': 'empty' })).status, 200, site);
});
