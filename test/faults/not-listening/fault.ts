// Owns the fault of an app that lives and never listens.
import type { LocalFault } from '../lab/fault.ts';

export const notListening: LocalFault = {
  name: 'not-listening', cause: 'not-listening', orAlso: [{ cause: 'startup-too-slow', because: 'no log tells an app that never listens from one that would later' }],
  front: 'local', app: 'not-listening', about: 'waits for a lock for ever and opens no port', limits: { backOffMs: 50, rapidFailCount: 3, startLimitMs: 1_200 },
  run: (site) => site.load({ paths: ['/', '/x'], everyMs: 100, forMs: 2_000 }),
};
