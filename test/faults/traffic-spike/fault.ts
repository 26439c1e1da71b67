// Owns the fault of visitors that are twenty times as many as usual, more than the app can serve.
import type { LocalFault } from '../lab/fault.ts';

export const trafficSpike: LocalFault = {
  name: 'traffic-spike', cause: 'traffic-spike', front: 'local', app: 'traffic-spike', about: 'five requests a second for ten minutes, then more than the app can serve',
  history: { minutes: 10, routes: [{ path: '/', takenMs: 45, everyMs: 400 }, { path: '/menu', takenMs: 46, everyMs: 400 }] },
  async run(site) {
    await site.load({ paths: ['/', '/menu'], everyMs: 200, forMs: 2_000 });
    await site.load({ paths: ['/', '/menu'], everyMs: 9, forMs: 16_000 });
  },
};
