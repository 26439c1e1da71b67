// Owns the fault of a response head that is no HTTP.
import type { LocalFault } from '../lab/fault.ts';

export const responseHeaderInvalid: LocalFault = {
  name: 'response-header-invalid', cause: 'response-header-invalid', front: 'local', app: 'response-header-invalid', about: 'a header without a colon, and one of 90 KB',
  run: (site) => site.load({ paths: ['/', '/legacy', '/', '/session'], everyMs: 50, forMs: 2_500 }),
};
