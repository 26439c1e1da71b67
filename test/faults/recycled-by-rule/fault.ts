// Owns the fault of a rule that is too eager: it recycles the app for a report that is slow by design, and ends the reports in flight.
import type { LocalFault } from '../lab/fault.ts';

export const recycledByRule: LocalFault = {
  name: 'recycled-by-rule', cause: 'recycled-by-rule', front: 'local', app: 'slow-by-design', about: 'a rule of ours recycles the app whenever four reports took longer than 1.5 s', limits: { backOffMs: 100 },
  async run(site) {
    await site.rule({ id: 'slow-reports', when: { type: 'slow', overMs: 1_500, path: '/report', count: 4, withinMs: 10_000 }, overMs: 0, do: [{ type: 'recycle' }], limits: { cooldownMs: 3_000, perHour: 20 } });
    for (let i = 0; i < 2; i += 1) {
      const pid = site.pid();
      let over = false;
      const load = (async () => { while (!over) await site.load({ paths: ['/report', '/', '/list'], everyMs: 80, forMs: 1_000 }); })();
      await site.replaced(pid);
      over = true;
      await load;
    }
  },
};
