// Tests what is seen of databases with real servers and the drivers that people use: calls as drivers tell of them, connections where they tell nothing, and what a request waits for.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
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

let bench: Bench | undefined;
let databases: Databases | undefined;
const skip = ['/usr/bin/redis-server', '/usr/sbin/mariadbd', '/usr/lib/postgresql'].every((path) => existsSync(path)) ? false : 'SKIPPED: Redis, MariaDB or PostgreSQL is not installed';
before(async () => { if (skip === false) [bench, databases] = await Promise.all([openBench(), startDatabases()]); });
after(async () => { await Promise.all([bench?.close(), databases?.close()]); });

/** The app with its preload, and somebody who listens. */
class Watched {
  readonly #home: string;
  readonly #heard: Heard;
  readonly port: number;
  readonly app: Announcement;
  readonly ended: Promise<number | null>;
  readonly child: ChildProcess;

  private constructor(of: { home: string; heard: Heard; port: number; app: Announcement; child: ChildProcess; ended: Promise<number | null> }) {
    [this.#home, this.#heard, this.port, this.app, this.child, this.ended] = [of.home, of.heard, of.port, of.app, of.child, of.ended];
  }

  static async open(more: Readonly<Record<string, string>>): Promise<Watched> {
    const home = await mkdtemp(join(tmpdir(), 'preload-drivers-'));
    const { mysql, pg, redis, pgUser } = databases as Databases;
    const child = spawn(process.execPath, [join(root, 'test/apps/preload-databases.cjs')], { cwd: home, env: { ...siteEnv(home), ...more, PORT_FILE: join(home, 'port'), DATABASES: [mysql, pg, redis, pgUser].join(' '), NODE_OPTIONS: `--require=${bench?.preload}` }, stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve) => { child.on('exit', resolve); });
    const [port] = await waitFor('the app to listen', async () => JSON.parse(await readFile(join(home, 'port'), 'utf8')) as [number], 60_000);
    const app = await waitFor('the app to announce itself', () => announced(join(home, 'data/DaaS/diag/apps/ababab')), 60_000);
    const heard = listenTo(app);
    await waitFor('a tick', () => heard.ticks.length > 0, 60_000);
    return new Watched({ home, heard, port, app, child, ended });
  }

  get ticks(): readonly AppTick[] { return this.#heard.ticks; }

  answered(path: string): Promise<string> {
    return new Promise((resolve, reject) => { get({ host: '127.0.0.1', port: this.port, path, agent: false }, (answer) => { let text = ''; answer.setEncoding('utf8').on('data', (piece: string) => { text += piece; }).on('end', () => { resolve(text); }); }).on('error', reject); });
  }

  hang(path: string): void {
    this.answered(path).catch(() => undefined);
  }

  tick(what: string, is: (tick: AppTick) => boolean): Promise<AppTick> {
    return waitFor(what, () => this.ticks.find(is), 60_000);
  }

  dependency(host: string): ReturnType<typeof dependenciesOf>[number] | undefined {
    return dependenciesOf(this.ticks, this.ticks.slice(-1)).find((one) => one.host === host);
  }

  async close(): Promise<void> {
    this.#heard.close();
    this.child.kill('SIGKILL');
    await this.ended;
    await rm(this.#home, { recursive: true, force: true, maxRetries: 5 });
  }
}

const to = (which: 'mysql' | 'pg' | 'redis'): string => `127.0.0.1:${databases?.[which]}`;
const waitOf = ({ oldest }: AppTick, path: string): string => oldest.find((flight) => flight.path === path)?.waits?.map(({ for: what, on = '' }) => `${what} ${on}`.trim()).join(', ') ?? '-';

/** The server ends what hangs, as somebody at its console would. */
async function endStatement(): Promise<void> {
  const console = await createConnection({ host: '127.0.0.1', port: databases?.mysql ?? 0, user: 'root' });
  const [rows] = await console.query<({ readonly id: number } & RowDataPacket)[]>("select id from information_schema.processlist where info like 'select sleep(%'");
  for (const { id } of rows) await console.query(`kill query ${Number(id)}`);
  await console.end();
}

describe('databases, all channels heard', { timeout: 180_000, skip }, () => {
  let one: Watched;
  before(async () => { one = await Watched.open({ DIAG_PRELOAD_DRIVERS: 'all' }); });
  after(async () => { await one.close(); });

  test('each call of a driver that tells is counted with its service; what the server refuses for the app\'s own fault is no failure of it; a database that is gone is', async () => {
    for (const path of ['/mysql', '/mysql-execute', '/mysql-execute', '/redis', '/ioredis', '/pg']) assert.match(await one.answered(path), /^(1|null)$/, path);
    assert.equal(await one.answered('/mysql-wrong'), '"ER_NO_SUCH_TABLE"');
    assert.equal(await one.answered('/redis-wrong'), '"WRONGTYPE"');
    assert.equal(await one.answered('/mysql-gone'), '"ECONNREFUSED"');
    await waitFor('all calls to be told', () => one.dependency(to('mysql'))?.count === 4 && (one.dependency(to('redis'))?.count ?? 0) >= 4 && one.dependency('127.0.0.1:1') !== undefined && one.dependency(to('pg'))?.open === 1, 60_000);
    const [mysql, redis, gone, pg] = [one.dependency(to('mysql')), one.dependency(to('redis')), one.dependency('127.0.0.1:1'), one.dependency(to('pg'))];
    assert.deepEqual([mysql?.by, mysql?.service, mysql?.errors, mysql?.open, mysql?.inFlight], ['driver', 'MySQL', [], 1, 0]);
    assert.deepEqual([redis?.by, redis?.service, redis?.errors, redis?.open], ['driver', 'Redis', [], 2]);
    assert.deepEqual([gone?.by, gone?.count, gone?.errors], ['driver', 0, [['ECONNREFUSED', 1]]]);
    assert.deepEqual([pg?.by, pg?.count], ['socket', 0]);
  });

  test('a request waits for the call of its driver, for a connection of the pool, or for a connection that does not answer', async () => {
    await question(one.app, { what: 'follow', forS: 120 });
    // What was answered a moment ago and asked again at once: only following tells that the last thing was a question.
    await Promise.all(['/pg', '/mysql', '/redis', '/ioredis'].map((path) => one.answered(path)));
    for (const path of ['/pg?for=120', '/mysql?for=120', '/redis?for=120', '/ioredis?for=120']) one.hang(path);
    await one.tick('the first to have the only connection', (each) => waitOf(each, '/mysql').startsWith('call'));
    one.hang('/mysql-execute?for=120');
    const first = await one.tick('one to wait for the pool', (each) => waitOf(each, '/mysql-execute').startsWith('connection') && waitOf(each, '/pg') !== 'nothing' && waitOf(each, '/redis') !== '-' && waitOf(each, '/ioredis') !== '-');
    assert.deepEqual(['/mysql', '/mysql-execute', '/redis', '/ioredis', '/pg'].map((path) => waitOf(first, path)), [`call ${to('mysql')}`, `connection a free connection to ${to('mysql')}`, `call ${to('redis')}`, `call ${to('redis')}`, `socket ${to('pg')}`]);
    const waiting = first.dependencies.find(({ host }) => host === to('mysql'));
    assert.deepEqual([waiting?.waiting, waiting?.inFlight], [1, 1]);
    await endStatement();
    const then = await one.tick('the other to have the connection', (each) => each.seq > first.seq && waitOf(each, '/mysql-execute').startsWith('call'));
    assert.deepEqual([waitOf(then, '/mysql'), waitOf(then, '/mysql-execute')], ['-', `call ${to('mysql')}`]);
    assert.ok((then.dependencies.find(({ host }) => host === to('pg'))?.silentMs ?? 0) > 0);
  });

  test('neither a statement nor a password is told', () => {
    assert.doesNotMatch(JSON.stringify(one.ticks), /nobody-sees|no_such_table|pg_sleep|blpop/i);
  });
});

describe('databases, as it is by itself', { timeout: 180_000, skip }, () => {
  test('node-redis is told of, and the queue of mysql2; the rest by its connections; what would end the app still does', async () => {
    const one = await Watched.open({});
    try {
      for (const path of ['/mysql', '/redis', '/ioredis', '/pg', '/mysql-gone']) await one.answered(path);
      await waitFor('the database that is gone to be told', () => one.dependency('127.0.0.1:1')?.errors.length === 1, 60_000);
      assert.deepEqual(one.dependency('127.0.0.1:1')?.errors, [['ECONNREFUSED', 1]]);
      await question(one.app, { what: 'follow', forS: 120 });
      one.hang('/mysql?for=120');
      await one.tick('the first to have the only connection', (each) => waitOf(each, '/mysql').startsWith('socket'));
      one.hang('/mysql-execute?for=120');
      const first = await one.tick('the other to wait for the pool', (each) => waitOf(each, '/mysql-execute').startsWith('connection'));
      assert.deepEqual([waitOf(first, '/mysql'), waitOf(first, '/mysql-execute')], [`socket ${to('mysql')}`, `connection a free connection to ${to('mysql')}`]);
      await endStatement();
      await one.tick('the other to have the connection', (each) => waitOf(each, '/mysql-execute') === `socket ${to('mysql')}`);
      const [mysql, redis] = [one.dependency(to('mysql')), one.dependency(to('redis'))];
      assert.deepEqual([mysql?.by, mysql?.count, mysql?.service], ['socket', 0, 'MySQL']);
      assert.ok((mysql?.queued?.count ?? 0) >= 2);
      assert.deepEqual([redis?.by, redis?.count], ['driver', 1]);
      one.hang('/mysql-unheard');
      assert.equal(await one.ended, 1);
    } finally {
      await one.close();
    }
  });
});
