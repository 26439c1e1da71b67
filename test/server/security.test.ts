// Owns the tests of what an attacker tries against the routes of a real agent, and of secrets that must not leave by them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import supertest from 'supertest';
import { agentUnderTest, TOKEN, type AgentUnderTest } from '../support/agent.ts';
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
