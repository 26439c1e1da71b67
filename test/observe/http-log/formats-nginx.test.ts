// Tests that what a real nginx writes, asked by hostile clients, is read as what the clients sent.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { detect } from '../../../src/observe/http-log/detect.ts';
import { formatNamed, formatOf } from '../../../src/observe/http-log/formats/index.ts';
import { freePort } from '../../support/free-port.ts';
import { readRows } from '../../support/read-http-log.ts';
import type { PlainRow } from '../../support/read-http-log.ts';
import { waitFor } from '../../support/wait.ts';

const has = spawnSync('nginx', ['-v']).error === undefined;
const OWN = '$remote_addr "$request" $status $body_bytes_sent $request_length $request_time $upstream_addr $upstream_response_time $upstream_status "$http_user_agent" "$http_referer" $msec $host';
const JSON_OWN = '{"t":"$time_iso8601","m":"$request_method","u":"$request_uri","s":$status,"a":"$http_user_agent","h":"$host","d":$request_time}';

/** Two doors that nobody opens: each try of the pool fails. */
const config = (port: number, [first, second]: readonly [number, number]): string => `
daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events {}
http {
  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  log_format own '${OWN}';
  log_format own_json escape=json '${JSON_OWN}';
  upstream pool { server 127.0.0.1:${first}; server 127.0.0.1:${second}; }
  server {
    listen 127.0.0.1:${port};
    access_log combined.log combined; access_log own.log own; access_log json.log own_json;
    location / { return 200 "ok"; }
    location /down { return 503; }
    location /pool { proxy_pass http://pool; proxy_connect_timeout 2s; }
  }
}`;

/** Sends the bytes and waits until the server closes. */
async function ask(port: number, bytes: Uint8Array): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.resume();
  socket.write(bytes);                                         // an end of ours would be a client that gave up, where nginx is slow to ask the next server
  await once(socket, 'close');
}

test('what nginx writes of hostile requests, in combined, in its own format and in its own JSON, is what the clients sent', { skip: has ? false : 'nginx is not installed' }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nginx-log-'));
  mkdirSync(join(folder, 'tmp'));
  const port = await freePort(), doors = [await freePort(), await freePort()] as const;
  await writeFile(join(folder, 'nginx.conf'), config(port, doors));
  const server = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  try {
    await waitFor('nginx to listen', async () => { await ask(port, Buffer.from('GET /ready HTTP/1.1\r\nHost: ready\r\nConnection: close\r\n\r\n')); return true; });
    const agents = ['curl/8', 'say "hi" \\back\\ $x', 'Größe 日本語 😀', 'a\tb', '-', '', '\\x41 \\u0041', '" "'];
    const asked: { target: string; agent: string; status: number }[] = [];
    for (const [i, agent] of agents.entries()) asked.push({ target: `/a${i}?q=%22x%22&"y"\\z`, agent, status: 200 });
    asked.push({ target: '/down/x?', agent: 'curl/8', status: 503 }, { target: '/pool/1', agent: 'curl/8', status: 502 });
    for (const { target, agent } of asked) await ask(port, Buffer.from(`GET ${target} HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: ${agent}\r\nReferer: http://r/"\\\r\nConnection: close\r\n\r\n`));
    await ask(port, Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n', 'latin1'));
    const count = asked.length + 2;
    const logs = await waitFor('nginx to write its rows', async () => {
      const all = await Promise.all(['combined.log', 'own.log', 'json.log'].map((name) => readFile(join(folder, name))));
      return all.every((log) => log.toString('latin1').split('\n').length - 1 >= count) ? all : undefined;
    });
    const [combined, own, json] = logs as [Buffer, Buffer, Buffer];

    const expected = asked.map(({ target, agent, status }) => {
      const query = target.slice(target.indexOf('?') + 1);
      return { status, method: 'GET', path: target.split('?')[0], ...(target.includes('?') && query !== '' ? { query } : {}), ...(agent === '-' || agent === '' ? {} : { agent }) };
    });
    const told = (rows: readonly PlainRow[], names: readonly string[]): object[] => rows.map((row) => Object.fromEntries(names.filter((name) => row[name] !== undefined).map((name) => [name, row[name]])));
    const names = ['status', 'method', 'path', 'query', 'agent'];

    assert.equal(detect({ first: combined, whole: true, later: [] }).format?.id, 'ncsa-combined');
    const inCombined = readRows(formatOf('ncsa-combined'), [combined]);
    assert.deepEqual([inCombined.reader.counts.rows, inCombined.reader.counts.malformed], [count, 0]);
    assert.deepEqual(told(inCombined.rows.slice(1, -1), names), expected);
    assert.deepEqual(told(inCombined.rows.slice(1, -1), ['referrer', 'client']), expected.map(() => ({ referrer: 'http://r/"\\', client: '127.0.0.1' })));
    assert.deepEqual(told(inCombined.rows.slice(-1), names), [{ status: 400 }], 'a TLS hello names no resource');

    const inOwn = readRows(formatNamed(`nginx:${OWN}`), [own]);
    assert.deepEqual(inOwn.reader.counts.malformed, 0);
    assert.deepEqual(told(inOwn.rows.slice(1, -1), names), expected);
    const pool = inOwn.rows.find((row) => row['path'] === '/pool/1');
    assert.ok(pool !== undefined && doors.every((door) => String(pool['upstream']).includes(`127.0.0.1:${door}`)), `both tries of the pool: ${pool?.['upstream']}`);
    assert.ok(inOwn.rows.every((row) => Number(row['taken']) >= 0 && Number(row['received']) >= 0 && Math.abs(Number(row['at']) - Date.now()) < 300_000));

    const inJson = readRows(formatNamed(`nginx:log_format own_json escape=json '${JSON_OWN}';`), [json]);
    assert.deepEqual(inJson.reader.counts.malformed, 0);
    assert.deepEqual(told(inJson.rows.slice(1, -1), names), expected);
  } finally {
    server.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true });
  }
});
