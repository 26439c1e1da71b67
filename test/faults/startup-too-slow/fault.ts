// Owns the fault of a start that takes longer than the platform's limit.
import type { LocalFault } from '../lab/fault.ts';

export const startupTooSlow: LocalFault = {
  name: 'startup-too-slow', cause: 'startup-too-slow', orAlso: [{ cause: 'not-listening', because: 'no log tells an app that would listen later from one that never does' }],
  front: 'local', app: 'startup-too-slow', about: 'a cache is filled before it listens; the platform ends it at its limit', limits: { backOffMs: 50, rapidFailCount: 3, startLimitMs: 1_200 },
  run: (site) => site.load({ paths: ['/', '/login'], everyMs: 100, forMs: 2_000 }),
};
