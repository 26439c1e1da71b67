// Owns the faults that somebody made: a bad deployment, a restart in the middle of the day.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalFault } from '../lab/fault.ts';

const QUIET = { minutes: 10, routes: [{ path: '/', takenMs: 7, everyMs: 900 }, { path: '/list', takenMs: 45, everyMs: 1_300 }] };

export const badDeployment: LocalFault = {
  name: 'bad-deployment', cause: 'bad-deployment', front: 'local', app: 'healthy-shop', about: 'a new version answers one page with 500 and logs a TypeError', history: QUIET,
  async run(site) {
    await site.load({ paths: ['/', '/list'], everyMs: 40, forMs: 2_000 });
    const pid = site.pid();
    const old = await readFile(join(import.meta.dirname, '../healthy-shop/app.cjs'), 'utf8');
    const broken = old.replace("setTimeout(() => {", "if (pathname === '/list') { console.error(new Date().toISOString(), new TypeError('list.map is not a function').stack); res.statusCode = 500; return res.end('error'); }\n  setTimeout(() => {");
    await site.deploy({ 'server.js': broken }, 'faster lists');
    await site.replaced(pid);
    await site.load({ paths: ['/', '/list'], everyMs: 40, forMs: 14_000 });
  },
};

export const recycledByUser: LocalFault = {
  name: 'recycled-by-user', cause: 'recycled-by-user', front: 'local', app: 'slow-by-design', about: 'somebody restarts the app four times while reports are under way',
  async run(site) {
    for (let i = 0; i < 4; i += 1) {
      const pid = site.pid();
      const others = site.load({ paths: ['/report', '/'], everyMs: 50, forMs: 2_500 });
      await site.load({ paths: ['/'], everyMs: 100, forMs: 1_000 });
      await site.recycle();
      await Promise.all([others, site.replaced(pid)]);
    }
  },
};
