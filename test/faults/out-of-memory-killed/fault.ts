// Owns the fault of one request that needs more memory than the app may have: the kernel ends the process.
import type { LocalFault } from '../lab/fault.ts';
import { boundMemory, IN_GROUP } from '../lab/memory-bound.ts';

export const outOfMemoryKilled: LocalFault = {
  name: 'out-of-memory-killed', cause: 'out-of-memory-killed', front: 'local', app: 'out-of-memory-killed', about: 'a poster needs more than the app may have; the kernel ends the process twice', needs: ['memory-group'], limits: { backOffMs: 100 }, ...IN_GROUP,
  before: (lab) => boundMemory(lab, 260),
  async run(site) {
    for (let i = 0; i < 2; i += 1) {
      const pid = site.pid();
      const others = site.load({ paths: ['/', '/list'], everyMs: 60, forMs: 5_500 });
      await site.load({ paths: ['/'], everyMs: 100, forMs: 1_500 });
      await Promise.all([site.get('/poster'), others, site.replaced(pid)]);
    }
  },
};
