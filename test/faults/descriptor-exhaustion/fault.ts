// Owns the fault of descriptors that are never closed.
import type { LocalFault } from '../lab/fault.ts';

export const descriptorExhaustion: LocalFault = {
  name: 'descriptor-exhaustion', cause: 'descriptor-exhaustion', front: 'local', app: 'descriptor-exhaustion', about: 'each download leaves a file open; the limit is small', start: 'ulimit -n 90; exec node server.js',
  run: (site) => site.load({ paths: ['/download', '/'], everyMs: 25, forMs: 5_000 }),
};
