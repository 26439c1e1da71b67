// Owns the fault of a heap so full that most of the time goes into collecting.
import type { LocalFault } from '../lab/fault.ts';

export const gcThrashing: LocalFault = {
  name: 'gc-thrashing', cause: 'gc-thrashing', front: 'local', app: 'gc-thrashing', about: 'a cache fills the heap to the brim; requests wait for collections', start: 'exec node --max-old-space-size=170 --max-semi-space-size=1 server.js', env: () => ({ FILL_MB: '138' }), limits: { backOffMs: 100 },
  history: { minutes: 10, routes: [{ path: '/search', takenMs: 35, everyMs: 900 }, { path: '/', takenMs: 30, everyMs: 1_700 }] },
  run: (site) => site.load({ paths: ['/search', '/'], everyMs: 70, forMs: 12_000 }),
};
