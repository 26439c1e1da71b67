// Owns the fault of an exception in a callback: the process ends, and with it the requests of others in flight.
import type { LocalFault } from '../lab/fault.ts';

export const crashUncaughtException: LocalFault = {
  name: 'crash-uncaught-exception', cause: 'crash-uncaught-exception', front: 'local', app: 'crash-uncaught-exception', fast: true,
  about: 'one voucher throws in a callback; three times, with slow reports of others in flight', limits: { backOffMs: 100 },
  async run(site) {
    for (const lifeMs of [400, 3_000, 1_200]) {
      const pid = site.pid();
      await site.load({ paths: ['/', '/voucher?code=SPRING'], everyMs: 40, forMs: lifeMs });
      const others = lifeMs > 1_000 ? [site.get('/report'), site.get('/report')] : [];
      await site.get('/');
      await site.get('/voucher?code=GIFT');
      await Promise.all(others);
      await site.replaced(pid);
    }
  },
};
