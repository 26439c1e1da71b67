// Owns the tests of the live socket over a real agent and a real listen: what each topic delivers, resuming, bounds, refusals, and the end.
import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, readlink, writeFile } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { connect as dial, type AddressInfo, type Socket } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { WebSocket, type ClientOptions } from 'ws';
import type { Problem } from '../../src/shared/api.ts';
import { ToPage, type FromPage } from '../../src/shared/live.ts';
import { LogChannels } from '../../src/shared/log-channels.ts';
import type { LogFilter, Sample } from '../../src/shared/model.ts';
import type { Agent } from '../../src/agent/agent.ts';
import { listen, type Listening } from '../../src/server/listen.ts';
import { SAMPLES_KEPT } from '../../src/observe/observer.ts';
import { attachLive, CLOSE_GRACE_MS, HIGH_WATER_BYTES, MAX_SOCKETS, MAX_SUBSCRIPTIONS, PING_MS } from '../../src/server/live.ts';
import { agentUnderTest, TOKEN, w3cRow, type AgentUnderTest } from '../support/agent.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { waitFor } from '../support/wait.ts';

type Of<T extends ToPage['type']> = Extract<ToPage, { type: T }>;
type Asked = { [K in FromPage['type']]: Omit<Extract<FromPage, { type: K }>, 'id'> }[FromPage['type']];

let given: AgentUnderTest;
let listening: Listening;
let sockets: Set<Socket>;
const pages = new Set<Page>();
const BEARER = { authorization: `Bearer ${TOKEN}` };

before(async () => {
  given = await agentUnderTest();
  listening = await listen(given.agent, resolve(import.meta.dirname, '../../public'));
  sockets = socketsOf(listening.server);
  await waitFor('the observer to measure the victim', () => [...given.agent.observed.latest().keys()].some((key) => key.startsWith(`${given.victim.pid}:`)));
});
afterEach(async () => {
  for (const one of pages) one.cut();
  await waitFor('every page of the test to be gone', () => pages.size === 0);
});
after(async () => {
  await listening.close();
  await given.stop();
});

function socketsOf(server: Server): Set<Socket> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => { open.add(socket); socket.on('close', () => { open.delete(socket); }); });
  return open;
}

/** The page's end of a live socket; every message is checked against the contract. */
class Page {
  readonly ws: WebSocket;
  readonly got: ToPage[] = [];
  /** The close code, once closed. */
  closed: number | undefined;
  constructor(url = listening.url, options: ClientOptions = { headers: BEARER }) {
    pages.add(this);
    this.ws = new WebSocket(`${url.replace('http', 'ws')}/live`, options);
    this.ws.on('message', (raw, isBinary) => { this.#take(raw as Buffer, isBinary); });
    this.ws.on('close', (code) => { this.closed = code; pages.delete(this); });
    this.ws.on('error', () => { /* 'close' follows and tells */ });
  }
  readonly #channels = new LogChannels();
  #take(raw: Buffer, isBinary: boolean): void {
    if (!isBinary) {
      const message = ToPage.parse(JSON.parse(String(raw)));
      if (message.type === 'log') this.#channels.heard(message, 'x');
      this.got.push(message);
      return;
    }
    const message = this.#channels.read(raw, Date.now());
    assert.ok(message, 'a frame that cannot be read, or that nobody asked for');
    this.got.push(ToPage.parse(message));
  }
  all<T extends ToPage['type']>(type: T, id?: string): Of<T>[] {
    return this.got.filter((m): m is Of<T> => m.type === type && (id === undefined || ('id' in m && m.id === id)));
  }
  first<T extends ToPage['type']>(type: T, id?: string): Promise<Of<T>> {
    return waitFor(`a message ${type} ${id ?? ''}`, () => this.all(type, id)[0]);
  }
  say(message: unknown): void { this.ws.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message)); }
  ask(id: string, message: Asked): void { this.say({ ...message, id }); }
  /** Texts of the followed log so far. */
  texts(id: string): string[] { return this.all('log', id).flatMap((m) => m.items.flatMap((item) => ('line' in item ? [item.line.text] : []))); }
  cut(): void { this.ws.terminate(); }
  end(): void { this.ws.close(); }
  /** Bytes that the server holds for this page and could not send yet. */
  waitingBytes(): number {
    const mine = (this.ws as unknown as { _socket: Socket })._socket.localPort;
    return [...sockets].find((s) => s.remotePort === mine)?.writableLength ?? 0;
  }
}

async function page(): Promise<Page> {
  const made = new Page();
  await made.first('hello');
  return made;
}

async function log(name: string, text = '', folder = 'Application'): Promise<{ file: string; source: string }> {
  const file = join(given.home, 'LogFiles', folder, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  const source = await waitFor(`${name} in the catalog`, async () => (await given.agent.observed.logs.catalog(AbortSignal.timeout(10_000), { fresh: true })).sources.find((s) => s.title.endsWith(name))?.id);
  return { file, source };
}

const numbered = (from: number, to: number): string => Array.from({ length: to - from + 1 }, (_, i) => `2026-11-21T02:00:00Z ${(from + i) % 5 === 0 ? 'ERROR' : 'INFO'} line ${from + i}.\n`).join('');
const numbers = (texts: readonly string[]): number[] => texts.flatMap((text) => { const n = /line (\d+)\./.exec(text)?.[1]; return n === undefined ? [] : [Number(n)]; });
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

test('the first message is hello, with version, instance, site and health; nothing else comes unasked', async () => {
  const one = await page();
  const { app } = given.agent.platform.host;
  const hello = await one.first('hello');
  assert.deepEqual({ version: hello.version, instance: hello.instance, app: hello.app }, { version: given.agent.version, instance: app.instance, app });
  one.ask('s', { type: 'follow', topic: 'samples' });
  await one.first('samples');
  assert.deepEqual(new Set(one.got.map((m) => m.type)), new Set(['hello', 'samples']));
  one.end();
});

test('samples, requests, changes and now: what there is first, then what comes', async () => {
  const one = await page();
  one.ask('s', { type: 'follow', topic: 'samples' });
  one.ask('r', { type: 'follow', topic: 'requests' });
  one.ask('c', { type: 'follow', topic: 'changes' });
  one.ask('n', { type: 'follow', topic: 'now', minutes: 5 });
  const samples = (): Sample[] => one.all('samples', 's').flatMap((m) => m.items);
  const last = await waitFor('a sample of the victim', () => samples().filter((s) => s.process?.pid === given.victim.pid).at(-1));
  await waitFor('a later one', () => samples().some((s) => s.process?.pid === given.victim.pid && s.at > last.at));
  assert.ok(samples().some((s) => s.process === undefined && s.values['site.working-set'] !== undefined));

  const rows = (): string[] => one.all('requests', 'r').flatMap((m) => m.items.map((r) => r.path));
  await waitFor('the rows that were there', () => rows().includes('/cart/apply'));
  await appendFile(join(given.home, 'LogFiles/http/RawLogs/a1b2c3-202611210200.log'), `${w3cRow(Date.now(), '/just-now', '503.0.0', 7)}\r\n`);
  await waitFor('the row that came', () => rows().includes('/just-now'));
  await appendFile(join(given.home, 'LogFiles/http/RawLogs/a1b2c3-202611210200.log'), `${w3cRow(Date.now(), '/reset/marker-secret-value-1234/go', '200.0.0', 7)}\r\n`);
  await waitFor('the row whose path says a secret of the site', () => rows().some((path) => path.startsWith('/reset/') && path.endsWith('/go')));
  assert.ok(!rows().some((path) => path.includes('marker-secret-value-1234')), 'a secret of the site is masked in a row that comes live');

  await waitFor('the start of the agent among the changes', () => one.all('changes', 'c').flatMap((m) => m.items).some((c) => c.kind === 'agent'));
  given.agent.observed.publish({ id: 'test:1', at: given.agent.platform.clock.now(), kind: 'restart', level: 'warning', title: 'published by the test' });
  await waitFor('the change that came', () => one.all('changes', 'c').at(-1)?.items.some((c) => c.id === 'test:1'));

  const { now } = await one.first('now', 'n');
  await waitFor('a later look at now', () => one.all('now', 'n').some((m) => m.now.at > now.at));
  one.end();
});

test('operations and session follow a session from its start to its end', async () => {
  const one = await page();
  one.ask('o', { type: 'follow', topic: 'operations' });
  assert.deepEqual((await one.first('operations', 'o')).items, []);
  const { session, operation } = await given.agent.diagnose({ diagnosers: [{ id: 'event-log' }, { id: 'application-logs' }] }, 'test');
  one.ask('d', { type: 'follow-session', session });
  const state = (): string | undefined => one.all('operations', 'o').at(-1)?.items.find((o) => o.id === operation)?.state;
  await waitFor('the operation to be done', () => state() === 'done', 60_000);
  const last = await waitFor('the last word on the session', () => one.all('session', 'd').map((m) => m.session).find((s) => s.state !== 'running'));
  assert.deepEqual([last.state, last.report, last.steps.every((s) => s.state !== 'waiting' && s.state !== 'running')], ['done', true, true]);
  assert.equal(one.all('session', 'd')[0]?.session.id, session);

  await waitFor('its record to be on disk', async () => (await given.agent.store.sessions.get(session)).state === 'done');
  one.ask('again', { type: 'follow-session', session });
  assert.deepEqual((await one.first('session', 'again')).session, await given.agent.store.sessions.get(session), 'an ended session is told once, as it is kept');
  one.ask('none', { type: 'follow-session', session: '010101_0000000000' });
  assert.equal((await one.first('refused', 'none')).code, 'SESSION_UNKNOWN');
  one.end();
});

test('a page that returns with `since` gets each sample once, and none is missing', async () => {
  const truth: Sample[] = [];
  const stop = new AbortController();
  const listen = (async (): Promise<void> => { for await (const { items } of given.agent.observed.samples.follow({ signal: stop.signal })) truth.push(...items); })();
  const measured = (list: readonly Sample[]): string[] => list.filter((s) => s.process !== undefined).map((s) => `${s.process?.pid} ${s.at}`).sort();
  const first = await page();
  first.ask('s', { type: 'follow', topic: 'samples' });
  const got = (one: Page): Sample[] => one.all('samples').flatMap((m) => m.items);
  await waitFor('samples', () => got(first).length > 0);
  first.cut();
  const since = Math.max(...got(first).filter((s) => s.process !== undefined).map((s) => s.at));
  await waitFor('two seconds to be missed', () => truth.some((s) => s.process !== undefined && s.at >= since + 2_000));
  const second = await page();
  second.ask('s', { type: 'follow', topic: 'samples', since });
  await waitFor('the next sample, live', () => got(second).some((s) => s.process !== undefined && s.at >= since + 3_000));
  second.cut();
  stop.abort();
  await listen;
  const seen = [...got(first), ...got(second)];
  const until = Math.max(...got(second).filter((s) => s.process !== undefined).map((s) => s.at));
  assert.deepEqual(measured(seen), measured(truth.filter((s) => s.at <= until)));
});

test('rows that came late while a page was away change seconds before its `since`: it gets those seconds again', async () => {
  const since = Math.floor(given.agent.platform.clock.now() / 1_000) * 1_000;
  const late: Sample = { at: since - 20_000, values: { 'http.requests': 7 } };
  given.agent.observed.samples.publish(late);
  const one = await page();
  one.ask('s', { type: 'follow', topic: 'samples', since });
  assert.deepEqual(await waitFor('the second before', () => one.all('samples').flatMap((m) => m.items).filter((s) => s.at === late.at).at(-1)), late);
  assert.ok(one.all('samples').flatMap((m) => m.items).every((s) => s.process === undefined || s.at > since), 'nothing else is sent twice');
  one.end();
});

test('a backlog as long as the feed comes whole, in pieces, and is no loss', async () => {
  const keep = SAMPLES_KEPT;
  for (let i = 0; i < keep; i += 1) given.agent.observed.samples.publish({ at: 1_000 + i, values: { 'host.cpu': 1 } });
  const one = await page();
  one.ask('s', { type: 'follow', topic: 'samples' });
  const ours = (): number[] => one.all('samples').flatMap((m) => m.items.filter((s) => s.at < 100_000).map((s) => s.at));
  await waitFor('the whole backlog', () => ours().at(-1) === 1_000 + keep - 1);
  // The samplers publish meanwhile: some of ours may have left the ring before the page came, but what came has no hole.
  const [from = 0] = ours();
  assert.ok(ours().length > keep - 200 && ours().every((at, i) => at === from + i));
  assert.ok(one.all('samples').every((m) => m.dropped === 0 && m.items.length <= 1_000));
  one.end();
});

test('a log over dropped sockets: no line twice, none missing, lines written all the while', async () => {
  const { file, source } = await log('resume.txt', numbered(1, 50));
  const texts: string[] = [];
  let cursor: string | undefined;
  let written = 50;
  for (let round = 0; round < 8; round += 1) {
    const one = await page();
    one.ask('log', { type: 'follow-log', source, ...(cursor === undefined ? { last: 5_000 } : { cursor }) });
    await appendFile(file, numbered(written + 1, written + 40));
    written += 40;
    await waitFor(`round ${round}: some lines`, () => one.texts('log').length > 10);
    await appendFile(file, numbered(written + 1, written + 25));
    written += 25;
    one.cut();                                                 // somewhere in the middle of them
    texts.push(...one.texts('log'));
    cursor = one.all('log').at(-1)?.cursor;
    assert.ok(one.all('log').every((m) => m.dropped === 0));
  }
  const last = await page();
  last.ask('log', { type: 'follow-log', source, ...(cursor === undefined ? {} : { cursor }) });
  await waitFor('the last line', () => numbers(last.texts('log')).at(-1) === written || numbers(texts).at(-1) === written);
  assert.deepEqual(numbers([...texts, ...last.texts('log')]), upTo(written));
  last.end();
});

test('filters are applied by the agent: levels, text, regex, and their opposite; what was left out is counted', async () => {
  const { file, source } = await log('filter.txt', numbered(1, 20));
  const one = await page();
  const filters: Record<string, LogFilter> = { levels: { levels: ['error'] }, text: { text: 'line 1' }, regex: { regex: 'line [2-4]\\.' }, not: { regex: 'line .*', not: true } };
  for (const [id, filter] of Object.entries(filters)) one.ask(id, { type: 'follow-log', source, last: 100, filter });
  for (const id of Object.keys(filters)) await one.first('log', id);
  await appendFile(file, `${numbered(21, 30)}2026-11-21T02:00:00Z INFO another\n${numbered(31, 31)}`);
  await waitFor('the line that has no number', () => one.texts('not').length > 0);
  const all = { levels: [5, 10, 15, 20, 25, 30], text: [1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19], regex: [2, 3, 4] };
  for (const [id, wanted] of Object.entries(all)) await waitFor(`all lines of ${id}`, () => numbers(one.texts(id)).length >= wanted.length);
  for (const [id, wanted] of Object.entries(all)) assert.deepEqual(numbers(one.texts(id)), wanted, id);
  assert.deepEqual(one.texts('not').map((t) => t.split(' ').at(-1)), ['another']);
  const passed = (id: string): number => one.all('log', id).reduce((sum, m) => sum + m.passed, 0);
  await waitFor('every line that was left out to be counted', () => passed('not') === 31 && passed('levels') === 32 - 6);

  one.ask('bad', { type: 'follow-log', source, filter: { regex: '(?<=a)b' } });
  assert.equal((await one.first('refused', 'bad')).code, 'FILTER_BAD');
  one.ask('gone', { type: 'follow-log', source: 'nosuchlog' });
  assert.equal((await one.first('refused', 'gone')).code, 'SOURCE_UNKNOWN');
  one.ask('junk', { type: 'follow-log', source, cursor: 'junk' });
  assert.equal((await one.first('refused', 'junk')).code, 'CURSOR_BAD');
  one.end();
});

test('secrets are masked: by pattern, and the values that the site itself holds; also on the landing page', async () => {
  await waitFor('the agent to learn what the site holds', () => !given.agent.mask('marker-secret-value-1234').includes('marker'));
  const { file, source } = await log('secrets.txt', 'INFO connecting with Password=hunter2hunter2;Server=db\n');
  const one = await page();
  one.ask('log', { type: 'follow-log', source, last: 10 });
  one.ask('now', { type: 'follow', topic: 'now' });
  await one.first('log', 'log');
  await appendFile(file, 'ERROR the key marker-secret-value-1234 was refused\nINFO end\n');
  await waitFor('the last line', () => one.texts('log').at(-1) === 'INFO end');
  const text = one.texts('log').join('\n');
  assert.match(text, /Server=db/);
  assert.match(text, /ERROR the key .* was refused/);
  // New logs are looked for once a minute where that is slow.
  await waitFor('the error on the landing page', () => JSON.stringify(one.all('now').at(-1)?.now).includes('was refused'), 100_000);
  assert.deepEqual(one.got.filter((m) => /hunter2hunter2|marker-secret-value/.test(JSON.stringify(m))), []);
  one.end();
});

test('a page that stops reading is bounded and told what it lost; others go on', { timeout: 120_000 }, async () => {
  const lineChars = 10_000;
  const line = (n: number): string => `INFO line ${n}. ${'x'.repeat(lineChars)}\n`;
  const { file, source } = await log('slow.txt', line(1));
  const [slow, other] = [await page(), await page()];
  for (const one of [slow, other]) {
    one.ask('log', { type: 'follow-log', source, last: 1 });
    await one.first('log', 'log');
  }
  slow.ws.pause();
  let written = 1;
  let mostBytes = 0;
  // Until the socket is full, and then twice as much again as may wait for a follower.
  for (let after = 0; after < 10; after += mostBytes > HIGH_WATER_BYTES ? 1 : 0) {
    assert.ok(written < 20_000, 'the operating system takes 200 MB of a connection that is not read');
    let piece = '';
    for (let i = 0; i < 100; i += 1) piece += line(written += 1);
    await appendFile(file, piece);
    await waitFor(`the other page to have line ${written}`, () => { mostBytes = Math.max(mostBytes, slow.waitingBytes()); return numbers(other.texts('log')).at(-1) === written; });
  }
  assert.ok(mostBytes <= HIGH_WATER_BYTES + 2 * 1024 * 1024, `${mostBytes} bytes waited in the socket`);
  assert.deepEqual(numbers(other.texts('log')), upTo(written), 'the other page lost nothing');
  assert.ok(other.all('log').every((m) => m.dropped === 0));
  slow.ws.resume();
  await waitFor('the slow page to have the newest line', () => numbers(slow.texts('log')).at(-1) === written);
  const lost = slow.all('log').reduce((sum, m) => sum + m.dropped, 0);
  const got = numbers(slow.texts('log'));
  assert.ok(lost > 0, 'something was lost');
  assert.equal(got.length + lost, written, 'each line was either sent or counted');
  assert.deepEqual(got, [...new Set(got)].sort((a, b) => a - b));
  slow.end();
  other.end();
});

interface Refused { status: number; problem: Problem; type: string }
/** A bare upgrade request; its refusal. */
function upgrade(path: string, headers: Record<string, string>): Promise<Refused | 'accepted'> {
  return new Promise((done, failed) => {
    const { port } = listening.server.address() as AddressInfo;
    const asked = request({ port, host: '127.0.0.1', path, headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', ...headers } });
    asked.on('upgrade', (_res, socket) => { socket.destroy(); done('accepted'); });
    asked.on('response', (res: IncomingMessage) => {
      let body = '';
      res.setEncoding('utf8').on('data', (text: string) => { body += text; });
      res.on('end', () => { done({ status: res.statusCode ?? 0, problem: JSON.parse(body) as Problem, type: res.headers['content-type'] ?? '' }); });
    });
    asked.on('error', failed);
    asked.end();
  });
}

test('wrong Origin, missing or wrong token, foreign Host and wrong path are refused with a problem; a page and a program are let in', async () => {
  const host = new URL(listening.url).host;
  const [cookie = ''] = given.guard.login(TOKEN, false).split(';');
  const refusals: readonly [string, string, Record<string, string>, number, string][] = [
    ['another site with the cookie', '/diag/live', { cookie, origin: 'https://evil.example' }, 403, 'ORIGIN_REFUSED'],
    ['another site with the token', '/diag/live', { ...BEARER, origin: 'https://evil.example' }, 403, 'ORIGIN_REFUSED'],
    ['another port of the same machine', '/diag/live', { cookie, origin: 'http://127.0.0.1:1' }, 403, 'ORIGIN_REFUSED'],
    ['a file opened from disk', '/diag/live', { cookie, origin: 'null' }, 403, 'ORIGIN_REFUSED'],
    ['the cookie without Origin', '/diag/live', { cookie }, 403, 'ORIGIN_REFUSED'],
    ['no token', '/diag/live', { origin: `http://${host}` }, 401, 'TOKEN_MISSING'],
    ['a wrong token', '/diag/live', { authorization: 'Bearer wrong' }, 401, 'TOKEN_MISSING'],
    ['a forged cookie', '/diag/live', { cookie: 'diag=forged', origin: `http://${host}` }, 401, 'TOKEN_MISSING'],
    ['a foreign Host', '/diag/live', { ...BEARER, host: 'rebound.example' }, 403, 'HOST_REFUSED'],
    ['another path', '/diag/other', BEARER, 404, 'NOT_FOUND'],
    ['the path without base', '/live', BEARER, 404, 'NOT_FOUND'],
  ];
  for (const [what, path, headers, status, code] of refusals) {
    const answer = await upgrade(path, headers);
    assert.ok(answer !== 'accepted', what);
    assert.deepEqual([answer.status, answer.problem.code, answer.problem.status, answer.type], [status, code, status, 'application/problem+json'], what);
  }
  assert.equal(await upgrade('/diag/live', { cookie, origin: `http://${host}` }), 'accepted');
  assert.equal(await upgrade('/diag/live', BEARER), 'accepted');
  assert.equal(await upgrade('/diag/live?v=1', BEARER), 'accepted');
});

test('too many sockets are refused, and taken again when others have gone', async () => {
  const open = Array.from({ length: MAX_SOCKETS }, () => new Page());
  for (const one of open) await one.first('hello');
  const answer = await upgrade('/diag/live', BEARER);
  assert.ok(answer !== 'accepted');
  assert.deepEqual([answer.status, answer.problem.code], [429, 'TOO_MANY']);
  for (const one of open) one.cut();
  await waitFor('a new one to be let in', async () => await upgrade('/diag/live', BEARER) === 'accepted');
});

test('too many subscriptions are refused; one that was left, refused or has ended gives its place back', async () => {
  const { session } = await given.agent.diagnose({ diagnosers: [{ id: 'event-log' }] }, 'test');
  await waitFor('the session to end', async () => (await given.agent.store.sessions.get(session)).state !== 'running', 60_000);
  const one = await page();
  for (let i = 0; i < MAX_SUBSCRIPTIONS + 5; i += 1) {
    one.ask(`r-${i}`, { type: 'follow-log', source: 'nosuchlog' });
    assert.equal((await one.first('refused', `r-${i}`)).code, 'SOURCE_UNKNOWN');
    one.ask(`e-${i}`, { type: 'follow-session', session });
    await one.first('session', `e-${i}`);
  }
  for (let i = 0; i < MAX_SUBSCRIPTIONS; i += 1) one.ask(`f-${i}`, { type: 'follow', topic: 'changes' });
  one.ask('over', { type: 'follow', topic: 'changes' });
  assert.equal((await one.first('refused', 'over')).code, 'TOO_MANY');
  one.ask('f-1', { type: 'follow', topic: 'changes' });         // the same name again replaces
  one.ask('f-0', { type: 'leave' });
  one.ask('over-2', { type: 'follow', topic: 'changes' });
  await one.first('changes', 'over-2');
  assert.deepEqual(one.all('refused').filter((m) => m.code === 'TOO_MANY').map((m) => m.id), ['over']);
  one.end();
});

test('messages that are not ours are refused one by one; a longer one than allowed closes the socket with 1009', async () => {
  const one = await page();
  const bad = ['{"broken', '"text"', '[]', '{}', { type: 'shutdown', id: 'a' }, { type: 'follow', id: 'a', topic: 'secrets' }, { type: 'follow', id: '<script>', topic: 'now' }, { type: 'follow-log', id: 'a', source: '../../etc/passwd' }, { type: 'follow-log', id: 'a', source: 'abc', last: 1e9 }, Buffer.from([0, 1, 2])];
  for (const message of bad) one.say(message);
  const refused = await waitFor('a refusal of each', () => (one.all('refused').length >= bad.length ? one.all('refused') : undefined));
  assert.deepEqual(refused.map((m) => m.code), bad.map(() => 'BAD_INPUT'));
  one.ask('n', { type: 'follow', topic: 'now' });
  await one.first('now', 'n');                                  // the socket lives on
  one.say('x'.repeat(17 * 1024));
  assert.equal(await waitFor('the close', () => one.closed), 1009);
});

test('who only asks and never reads is cut off instead of filling memory', { timeout: 120_000 }, async () => {
  const one = await page();
  one.ws.pause();
  let mostBytes = 0;
  const rubbish = '{'.repeat(15 * 1024);
  await waitFor('the server to cut it off', async () => {
    if (one.ws.readyState !== WebSocket.OPEN) return true;
    if (one.ws.bufferedAmount < 1_000_000) for (let i = 0; i < 2_000; i += 1) one.ws.send(i % 2 === 0 ? '{' : rubbish.slice(0, 20));
    mostBytes = Math.max(mostBytes, one.waitingBytes());
    const mine = (one.ws as unknown as { _socket: Socket | null })._socket?.localPort;
    return ![...sockets].some((s) => s.remotePort === mine);
  }, 100_000);
  assert.ok(mostBytes <= HIGH_WATER_BYTES + 64 * 1024, `${mostBytes} bytes waited`);
  one.cut();
});

/** How many descriptors of this process lead to a file. */
async function held(file: string): Promise<number> {
  const links = await Promise.allSettled((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`)));
  return links.filter((l) => l.status === 'fulfilled' && l.value === file).length;
}

test('the last follower to leave ends the tail: by its word, by its end, by being replaced', { skip: process.platform !== 'linux' }, async () => {
  // The observer follows application logs for their errors; this is none.
  const { file, source } = await log('left.log', numbered(1, 5), 'kudu/trace');
  const ends: readonly [string, (one: Page) => void][] = [
    ['leave', (one) => one.ask('log', { type: 'leave' })],
    ['another subscription of the same name', (one) => one.ask('log', { type: 'follow', topic: 'changes' })],
    ['a closed socket', (one) => one.end()],
    ['a dropped socket', (one) => one.cut()],
  ];
  for (const [what, end] of ends) {
    const one = await page();
    one.ask('log', { type: 'follow-log', source, last: 5 });
    await waitFor('the lines', () => one.texts('log').length === 5);
    await waitFor('the file to be held open', async () => await held(file) > 0);
    end(one);
    await waitFor(`the file to be let go after ${what}`, async () => await held(file) === 0);
    one.end();
  }
});

/** A second server over the same agent whose live sockets run on a clock that a test moves. */
async function onClock(clock: FakeClock): Promise<{ url: string; live: ReturnType<typeof attachLive>; close(): Promise<void> }> {
  const server = createServer();
  const agent: Agent = { ...given.agent, platform: Object.create(given.agent.platform, { clock: { value: clock } }) as Agent['platform'] };
  const live = attachLive(server, agent, given.guard, '/diag');
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/diag`, live, close: () => new Promise((done) => { server.close(() => { done(); }); server.closeAllConnections(); }) };
}

test('a page is asked for life every 30 s; one that does not answer is given up, one that does stays', async () => {
  const clock = new FakeClock();
  const { url, live, close } = await onClock(clock);
  const [good, dead] = [new Page(url), new Page(url, { headers: BEARER, autoPong: false })];
  let pings = 0;
  good.ws.on('ping', () => { pings += 1; });
  let unanswered = 0;
  dead.ws.on('ping', () => { unanswered += 1; });
  for (const one of [good, dead]) await one.first('hello');
  for (let round = 1; round <= 3; round += 1) {
    await clock.advance(PING_MS);
    await waitFor(`ping ${round}`, () => pings === round);
    // The answer must be back before the next ping: a ping of ours comes after it on the same connection.
    await new Promise<void>((done) => { good.ws.once('pong', () => { done(); }); good.ws.ping(); });
  }
  assert.equal(await waitFor('the dead page to be given up', () => dead.closed), 1006);
  assert.deepEqual([unanswered, good.closed, live.sockets], [1, undefined, 1]);
  live.close();
  assert.equal(await waitFor('the goodbye', () => good.closed), 1001);
  await close();
  assert.equal(clock.waiting, 0, 'no timer is left');
});

test('at the end pages are told 1001; one that does not answer is cut off, so that the end does not wait for it', async () => {
  const clock = new FakeClock();
  const { url, live, close } = await onClock(clock);
  const [good, deaf] = [new Page(url), new Page(url)];
  for (const one of [good, deaf]) await one.first('hello');
  deaf.ws.pause();
  live.close();
  assert.equal(await waitFor('the goodbye', () => good.closed), 1001);
  assert.equal(live.sockets, 1);
  await clock.advance(CLOSE_GRACE_MS);
  await close();                                               // resolves only when every socket is gone
  assert.equal(live.sockets, 0);
  deaf.cut();
});

test('the end of the agent closes every socket, also one that was refused and never hung up', async () => {
  const server = await listen(given.agent, resolve(import.meta.dirname, '../../public'));
  const one = new Page(server.url);
  await one.first('hello');
  one.ask('s', { type: 'follow', topic: 'samples' });
  await one.first('samples');
  const { port } = server.server.address() as AddressInfo;
  const rude = dial({ port, host: '127.0.0.1', allowHalfOpen: true });
  rude.on('error', () => { /* it is cut off */ });
  rude.write(`GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  await new Promise<void>((done) => { rude.once('data', () => { done(); }); });
  await server.close();
  assert.equal(await waitFor('the goodbye', () => one.closed), 1001);
  rude.destroy();
});
