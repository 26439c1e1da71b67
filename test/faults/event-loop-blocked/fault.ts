// Owns the fault of a handler that keeps the event loop: the requests of all others wait behind it.
import type { LocalFault } from '../lab/fault.ts';

const EVIL = encodeURIComponent(`${'a'.repeat(27)}!`);

export const eventLoopBlocked: LocalFault = {
  name: 'event-loop-blocked', cause: 'event-loop-blocked', front: 'local', app: 'event-loop-blocked', about: 'a regular expression runs for seconds, four times, while others ask',
  history: { minutes: 10, routes: [{ path: '/', takenMs: 8, everyMs: 90 }, { path: '/about', takenMs: 9, everyMs: 180 }, { path: '/signup', takenMs: 6, everyMs: 1_000 }] },
  async run(site) {
    const others = site.load({ paths: ['/', '/about', '/'], everyMs: 60, forMs: 12_000 });
    for (let i = 0; i < 3; i += 1) { await site.get(`/signup?name=${EVIL}`); await site.load({ paths: ['/signup?name=ann'], everyMs: 300, forMs: 900 }); }
    await others;
  },
};
