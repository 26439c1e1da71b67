// Owns the fault of a start of ten seconds after a restart by a user.
import type { LocalFault } from '../lab/fault.ts';

export const startupSlowButComes: LocalFault = {
  name: 'startup-slow-but-comes', cause: 'startup-too-slow', front: 'local', app: 'startup-slow-but-comes', about: 'restarted by a user; visitors find nobody for ten seconds',
  history: { minutes: 10, routes: [{ path: '/', takenMs: 8, everyMs: 900 }] },
  async run(site) {
    const pid = site.pid();
    await site.load({ paths: ['/'], everyMs: 100, forMs: 1_000 });
    await site.recycle();
    await Promise.all([site.load({ paths: ['/', '/login'], everyMs: 250, forMs: 14_000 }), site.replaced(pid)]);
  },
};
