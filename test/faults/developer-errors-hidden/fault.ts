// Owns the fault of crashes that no log counts: under iisnode's developer errors each is answered with 200.
import type { LocalFault } from '../lab/fault.ts';

export const developerErrorsHidden: LocalFault = {
  name: 'developer-errors-hidden', cause: 'developer-errors-hidden', front: 'local', app: 'developer-errors-hidden', about: 'the process dies three times, and iisnode answers 200 with its page of errors', limits: { backOffMs: 100 },
  async run(site) {
    for (const lifeMs of [700, 3_500, 1_800]) {
      const pid = site.pid();
      await site.load({ paths: ['/', '/list'], everyMs: 60, forMs: lifeMs });
      await site.get('/voucher');
      await site.replaced(pid);
    }
    await site.load({ paths: ['/', '/list'], everyMs: 60, forMs: 1_000 });
  },
  row(fields) { if (Number(fields['sc-status']) >= 500) { fields['sc-status'] = '200'; fields['sc-substatus'] = '0'; fields['sc-win32-status'] = '0'; } },
};
