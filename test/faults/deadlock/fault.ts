// Owns the fault of a lock in the app that is never given back: whoever asks for it waits for ever, while nothing is computed or called.
import type { LocalFault } from '../lab/fault.ts';

export const deadlock: LocalFault = {
  name: 'deadlock', cause: 'deadlock', front: 'local', app: 'deadlock', about: 'one unknown article leaves the lock taken; no reservation ends any more', limits: { handlerLimitMs: 3_000 },
  history: { minutes: 10, routes: [{ path: '/', takenMs: 6, everyMs: 250 }, { path: '/reserve', takenMs: 22, everyMs: 300 }] },
  async run(site) {
    await site.load({ paths: ['/', '/reserve?article=1'], everyMs: 60, forMs: 1_500 });
    await site.get('/reserve?article=gone');
    site.onwards({ paths: ['/', '/reserve?article=2'], everyMs: 150 });
    await site.load({ paths: ['/'], everyMs: 300, forMs: 7_000 });
  },
};
