// Owns a MySQL (MariaDB), a PostgreSQL and a Redis of the test's own: Debian's programs, in a folder and on ports of their own.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmod, chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { waitFor } from './wait.ts';

export interface Databases { readonly mysql: number; readonly pg: number; readonly redis: number; readonly pgUser: string; endRedis(): void; close(): Promise<void> }

const POSTGRES = '/usr/lib/postgresql';
const listens = (port: number): Promise<boolean> => new Promise((resolve) => { const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); }).on('error', () => { resolve(false); }); });

export async function startDatabases(): Promise<Databases> {
  const folder = await mkdtemp(join(tmpdir(), 'databases-'));
  await chmod(folder, 0o755);
  const [mysql, pg, redis] = [await freePort(), await freePort(), await freePort()];
  const children: ChildProcess[] = [];
  const run = (program: string, args: readonly string[], as: object = {}): void => { children.push(spawn(program, args, { cwd: folder, stdio: 'ignore', ...as })); };
  const close = async (): Promise<void> => {
    await Promise.all(children.map((child) => new Promise<void>((resolve) => { child.on('exit', () => { resolve(); }); if (child.exitCode !== null || child.signalCode !== null) resolve(); child.kill('SIGKILL'); })));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    run('redis-server', ['--port', String(redis), '--bind', '127.0.0.1', '--save', '', '--dir', folder]);
    const pgUser = await startPostgres(folder, pg, run);
    startMysql(folder, mysql, run);
    for (const port of [redis, pg, mysql]) await waitFor(`port ${port} to listen`, () => listens(port), 60_000);
    return { mysql, pg, redis, pgUser, endRedis: () => { children[0]?.kill('SIGKILL'); }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** PostgreSQL refuses to run as root. */
async function startPostgres(folder: string, port: number, run: (program: string, args: readonly string[], as?: object) => void): Promise<string> {
  const [version = ''] = await readdir(POSTGRES);
  const isRoot = process.getuid?.() === 0;
  const idOf = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  const owner = isRoot ? { uid: idOf('-u'), gid: idOf('-g') } : undefined;
  const as = owner ?? {};
  const at = await mkdtemp(join(folder, 'pg-'));
  if (owner !== undefined) await chown(at, owner.uid, owner.gid);
  execFileSync(join(POSTGRES, version, 'bin/initdb'), ['-D', at, '-A', 'trust', '-U', 'tester', '--no-sync', '-E', 'UTF8', '--locale=C'], { stdio: 'ignore', cwd: folder, ...as });
  run(join(POSTGRES, version, 'bin/postgres'), ['-D', at, '-p', String(port), '-k', '', '-c', 'listen_addresses=127.0.0.1', '-F'], as);
  return 'tester';
}

function startMysql(folder: string, port: number, run: (program: string, args: readonly string[]) => void): void {
  const at = join(folder, 'mysql');
  // Any user may do anything, with any word: it lives for this test only.
  execFileSync('mariadb-install-db', ['--no-defaults', `--datadir=${at}`, '--auth-root-authentication-method=normal', '--skip-test-db', ...process.getuid?.() === 0 ? ['--user=root'] : []], { stdio: 'ignore' });
  run('mariadbd', ['--no-defaults', `--datadir=${at}`, `--port=${port}`, '--bind-address=127.0.0.1', `--socket=${join(folder, 'mysql.sock')}`, '--skip-grant-tables', '--skip-networking=0', '--innodb-flush-log-at-trx-commit=0', ...process.getuid?.() === 0 ? ['--user=root'] : []]);
}
