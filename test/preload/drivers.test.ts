// Tests what is seen of databases with real servers and the drivers that people use: calls as drivers tell of them, connections where they tell nothing, and what a request waits for.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { after, before, describe, test } from 'node:test';
import { dependenciesOf } from '../../src/observe/samplers/app-sum.ts';
import type { Announcement, AppTick } from '../../src/shared/app-link.ts';
import { startDatabases, type Databases } from '../support/databases.ts';
import { waitFor } from '../support/wait.ts';
import { openBench, siteEnv, type Bench } from './app.ts';
import { announced, listenTo, question, type Heard } from './asking.ts';
import { root } from './nodes.ts';

let [bench, databases, child, home, port, app, heard]: [Bench?, Databases?, ChildProcess?, string?, number?, Announcement?, Heard?] = [];

before(async () => {
  [bench, databases, home] = await Promise.all([openBench(), startDatabases(), mkdtemp(join(tmpdir(), 'preload-drivers-'))]);
  const { mysql, pg, redis, pgUser } = databases;
  child = spawn(process.execPath, [join(root, 'test/apps/preload-databases.cjs')], { cwd: home, env: { ...siteEnv(home), PORT_FILE: join(home, 'port'), DATABASES: [mysql, pg, redis, pgUser].join(' '), NODE_OPTIONS: `--require=${bench.preload}` }, stdio: 'ignore' });
  [port] = await waitFor('the app to listen', async () => JSON.parse(await readFile(join(home ?? '', 'port'), 'utf8')) as [number], 60_000);
  app = await waitFor('the app to announce itself', () => announced(join(home ?? '', 'data/DaaS/diag/apps/ababab')), 60_000);
  heard = listenTo(app);
  await waitFor('a tick', () => (heard?.ticks.length ?? 0) > 0, 60_000);
});
after(async () => {
  heard?.close();
  child?.kill('SIGKILL');
  await Promise.all([bench?.close(), databases?.close()]);
  if (home !== undefined) await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

const answered = (path: string): Promise<string> => new Promise((resolve, reject) => { get({ host: '127.0.0.1', port, path, agent: false }, (answer) => { let text = ''; answer.setEncoding('utf8').on('data', (piece: string) => { text += piece; }).on('end', () => { resolve(text); }); }).on('error', reject); });
const hang = (path: string): void => { answered(path).catch(() => undefined); };
const ticks = (): readonly AppTick[] => heard?.ticks ?? [];
const tick = (what: string, is: (tick: AppTick) => boolean): Promise<AppTick> => waitFor(what, () => ticks().find(is), 60_000);
const dependency = (host: string): ReturnType<typeof dependenciesOf>[number] | undefined => dependenciesOf(ticks(), ticks().slice(-1)).find((one) => one.host === host);
const to = (which: 'mysql' | 'pg' | 'redis'): string => `127.0.0.1:${databases?.[which]}`;

/** The server ends what hangs, as somebody at its console would. */
async function endStatement(): Promise<void> {
  const console = await createConnection({ host: '127.0.0.1', port: databases?.mysql ?? 0, user: 'root' });
  const [rows] = await console.query<({ readonly id: number } & RowDataPacket)[]>("select id from information_schema.processlist where info like 'select sleep(%'");
  for (const { id } of rows) await console.query(`kill query ${Number(id)}`);
  await console.end();
}

describe('databases', { timeout: 180_000 }, () => {
  test('each call of a driver that tells is counted with its service; what the server refuses for the app\'s own fault is no failure of it; a database that is gone is', async () => {
    for (const path of ['/mysql', '/mysql-execute', '/mysql-execute', '/redis', '/ioredis', '/pg']) assert.match(await answered(path), /^(1|null)$/, path);
    assert.equal(await answered('/mysql-wrong'), '"ER_NO_SUCH_TABLE"');
    assert.equal(await answered('/redis-wrong'), '"WRONGTYPE"');
    assert.equal(await answered('/mysql-gone'), '"ECONNREFUSED"');
    await waitFor('all calls to be told', () => dependency(to('mysql'))?.count === 4 && (dependency(to('redis'))?.count ?? 0) >= 4 && dependency('127.0.0.1:1') !== undefined && dependency(to('pg'))?.open === 1, 60_000);
    const [mysql, redis, gone, pg] = [dependency(to('mysql')), dependency(to('redis')), dependency('127.0.0.1:1'), dependency(to('pg'))];
    assert.deepEqual([mysql?.by, mysql?.service, mysql?.errors, mysql?.open, mysql?.inFlight], ['driver', 'MySQL', [], 1, 0]);
    assert.deepEqual([redis?.by, redis?.service, redis?.errors, redis?.open], ['driver', 'Redis', [], 2]);
    assert.deepEqual([gone?.by, gone?.count, gone?.errors], ['driver', 0, [['ECONNREFUSED', 1]]]);
    assert.deepEqual([pg?.by, pg?.count], ['socket', 0]);
  });

  test('a request waits for the call of its driver, for a connection of the pool, or for a connection that does not answer', async () => {
    await question(app as Announcement, { what: 'follow', forS: 120 });
    // What was answered a moment ago and asked again at once: only following tells that the last thing was a question.
    await Promise.all(['/pg', '/mysql', '/redis', '/ioredis'].map(answered));
    for (const path of ['/pg?for=120', '/mysql?for=120', '/redis?for=120', '/ioredis?for=120']) hang(path);
    const waitOf = ({ oldest }: AppTick, path: string): string => oldest.find((flight) => flight.path === path)?.waits?.map(({ for: what, on = '' }) => `${what} ${on}`.trim()).join(', ') ?? '-';
    await tick('the first to have the only connection', (one) => waitOf(one, '/mysql').startsWith('call'));
    hang('/mysql-execute?for=120');
    const first = await tick('one to wait for the pool', (one) => waitOf(one, '/mysql-execute').startsWith('connection') && waitOf(one, '/pg') !== 'nothing' && waitOf(one, '/redis') !== '-' && waitOf(one, '/ioredis') !== '-');
    assert.deepEqual(['/mysql', '/mysql-execute', '/redis', '/ioredis', '/pg'].map((path) => waitOf(first, path)), [`call ${to('mysql')}`, `connection a free connection to ${to('mysql')}`, `call ${to('redis')}`, `call ${to('redis')}`, `socket ${to('pg')}`]);
    const waiting = first.dependencies.find(({ host }) => host === to('mysql'));
    assert.deepEqual([waiting?.waiting, waiting?.inFlight], [1, 1]);
    await endStatement();
    const then = await tick('the other to have the connection', (one) => one.seq > first.seq && waitOf(one, '/mysql-execute').startsWith('call'));
    assert.deepEqual([waitOf(then, '/mysql'), waitOf(then, '/mysql-execute')], ['-', `call ${to('mysql')}`]);
    assert.ok((then.dependencies.find(({ host }) => host === to('pg'))?.silentMs ?? 0) > 0);
  });

  test('neither a statement nor a password is told', () => {
    assert.doesNotMatch(JSON.stringify(ticks()), /nobody-sees|no_such_table|pg_sleep|blpop/i);
  });
});
