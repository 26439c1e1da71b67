// Owns the faults of errors that the app answers itself: with the exception in its log, and without a word.
import type { LocalFault } from '../lab/fault.ts';

export const applicationError: LocalFault = {
  name: 'application-error', cause: 'application-error', front: 'local', app: 'application-error', about: 'one invoice throws; the error is caught, logged and answered with 500',
  run: (site) => site.load({ paths: ['/', '/invoice/1', '/invoice/7', '/list'], everyMs: 60, forMs: 5_000 }),
};

export const applicationErrorSilent: LocalFault = { ...applicationError, name: 'application-error-silent', about: 'the same, and the app logs nothing', env: () => ({ SILENT: '1' }) };
