// Owns the tests of shells over a real agent, a real listen and real shells: terminal, size, Ctrl+C, floods, coming back, one page at a time, limits, ends and audit.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { WebSocket, type ClientOptions } from 'ws';
import { ShellToPage, type ShellFromPage, type ShellView } from '../../src/shared/shells.ts';
import { createShells, MAX_SHELLS } from '../../src/agent/shells.ts';
import { SCROLLBACK_BYTES, WINDOW_BYTES } from '../../src/agent/shell/session.ts';
import { MAX_INPUT_BYTES } from '../../src/platform/shell/shell.ts';
import { listen, type Listening } from '../../src/server/listen.ts';
import { agentUnderTest, TOKEN, type AgentUnderTest } from '../support/agent.ts';
import { waitFor } from '../support/wait.ts';

const BEARER = { authorization: `Bearer ${TOKEN}` };
const MiB = 2 ** 20;
let given: AgentUnderTest;
let listening: Listening;
const screens = new Set<Screen>();

before(async () => {
  given = await agentUnderTest({ env: { APP_SAYS: 'from the app' } });
  listening = await listen(given.agent, resolve(import.meta.dirname, '../../public'));
  await waitFor('the observer to see the app', () => given.agent.observed.processes().some(({ pid }) => pid === given.victim.pid));
});
afterEach(async () => {
  for (const one of screens) one.ws.terminate();
  screens.clear();
  for (const { id } of (await given.agent.shells.list()).shells) await given.agent.shells.end(id, 'the test');
});
after(async () => {
  await listening.close();
  await given.stop();
});

/** The page's end: draws at once, or when it is told to. */
class Screen {
  readonly ws: WebSocket;
  readonly told: ShellToPage[] = [];
  bytes = 0;
  /** The newest of the output. */
  text = '';
  draws = true;
  closed: number | undefined;
  #told = 0;
  constructor(id: string, options: ClientOptions = { headers: BEARER }) {
    screens.add(this);
    this.ws = new WebSocket(`${listening.url.replace('http', 'ws')}/shell?id=${id}`, options);
    this.ws.on('error', () => { /* 'close' follows */ });
    this.ws.on('close', (code) => { this.closed = code; });
    this.ws.on('message', (raw: Buffer, isBinary) => {
      if (!isBinary) { this.told.push(ShellToPage.parse(JSON.parse(String(raw)))); return; }
      this.bytes += raw.length;
      this.text = (this.text + raw.toString()).slice(-20_000);
      if (this.draws) this.draw();
    });
  }
  draw(): void { if (this.bytes > this.#told) { this.#told = this.bytes; this.say({ type: 'seen', bytes: this.bytes }); } }
  say(message: ShellFromPage): void { this.ws.send(JSON.stringify(message)); }
  keys(text: string): void { this.ws.send(Buffer.from(text)); }
  first<T extends ShellToPage['type']>(type: T): Extract<ShellToPage, { type: T }> | undefined { return this.told.find((m): m is Extract<ShellToPage, { type: T }> => m.type === type); }
  async shows(what: RegExp): Promise<RegExpExecArray> { return await waitFor(`${what} on the screen, which ends in ${JSON.stringify(this.text.slice(-300))}`, () => what.exec(this.text), 60_000); }
}

async function opened(order: { shell?: 'bash' | 'sh'; cols?: number; rows?: number } = {}): Promise<{ shell: ShellView; screen: Screen }> {
  const { shell } = await given.agent.shells.open({ shell: 'sh', cols: 80, rows: 24, ...order }, 'tester');
  const screen = new Screen(shell.id);
  await waitFor('the hello', () => screen.first('hello'));
  return { shell, screen };
}
const listed = async (id: string): Promise<ShellView | undefined> => (await given.agent.shells.list()).shells.find((one) => one.id === id);

/** Live processes that carry this mark among their arguments. */
function marked(mark: string): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(mark) && !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    } catch {
      return false;                                            // it has just ended
    }
  });
}

test('a shell has a terminal of the asked size, which follows, and the variables of the app', async () => {
  const { shell, screen } = await opened({ cols: 91, rows: 33 });
  assert.deepEqual([shell.by, shell.why], ['pty', undefined]);
  screen.keys('stty size; tput cols; echo "$TERM $APP_SAYS ${DIAG_TOKEN-none}"\r');
  await screen.shows(/33 91\r\n91\r\nxterm-256color from the app none/);
  screen.say({ type: 'size', cols: 120, rows: 50 });
  screen.keys('stty size\r');
  await screen.shows(/50 120/);
});

test('a program draws a screen; whoever comes back sees it as it is, modes included, after a loss too', async () => {
  const { shell, screen } = await opened({ shell: 'bash' });
  screen.keys(`printf '\\033[?1049h\\033[?25l'; head -c ${SCROLLBACK_BYTES + 3 * MiB} /dev/zero | tr '\\0' .; printf 'LAST''-WORDS'; sleep 1000\r`);
  await screen.shows(/LAST-WORDS/);
  screen.ws.terminate();
  const back = new Screen(shell.id);
  await back.shows(/LAST-WORDS/);
  const hello = back.first('hello');
  assert.ok(hello && hello.lostBytes > 3 * MiB - 64 * 1024, `${hello?.lostBytes} lost are told`);
  assert.ok(hello.replayBytes <= SCROLLBACK_BYTES + 100);
  await waitFor('all that was kept', () => back.bytes >= hello.replayBytes);
  const start = new Screen(shell.id);
  start.draws = false;
  await waitFor('the first bytes', () => start.bytes > 0);
  assert.ok(start.text.length > 0);
  assert.equal((await listed(shell.id))?.busy, true);
});

test('a flood waits for a page that does not draw, goes on as it draws, and Ctrl+C ends it', async () => {
  const { screen } = await opened();
  screen.draws = false;
  screen.keys('yes 0123456789\r');
  await waitFor('the window to be full', () => screen.bytes >= WINDOW_BYTES);
  const before = screen.bytes;
  screen.keys('');                                             // a turn of the socket there and back
  await waitFor('a turn of the agent', async () => (await given.agent.shells.list()).shells.length === 1);
  assert.ok(screen.bytes - before <= 64 * 1024, `${screen.bytes - before} bytes beyond the window`);
  screen.draws = true;
  screen.draw();
  await waitFor('ten windows', () => screen.bytes > 10 * WINDOW_BYTES);
  screen.keys('\x03');
  screen.keys('echo still"-here"\r');
  await screen.shows(/still-here\r\n/);
});

test('50 MB of output are drawn whole, and the agent keeps one megabyte of them', async () => {
  const { shell, screen } = await opened();
  globalThis.gc?.();
  const before = process.memoryUsage();
  screen.keys("head -c 50000000 /dev/zero | tr '\\0' x; echo; echo done'-with-it'\r");
  await screen.shows(/done-with-it/);
  assert.ok(screen.bytes >= 50_000_000, `${screen.bytes} bytes`);
  const grown = process.memoryUsage().external - before.external;
  assert.ok(grown < 24 * MiB, `${(grown / MiB).toFixed(1)} MiB more outside of the heap`);
  const { lostBytes } = await listed(shell.id) as ShellView;
  assert.ok(screen.bytes - lostBytes <= SCROLLBACK_BYTES && lostBytes > 48_000_000, `${lostBytes} lost`);
});

test('what nobody reads does not fill memory, does not stop the agent, and Ctrl+C gets past it', async () => {
  const { screen } = await opened();
  screen.keys('sleep 1000\r');
  await screen.shows(/sleep 1000\r\n/);
  const paste = 'x'.repeat(60_000);
  for (let sent = 0; sent < MAX_INPUT_BYTES + 8 * 60_000; sent += paste.length) screen.keys(paste);
  await waitFor('what found no room to be told', () => screen.first('unread'));
  assert.ok((await given.agent.shells.list()).shells.length === 1, 'the agent answers meanwhile');
  screen.keys('\x03');
  await waitFor('the end of what ran', async () => (await given.agent.shells.list()).shells[0]?.busy === false);
});

test('without a page the command runs on; its output is there for who comes', async () => {
  const { shell, screen } = await opened();
  screen.keys('sleep 0.2; echo "later"-on\r');
  await waitFor('it to run', async () => (await listed(shell.id))?.busy === true);
  screen.ws.terminate();
  await waitFor('nobody to look', async () => (await listed(shell.id))?.watched === false && (await listed(shell.id))?.busy === false);
  await new Screen(shell.id).shows(/later-on/);
});

test('one page at a time: the page before is told who took it, and its keys are not taken', async () => {
  const { shell, screen } = await opened();
  const second = new Screen(shell.id);
  await waitFor('the taking over', () => screen.first('taken') && screen.closed === 1000);
  assert.equal(screen.first('taken')?.who, 'token');
  second.keys('echo only"-me"\r');
  await second.shows(/only-me/);
});

test('a shell that ends by itself tells its exit code, and can still be read', async () => {
  const { shell, screen } = await opened();
  screen.keys('echo bye; exit 7\r');
  const ended = await waitFor('its end', () => screen.first('shell')?.shell.ended);
  assert.deepEqual([ended.exitCode, ended.because], [7, 'It ended by itself with exit code 7.']);
  await new Screen(shell.id).shows(/bye/);
  const entries = (await given.agent.store.audit.recent(20)).entries.filter(({ what }) => what === shell.title);
  assert.deepEqual(entries.map(({ who, did }) => [who, did]), [['tester', 'shell ended'], ['token', 'look at shell'], ['tester', 'open shell']]);
  assert.match(entries.at(-1)?.result ?? '', /^pty, process \d+, in /);
});

test('ending a shell ends all that it started: in the background, without a parent, stopped', async () => {
  const { shell, screen } = await opened({ shell: 'bash' });
  const mark = `1000.${Number.parseInt(shell.id, 16)}`;
  const run = `sleep ${mark}`;
  screen.keys(`${run} &\r(${run} &)\r(trap '' HUP TERM; ${run}) &\r${run}\r`);
  const [first] = await waitFor('all four', () => { const all = marked(mark); return all.length === 4 ? all : undefined; });
  process.kill(first as number, 'SIGSTOP');
  await given.agent.shells.end(shell.id, 'tester');
  assert.deepEqual(marked(mark), []);
  assert.equal(await listed(shell.id), undefined);
});

test(`more than ${MAX_SHELLS}: the least recently used at its prompt gives way and says so; when all are busy, none does`, async () => {
  const all: { shell: ShellView; screen: Screen }[] = [];
  for (let i = 0; i < MAX_SHELLS; i += 1) all.push(await opened());
  const atPrompt = async (id: string): Promise<boolean> => (await listed(id))?.busy === false;
  for (const { shell } of all) await waitFor('its prompt', () => atPrompt(shell.id));
  all[0]?.screen.keys('echo used\r');
  await all[0]?.screen.shows(/used\r\n/);
  await waitFor('its prompt', () => atPrompt(all[0]?.shell.id ?? ''));
  const { ended } = await given.agent.shells.open({ shell: 'sh', cols: 80, rows: 24 }, 'tester');
  assert.equal(ended?.id, all[1]?.shell.id, 'the second is the one not used for the longest time');
  assert.match(all[1]?.screen.first('shell')?.shell.ended?.because ?? '', /^It was ended to make room/);
  for (const { id, ended: over } of (await given.agent.shells.list()).shells) {
    if (over !== undefined) continue;
    const screen = new Screen(id);
    await waitFor('the hello', () => screen.first('hello'));
    screen.keys('sleep 1000\r');
    await waitFor('it to be busy', async () => (await listed(id))?.busy === true);
  }
  await assert.rejects(given.agent.shells.open({ shell: 'sh', cols: 80, rows: 24 }, 'tester'), { code: 'SHELL_LIMIT' });
});

test('a socket without the token, from another site, or for no shell is refused', async () => {
  const { shell } = await opened();
  const refusals: readonly (readonly [ClientOptions, string])[] = [[{}, '401'], [{ headers: { ...BEARER, origin: 'https://evil.example' } }, '403'], [{ headers: { ...BEARER, host: 'rebound.example' } }, '403']];
  for (const [options, status] of refusals) {
    const ws = new WebSocket(`${listening.url.replace('http', 'ws')}/shell?id=${shell.id}`, options);
    const error = await new Promise<Error>((done) => { ws.on('error', done); });
    assert.match(error.message, new RegExp(status));
  }
  const none = new Screen('0123456789ab');
  await waitFor('the refusal', () => none.closed !== undefined);
  assert.deepEqual([none.first('refused')?.code, none.closed], ['SHELL_UNKNOWN', 1008]);
  const bad = new Screen(shell.id);
  await waitFor('the hello', () => bad.first('hello'));
  bad.ws.send('{"type":"size","cols":1e9,"rows":-1}');
  await waitFor('the close', () => bad.closed === 1008);
});

test('switched off there is none, and the agent\'s end ends all', async () => {
  const off = createShells(given.agent, { shell: false, shellIdleMs: 1, env: {} });
  assert.deepEqual((await off.list()).offer, { yes: false, because: 'the setting DIAG_SHELL is off' });
  await assert.rejects(off.open({ cols: 80, rows: 24 }, 'tester'), { code: 'SHELL_OFF' });
  await off.stop();
  const own = createShells(given.agent, { shell: true, shellIdleMs: 1, env: { PATH: process.env['PATH'] } });
  const { shell } = await own.open({ shell: 'bash', cols: 80, rows: 24 }, 'tester');
  await waitFor('the idle one to be ended', async () => (await own.list()).shells.find(({ id }) => id === shell.id)?.ended?.because.startsWith('It was ended after'));
  const last = await own.open({ shell: 'bash', cols: 80, rows: 24 }, 'tester');
  await own.stop();
  assert.match((await own.list()).shells.find(({ id }) => id === last.shell.id)?.ended?.because ?? '', /^It was ended (with the agent|after)/);
});
