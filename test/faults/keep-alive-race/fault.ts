// Owns the fault of connections that the app closes while the front sends the next request on them.
import type { LocalFault } from '../lab/fault.ts';

export const keepAliveRace: LocalFault = {
  name: 'keep-alive-race', cause: 'keep-alive-race', front: 'local', app: 'keep-alive-race', about: 'a reused connection ends as the next request comes, at chance routes',
  env: () => ({ EVERY: '40' }), history: { minutes: 10, routes: [{ path: '/', takenMs: 6, everyMs: 700 }, { path: '/a', takenMs: 6, everyMs: 900 }] },
  run: (site) => site.load({ paths: ['/', '/a', '/b', '/c', '/d', '/e', '/f'], everyMs: 30, forMs: 9_000 }),
};
