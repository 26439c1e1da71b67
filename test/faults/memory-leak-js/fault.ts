// Owns the fault of a heap that only grows, until V8 ends the process.
import type { LocalFault } from '../lab/fault.ts';

export const memoryLeakJs: LocalFault = {
  name: 'memory-leak-js', cause: 'memory-leak-js', front: 'local', app: 'memory-leak-js', about: 'each basket stays; the heap rises for twenty seconds and then ends the process', start: 'ulimit -c 0; exec node --max-old-space-size=180 server.js', limits: { backOffMs: 100 },
  async run(site) {
    const pid = site.pid();
    let over = false;
    const load = (async () => { while (!over) await site.load({ paths: ['/basket', '/'], everyMs: 20, forMs: 1_000 }); })();
    await site.replaced(pid);
    over = true;
    await load;
  },
};
