// Owns the proof that the demo shop does what its start page says, within bounds, and that its traffic is gentle and the same each time.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type LocalAppService, startLocalAppService } from '../../scripts/local/index.ts';
import { visits } from '../../scripts/local/traffic.ts';
import { waitFor } from '../support/wait.ts';
import { rows, withService } from './support.ts';

describe('the shop', () => {
  let service: LocalAppService;
  before(async () => { service = await startLocalAppService(); });
  after(() => service.stop());

  const get = async (path: string): Promise<{ status: number; text: string }> => {
    const answer = await fetch(service.siteUrl + path);
    return { status: answer.status, text: await answer.text() };
  };

  test('every link of the start page leads somewhere, and nothing is loaded from outside', async () => {
    const { text } = await get('/');
    assert.doesNotMatch(text, /(src|href|action)="(https?:)?\/\//);
    const links = [...text.matchAll(/href="(\/[^"]*)"/g)].map((match) => (match[1] ?? '').replaceAll('&#38;', '&'));
    assert.ok(links.length > 12, `${links.length} links`);
    const harmless = links.filter((link) => !/^\/(hang|throw|crash|slow|spin|leak\?)/.test(link));
    for (const link of harmless) assert.equal((await get(link.replace('ms=300', 'ms=1'))).status, link === '/error' ? 500 : link === '/products/4711' ? 404 : 200, link);
    for (const link of links.filter((each) => each.startsWith('/slow'))) assert.equal((await get(link.replace(/\d+/, '1'))).status, 200);
  });

  test('good routes are good, vouchers come off, and what is unknown is 404', async () => {
    assert.deepEqual(JSON.parse((await get('/products/3')).text), { id: 3, name: 'white lamp', priceCents: 2950 });
    assert.equal((await get('/products/4711')).status, 404);
    assert.equal((await get('/nowhere')).status, 404);
    assert.match((await get('/search?q=%3Cscript%3Eblue')).text, /0 found/);
    const apply = (body: BodyInit, headers = {}): Promise<Response> => fetch(`${service.siteUrl}/cart/apply`, { method: 'POST', body, headers });
    const { totalCents } = JSON.parse((await get('/cart')).text) as { totalCents: number };
    const applied = (await (await apply('{"code":"SUMMER15"}', { 'Content-Type': 'application/json' })).json()) as { totalCents: number };
    assert.equal(applied.totalCents, Math.round(totalCents * 0.85));
    assert.equal((await apply(new URLSearchParams({ code: 'NONE' }))).status, 404);
    assert.equal((await apply('{', { 'Content-Type': 'application/json' })).status, 400);
    assert.equal((await apply('x'.repeat(100_000))).status, 413);
  });

  test('every number has a bound', async () => {
    assert.match((await get('/log?lines=0')).text, /^1 lines/);
    assert.match((await get('/stream?chunks=0&ms=0')).text, /^chunk 1 of 1\n$/);
    assert.match((await get('/spin?ms=0')).text, /^blocked for 0 ms/);
    assert.match((await get('/leak?mb=0')).text, /^1 MB/);
    assert.match((await get('/leak/free')).text, /^1 MB/);
  });

  test('its lines carry an ISO time and a level', async () => {
    await get('/log?lines=10');
    const folder = join(service.home, 'LogFiles/Application');
    const text = await waitFor('the lines', async () => {
      const names = (await readdir(folder)).filter((name) => name.includes('-stdout-'));
      const found = (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('');
      return found.includes('line 10 of 10') ? found : undefined;
    });
    for (const line of text.trimEnd().split('\n')) assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO|WARN|ERROR) ./);
  });
});

describe('the traffic', () => {
  const first = (count: number, seed: number, shop = true): unknown[] => {
    const plan = visits(seed, 3, shop);
    return Array.from({ length: count }, () => plan.next().value);
  };

  test('is the same for the same seed and another for another', () => {
    assert.deepEqual(first(200, 7), first(200, 7));
    assert.notDeepEqual(first(200, 7), first(200, 8));
  });

  test('is about three visits a second, mostly healthy, and never one that harms', () => {
    const plan = first(20_000, 1) as { afterMs: number; path: string; method: string; body?: string }[];
    const perSecond = 20_000 / (plan.reduce((sum, visit) => sum + visit.afterMs, 0) / 1000);
    assert.ok(perSecond > 2.8 && perSecond < 3.2, `${perSecond} a second`);
    const missing = plan.filter(({ path }) => /favicon|4711|apple|old/.test(path)).length / plan.length;
    assert.ok(missing > 0.02 && missing < 0.06, `${missing} of them 404`);
    assert.deepEqual(plan.filter(({ path }) => !/^\/($|products\/\d+$|search\?q=[a-z]+$|cart$|cart\/apply$|favicon\.ico$|apple-touch-icon\.png$|old-catalogue$)/.test(path)), []);
    assert.deepEqual(new Set(plan.map(({ body }) => body)), new Set([undefined, 'code=WELCOME10']));
  });

  test('asks an app it does not know for its start page only', () => {
    assert.deepEqual(new Set((first(500, 1, false) as { path: string }[]).map(({ path }) => path)), new Set(['/']));
  });

  test('reaches the log, without a single failure', async () => {
    await withService({ traffic: true }, async (service) => {
      const seen = await waitFor('ten rows', async () => { const found = await rows(service.home); return found.length >= 10 ? found : undefined; });
      assert.deepEqual(seen.filter((row) => Number(row['sc-status']) >= 500), []);
      if (process.platform === 'linux') assert.ok(new Set(seen.map((row) => row['c-ip'])).size > 1);
    });
  });
});
