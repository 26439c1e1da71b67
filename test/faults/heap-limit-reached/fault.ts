// Owns the fault of one request that needs more JavaScript heap than there is.
import type { LocalFault } from '../lab/fault.ts';

export const heapLimitReached: LocalFault = {
  name: 'heap-limit-reached', cause: 'heap-limit-reached', front: 'local', app: 'heap-limit-reached', about: 'an export is built in memory; V8 ends the process, twice', start: 'ulimit -c 0; exec node --max-old-space-size=96 server.js', limits: { backOffMs: 100 },
  async run(site) {
    for (const lifeMs of [1_000, 2_500]) {
      const pid = site.pid();
      await site.load({ paths: ['/', '/list'], everyMs: 60, forMs: lifeMs });
      await Promise.all([site.get('/export'), site.load({ paths: ['/', '/list'], everyMs: 200, forMs: 1_500 })]);
      await site.replaced(pid);
    }
  },
};
