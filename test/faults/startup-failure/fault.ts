// Owns the fault of an app that cannot start: a module is missing.
import type { LocalFault } from '../lab/fault.ts';

export const startupFailure: LocalFault = {
  name: 'startup-failure', cause: 'startup-failure', front: 'local', app: 'startup-failure', about: 'a module is missing, so it ends before it listens', limits: { backOffMs: 100, rapidFailCount: 4 },
  run: (site) => site.load({ paths: ['/', '/login'], everyMs: 100, forMs: 2_000 }),
};
