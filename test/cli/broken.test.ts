// Owns the tests of connections that break: downloads resume by range, a followed log goes on over an agent that restarts.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { TOKEN } from '../support/agent.ts';
import { victim, type Victim } from '../support/victim.ts';
import { waitFor } from '../support/wait.ts';
import { diag, runningAgent, start, withFolder, type Running, type Started } from './support.ts';

/** Serves one test's answers; every request is noted. */
async function withServer(listener: RequestListener, work: (url: string, ranges: (string | undefined)[]) => Promise<void>): Promise<void> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((req, res) => { ranges.push(req.headers.range); listener(req, res); });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/diag`, ranges);
  } finally {
    server.closeAllConnections();
    await new Promise<void>((done) => { server.close(() => { done(); }); });
  }
}

/** Sends the head and so many bytes, and ends the connection as a front end does that was recycled. */
function cutAfter(res: ServerResponse, status: number, headers: Record<string, string>, body: Uint8Array, sentBytes: number): void {
  res.writeHead(status, { ...headers, 'content-length': String(body.length) });
  res.flushHeaders();
  if (sentBytes === 0) res.socket?.end();
  else res.write(body.subarray(0, sentBytes), () => { res.socket?.end(); });
}

const ID = '261121_0214071234';
const HEADERS = { 'content-type': 'application/zip', 'accept-ranges': 'bytes' };

let given: Running;
before(async () => { given = await runningAgent(); });
after(async () => { await given.stop(); });

test('a real bundle through a front end that cuts every connection: resumed by range until it is whole', async () => {
  const ran = await given.diag('diagnose', '--only', 'http-logs,application-logs', '--json');
  const { session } = JSON.parse(ran.stdout) as { session: string };
  const whole = Buffer.from(await (await fetch(`${given.url}/api/sessions/${session}/bundle`, { headers: { authorization: `Bearer ${TOKEN}` } })).arrayBuffer());
  const piece = Math.ceil(whole.length / 8);
  const front = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { host: _host, connection: _connection, ...headers } = req.headers as Record<string, string>;
    const answer = await fetch(`${new URL(given.url).origin}${req.url ?? ''}`, { headers });
    const body = Buffer.from(await answer.arrayBuffer());
    const kept = Object.fromEntries([...answer.headers].filter(([name]) => ['content-type', 'content-range', 'accept-ranges', 'etag', 'last-modified'].includes(name)));
    cutAfter(res, answer.status, kept, body, Math.min(piece, body.length));
  };
  await withServer((req, res) => { front(req, res).catch(() => { res.destroy(); }); }, async (url, ranges) => {
    await withFolder(async (folder) => {
      const got = await diag(['bundle', session, '--url', url, '--token', TOKEN, '--out', join(folder, 'b.zip')]);
      assert.equal(got.code, 0, got.stderr);
      assert.ok(whole.equals(await readFile(join(folder, 'b.zip'))), 'the very bytes');
      const starts = ranges.map((r) => (r === undefined ? 0 : Number(/^bytes=(\d+)-$/.exec(r)?.[1])));
      assert.ok(starts.length >= 8 && starts.every((at, i) => i === 0 ? at === 0 : at > 0 && at >= (starts[i - 1] ?? 0) && at <= (starts[i - 1] ?? 0) + piece), starts.join(' '));
      assert.deepEqual(await readdir(folder), ['b.zip']);
    });
  });
});

test('a file that changed while it was sent starts from the beginning', async () => {
  const [first, second] = [randomBytes(5_000), randomBytes(4_000)];
  let asked = 0;
  const listener: RequestListener = (req, res) => {
    asked += 1;
    if (asked === 1) { cutAfter(res, 200, { ...HEADERS, etag: '"one"' }, first, 2_000); return; }
    assert.deepEqual([req.headers.range, req.headers['if-range']], ['bytes=2000-', '"one"']);
    res.writeHead(200, { ...HEADERS, etag: '"two"' }).end(second);
  };
  await withServer(listener, async (url) => {
    await withFolder(async (folder) => {
      assert.equal((await diag(['bundle', ID, '--url', url, '--out', join(folder, 'b.zip')])).code, 0);
      assert.ok(second.equals(await readFile(join(folder, 'b.zip'))));
    });
  });
});

test('a front end that answers 502 for a moment is asked again; a refusal of the agent is not', async () => {
  const body = randomBytes(1_000);
  let asked = 0;
  await withServer((_req, res) => {
    asked += 1;
    if (asked < 3) res.writeHead(502, { 'content-type': 'text/html' }).end('Bad Gateway');
    else res.writeHead(200, HEADERS).end(body);
  }, async (url) => {
    await withFolder(async (folder) => {
      assert.equal((await diag(['bundle', ID, '--url', url, '--out', join(folder, 'b.zip')])).code, 0);
      assert.equal(asked, 3);
    });
  });
  await withServer((_req, res) => { res.writeHead(507, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ type: 't', title: 't', status: 507, code: 'NO_ROOM', detail: 'There is no room.' })); }, async (url, ranges) => {
    await withFolder(async (folder) => {
      const ran = await diag(['bundle', ID, '--url', url, '--out', join(folder, 'b.zip')]);
      assert.deepEqual([ran.code, ranges.length], [3, 1]);
      assert.match(ran.stderr, /There is no room\. \[NO_ROOM\]/);
    });
  });
});

test('connections that bring nothing are given up, with why, and no part is left', { timeout: 60_000 }, async () => {
  await withServer((_req, res) => { cutAfter(res, 200, { ...HEADERS, etag: '"one"' }, randomBytes(5_000), 0); }, async (url, ranges) => {
    await withFolder(async (folder) => {
      const ran = await diag(['bundle', ID, '--url', url, '--out', join(folder, 'b.zip')]);
      assert.deepEqual([ran.code, ran.stdout, ranges.length], [3, '', 5]);
      assert.match(ran.stderr, /\[UNREACHABLE\]/);
      assert.deepEqual(await readdir(folder), []);
    });
  });
});

test('a disk that refuses is told as that', async () => {
  await withServer((_req, res) => { res.writeHead(200, HEADERS).end(randomBytes(10)); }, async (url, ranges) => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'file'), 'in the way');
      const ran = await diag(['bundle', ID, '--url', url, '--out', join(folder, 'file', 'b.zip')]);
      assert.equal(ran.code, 3);
      assert.match(ran.stderr, /\[(ENOTDIR|EEXIST)\]/);
      assert.ok(ranges.length <= 1);
    });
  });
});

test('Ctrl+C during a download ends it and leaves no part', async () => {
  await withServer((_req, res) => { res.writeHead(200, { ...HEADERS, 'content-length': '5000' }); res.write(randomBytes(1_000)); }, async (url) => {
    await withFolder(async (folder) => {
      const running = start(['bundle', ID, '--url', url, '--out', join(folder, 'b.zip')]);
      await waitFor('the part', async () => (await readdir(folder)).some((f) => f.endsWith('.part')));
      running.child.kill('SIGINT');
      const ran = await running.ended;
      assert.equal(ran.code, 3);
      assert.match(ran.stderr, /Interrupted\. \[CANCELLED\]/);
      assert.deepEqual(await readdir(folder), []);
    });
  });
});

/** An agent as a process of its own, so that it can be killed. */
async function serve(home: string, worker: Victim, port: string): Promise<{ running: Started; url: string }> {
  const running = start(['serve', '--home', home, '--port', port, '--json'], { DIAG_PROCESSES: String(worker.pid) });
  const { url } = await waitFor('the agent to listen', () => JSON.parse(running.stdout()) as { url: string }, 60_000);
  return { running, url };
}

test('logs --follow goes on over an agent that is killed and comes back, on its port or on another: no line twice, none missing', { timeout: 180_000 }, async () => {
  await withFolder(async (home) => {
    const worker = await victim();
    await mkdir(join(home, 'LogFiles', 'Application'), { recursive: true });
    const file = join(home, 'LogFiles', 'Application', 'app.txt');
    let written = 0;
    const write = (count: number): Promise<void> => appendFile(file, Array.from({ length: count }, () => `INFO line ${written += 1}.\n`).join(''));
    await write(10);
    let { running, url } = await serve(home, worker, '0');
    const byUrl = start(['logs', 'app.txt', '-f', '--json', '--url', url, '--home', home]);
    const byHome = start(['logs', 'app.txt', '-f', '--home', home]);
    const numbers = (one: Started): number[] => [...one.stdout().matchAll(/line (\d+)\./g)].map((m) => Number(m[1]));
    const both = [byUrl, byHome];
    for (const one of both) await waitFor('the first lines', () => numbers(one).length === 10);

    running.child.kill('SIGKILL');
    await running.ended;
    await write(10);                                           // nobody is there to see them
    for (const one of both) await waitFor('the loss to be said', () => /is lost; trying again/.test(one.stderr()));
    ({ running, url } = await serve(home, worker, new URL(url).port));
    for (const one of both) await waitFor('the lines that were missed', () => numbers(one).at(-1) === 20, 60_000);
    await write(5);
    for (const one of both) await waitFor('a line after that', () => numbers(one).at(-1) === 25);

    running.child.kill('SIGINT');                              // in order this time
    await running.ended;
    await write(5);
    ({ running } = await serve(home, worker, '0'));
    await waitFor('the one that follows the home to find the new port', () => numbers(byHome).at(-1) === 30, 60_000);
    for (const one of both) one.child.kill('SIGINT');
    for (const one of both) assert.equal((await one.ended).code, 0);
    assert.deepEqual(numbers(byHome), Array.from({ length: 30 }, (_, i) => i + 1));
    assert.deepEqual(numbers(byUrl), Array.from({ length: 25 }, (_, i) => i + 1));
    assert.match(byHome.stderr(), /^the connection to \S+ is lost; trying again …\nconnected again\n/);
    running.child.kill('SIGINT');
    await running.ended;
    await worker.stop();
  });
});
