// Owns the fault of a process that dies after each start until the platform gives it up.
import type { LocalFault } from '../lab/fault.ts';
import { waitFor } from '../../support/wait.ts';

export const crashLoop: LocalFault = {
  name: 'crash-loop', cause: 'crash-loop', front: 'local', app: 'crash-loop', about: 'dies 0.7 s after each start, then rapid-fail protection', limits: { backOffMs: 100, rapidFailCount: 5 },
  async run(site) {
    let over = false;
    const load = (async () => { while (!over) await site.load({ paths: ['/', '/a'], everyMs: 80, forMs: 400 }); })();
    await waitFor('the platform to give it up', () => site.rows('503.0.0').then((n) => n > 5), 60_000);
    over = true;
    await load;
  },
};
