// Owns the faults of a database, with a real MySQL and PostgreSQL and the drivers that people use: a pool that is used up, a table that somebody has locked.
import { join, resolve } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { startDatabases, type Databases } from '../../support/databases.ts';
import type { History, LabSite, LocalFault } from '../lab/fault.ts';

const QUIET: History = { minutes: 10, routes: [{ path: '/', takenMs: 5, everyMs: 900 }, { path: '/invoices', takenMs: 60, everyMs: 1_900 }] };
const NEEDS = ['mariadbd', 'pg_ctlcluster', 'redis-server'];
const DRIVERS = join(resolve(import.meta.dirname, '../../..'), 'package.json');

async function databases(lab: LabSite, prepare: (at: Databases) => Promise<() => Promise<void>>): Promise<() => Promise<void>> {
  const at = await startDatabases();
  lab.set('mysql', String(at.mysql));
  lab.set('pg', String(at.pg));
  lab.set('pgUser', at.pgUser);
  const letGo = await prepare(at);
  lab.set('redis', String(at.redis));
  ends.set(lab, at.endRedis);
  return async () => { await letGo(); await at.close(); };
}
const ends = new WeakMap<LabSite, () => void>();

const nothing = (): Promise<() => Promise<void>> => Promise.resolve(() => Promise.resolve());

/** Somebody's migration, which never ends. */
async function lockedMysql({ mysql }: Databases): Promise<() => Promise<void>> {
  const one = await createConnection({ host: '127.0.0.1', port: mysql, user: 'root' });
  await one.query('create database shop');
  await one.query('create table shop.invoices (id int)');
  await one.query('lock tables shop.invoices write');
  return () => one.end();
}

async function lockedPg({ pg, pgUser }: Databases): Promise<() => Promise<void>> {
  const one = new Client({ host: '127.0.0.1', port: pg, user: pgUser, database: 'postgres' });
  await one.connect();
  await one.query('create table invoices (id int)');
  await one.query('begin; lock table invoices in access exclusive mode');
  return () => one.end();
}

export const mysqlPool: LocalFault = {
  name: 'mysql-pool', cause: 'connection-pool-exhausted', front: 'local', app: 'real-database', about: 'mysql2 with three connections, statements of half a second, more visitors than that', needs: NEEDS, history: QUIET,
  before: (lab) => databases(lab, nothing),
  env: (lab) => ({ DRIVERS, DB: 'mysql', DB_PORT: lab.value('mysql'), POOL_SIZE: '3', STATEMENT: 'select sleep(0.5)' }),
  run: (site) => site.load({ paths: ['/invoices', '/', '/invoices'], everyMs: 80, forMs: 7_000 }),
};

export const mysqlLocked: LocalFault = {
  name: 'mysql-locked', cause: 'slow-dependency', front: 'local', app: 'real-database', about: 'a migration holds the table; visitors give up after six seconds', needs: NEEDS, history: QUIET,
  before: (lab) => databases(lab, lockedMysql),
  env: (lab) => ({ DRIVERS, DB: 'mysql', DB_PORT: lab.value('mysql'), POOL_SIZE: '200', STATEMENT: 'select * from shop.invoices' }),
  run: (site) => site.load({ paths: ['/invoices', '/', '/'], everyMs: 150, forMs: 9_000, giveUpMs: 6_000 }),
};

export const postgresLocked: LocalFault = {
  name: 'postgres-locked', cause: 'slow-dependency', front: 'local', app: 'real-database', about: 'the same in PostgreSQL, whose driver tells nothing', needs: NEEDS, history: QUIET,
  before: (lab) => databases(lab, lockedPg),
  env: (lab) => ({ DRIVERS, DB: 'pg', DB_PORT: lab.value('pg'), DB_USER: lab.value('pgUser'), POOL_SIZE: '80', STATEMENT: 'select * from invoices' }),
  run: (site) => site.load({ paths: ['/invoices', '/', '/'], everyMs: 150, forMs: 9_000, giveUpMs: 6_000 }),
};

export const redisGone: LocalFault = {
  name: 'redis-gone', cause: 'dependency-down', front: 'local', app: 'real-database', about: 'Redis ends while it is in use, and its driver keeps the commands for later: visitors wait', needs: NEEDS, history: QUIET,
  before: (lab) => databases(lab, nothing),
  env: (lab) => ({ DRIVERS, DB: 'redis', DB_PORT: lab.value('redis'), POOL_SIZE: '1', STATEMENT: '' }),
  async run(site) {
    await site.load({ paths: ['/invoices', '/'], everyMs: 150, forMs: 2_000 });
    ends.get(site)?.();
    await site.load({ paths: ['/invoices', '/', '/'], everyMs: 150, forMs: 9_000, giveUpMs: 5_000 });
  },
};
