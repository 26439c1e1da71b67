// Owns the fault of an app with a port of its own instead of the platform's.
import type { LocalFault } from '../lab/fault.ts';
import { freePort } from '../../support/free-port.ts';

export const wrongPort: LocalFault = {
  name: 'wrong-port', cause: 'wrong-port', front: 'local', app: 'wrong-port', about: 'ignores the variable PORT', limits: { backOffMs: 50, rapidFailCount: 3, startLimitMs: 1_500 },
  async before(lab) { lab.set('port', String(await freePort())); return () => undefined; },
  env: (lab) => ({ OWN_PORT: lab.value('port') }),
  run: (site) => site.load({ paths: ['/', '/x'], everyMs: 100, forMs: 2_000 }),
};
