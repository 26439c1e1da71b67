// Owns the fault of buffers that are kept, until the memory group of the app is full and the kernel ends it.
import type { LocalFault } from '../lab/fault.ts';
import { boundMemory, IN_GROUP } from '../lab/memory-bound.ts';

export const memoryLeakNative: LocalFault = {
  name: 'memory-leak-native', cause: 'memory-leak-native', front: 'local', app: 'memory-leak-native', about: 'each picture stays as a buffer; the heap is flat, the process rises for twenty seconds, and the kernel ends it', needs: ['memory-group'], limits: { backOffMs: 100 }, ...IN_GROUP,
  before: (lab) => boundMemory(lab, 340),
  async run(site) {
    const pid = site.pid();
    let over = false;
    const load = (async () => { while (!over) await site.load({ paths: ['/photo', '/', '/about'], everyMs: 33, forMs: 1_000 }); })();
    await site.replaced(pid);
    over = true;
    await load;
  },
};
