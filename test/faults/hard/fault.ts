// Owns the hard versions: a fault after ten healthy minutes of log, and two faults at once.
import { freePort } from '../../support/free-port.ts';
import { crashNative } from '../crash-native/fault.ts';
import { crashUncaughtException } from '../crash-uncaught-exception/fault.ts';
import { heapLimitReached } from '../heap-limit-reached/fault.ts';
import { responseHeaderInvalid } from '../response-header-invalid/fault.ts';
import type { LocalFault } from '../lab/fault.ts';

const QUIET = { minutes: 10, routes: [{ path: '/', takenMs: 7, everyMs: 300 }, { path: '/voucher', takenMs: 22, everyMs: 1_700 }] };
const late = ({ fast: _short, ...fault }: LocalFault): LocalFault => ({ ...fault, name: `${fault.name}-late`, about: `${fault.about}; after ten healthy minutes`, history: QUIET });

export const lateCrash: LocalFault = late(crashUncaughtException);
export const lateNative: LocalFault = late(crashNative);
export const lateHeap: LocalFault = late(heapLimitReached);
export const lateHeader: LocalFault = late(responseHeaderInvalid);

export const twoCrashAndDependency: LocalFault = {
  name: 'two-crash-and-dependency', cause: 'dependency-down', also: ['crash-uncaught-exception'], orAlso: [{ cause: 'crash-uncaught-exception', because: 'which of the two explains more requests is chance' }],
  front: 'local', app: 'two-faults', about: 'the database is gone, and a voucher ends the process', limits: { backOffMs: 100 }, history: QUIET,
  async before(lab) { lab.set('port', String(await freePort())); return () => undefined; }, env: (lab) => ({ DB_PORT: lab.value('port') }),
  async run(site) {
    for (const lifeMs of [800, 3_000]) {
      const pid = site.pid();
      await site.load({ paths: ['/', '/orders'], everyMs: 60, forMs: lifeMs });
      await site.get('/voucher');
      await site.replaced(pid);
    }
    await site.load({ paths: ['/', '/orders'], everyMs: 60, forMs: 2_000 });
  },
};
