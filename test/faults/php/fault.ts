// Owns the faults of PHP under php-fpm behind nginx: fatal errors, no worker free, the memory limit.
import { cp, writeFile } from 'node:fs/promises';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../support/wait.ts';
import type { FilesBench, FilesFault } from '../lab/fault.ts';
import { startNginx } from '../lab/nginx.ts';

const PROGRAM = readdirSync('/usr/sbin').find((name) => /^php-fpm\d/.test(name)) ?? 'php-fpm';
const FRONT = { front: 'files', needs: ['nginx', PROGRAM] } as const;

/** A pool of so many workers over the scripts of this folder; its own log, PHP's log, and the slow log lie with the others. */
async function startPhp(bench: FilesBench, { children, memory = '128M', readTimeoutS = 10 }: { readonly children: number; readonly memory?: string; readonly readTimeoutS?: number }): Promise<string> {
  const site = join(bench.folder, 'site'), socket = join(bench.folder, 'php.sock');
  await cp(join(import.meta.dirname, 'site'), site, { recursive: true });
  await writeFile(join(bench.folder, 'fpm.conf'), `[global]
error_log = ${bench.logs}/php-fpm.log
daemonize = no
[www]
user = ${process.getuid?.() === 0 ? 'root' : process.env['USER'] ?? 'nobody'}
listen = ${socket}
pm = static
pm.max_children = ${children}
pm.status_path = /fpm-status
catch_workers_output = yes
php_admin_value[memory_limit] = ${memory}
php_admin_value[error_log] = ${bench.logs}/php_errors.log
php_admin_flag[log_errors] = on
php_admin_flag[display_errors] = off
`.replace('pm = static', children < 4 ? 'pm = dynamic\npm.start_servers = 1\npm.min_spare_servers = 1\npm.max_spare_servers = 1' : 'pm = static'));
  bench.spawn(join('/usr/sbin', PROGRAM), ['--nodaemonize', '--allow-to-run-as-root', '--fpm-config', join(bench.folder, 'fpm.conf')]);
  await waitFor('php-fpm', () => existsSync(socket));
  return startNginx(bench, { location: `root ${site}; include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME ${site}$fastcgi_script_name; fastcgi_pass unix:${socket}; fastcgi_read_timeout ${readTimeoutS}s;` });
}

export const phpFatalError: FilesFault = {
  ...FRONT, name: 'php-fatal-error', cause: 'php-fatal-error', about: 'a basket that is null ends one page with 500',
  async run(bench) {
    const url = await startPhp(bench, { children: 4 });
    await bench.load(url, { paths: ['/index.php', '/basket.php', '/index.php'], everyMs: 60, forMs: 3_000 });
  },
};

export const phpMemoryLimit: FilesFault = {
  ...FRONT, name: 'php-memory-limit', cause: 'php-fatal-error', about: 'a report needs more than memory_limit',
  async run(bench) {
    const url = await startPhp(bench, { children: 4, memory: '8M' });
    await bench.load(url, { paths: ['/index.php', '/report.php', '/index.php'], everyMs: 60, forMs: 3_000 });
  },
};

export const phpWorkersExhausted: FilesFault = {
  ...FRONT, name: 'php-workers-exhausted', cause: 'php-workers-exhausted', about: 'two workers, a page that sleeps, and visitors behind it until nginx gives up',
  async run(bench) {
    const url = await startPhp(bench, { children: 2, readTimeoutS: 2 });
    await bench.load(url, { paths: ['/index.php'], everyMs: 50, forMs: 1_500 });
    await bench.load(url, { paths: ['/slow.php', '/index.php'], everyMs: 150, forMs: 6_000 });
  },
};
