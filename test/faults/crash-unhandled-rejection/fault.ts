// Owns the fault of a promise that is rejected and awaited by nobody.
import type { LocalFault } from '../lab/fault.ts';

export const crashUnhandledRejection: LocalFault = {
  name: 'crash-unhandled-rejection', cause: 'crash-unhandled-rejection', front: 'local', app: 'crash-unhandled-rejection', about: 'a rejected promise ends the process, at ages that differ', limits: { backOffMs: 100 },
  async run(site) {
    for (const lifeMs of [600, 3_500, 1_500]) {
      const pid = site.pid();
      await site.load({ paths: ['/', '/refresh?feed=news', '/entries'], everyMs: 50, forMs: lifeMs });
      await Promise.all([lifeMs > 1_000 ? site.get('/entries') : undefined, site.get('/refresh?feed=broken')]);
      await site.replaced(pid);
    }
  },
};
