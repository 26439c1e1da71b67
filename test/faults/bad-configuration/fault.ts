// Owns the faults of a setting that is missing: one route answers 500, or the app does not start.
import type { LocalFault } from '../lab/fault.ts';

export const badConfiguration: LocalFault = {
  name: 'bad-configuration', cause: 'bad-configuration', front: 'local', app: 'bad-configuration', about: 'a setting is missing: paying answers 500, the rest is well',
  async run(site) {
    const others = site.load({ paths: ['/', '/list'], everyMs: 60, forMs: 3_000 });
    await site.load({ paths: ['/pay'], everyMs: 200, forMs: 3_000, method: 'POST', body: '{}' });
    await others;
  },
};

export const badConfigurationAtStart: LocalFault = {
  name: 'bad-configuration-at-start', cause: 'bad-configuration', front: 'local', app: 'bad-configuration', about: 'a setting is missing: the app ends before it listens', env: () => ({ STRICT: '1' }), limits: { backOffMs: 100, rapidFailCount: 4 },
  run: (site) => site.load({ paths: ['/', '/pay'], everyMs: 100, forMs: 2_000 }),
};
