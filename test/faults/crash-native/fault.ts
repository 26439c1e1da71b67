// Owns the fault of native code that ends the process by a signal.
import type { LocalFault } from '../lab/fault.ts';

export const crashNative: LocalFault = {
  name: 'crash-native', cause: 'crash-native', front: 'local', app: 'crash-native', about: 'SIGABRT and SIGSEGV while others ask', limits: { backOffMs: 100 }, start: 'ulimit -c 0; exec node server.js',
  async run(site) {
    for (const [path, lifeMs] of [['/convert', 500], ['/scan', 2_500]] as const) {
      const pid = site.pid();
      await site.load({ paths: ['/', '/large'], everyMs: 60, forMs: lifeMs });
      await Promise.all([site.get('/large'), site.get(path)]);
      await site.replaced(pid);
    }
  },
};
