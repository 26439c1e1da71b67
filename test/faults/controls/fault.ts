// Owns the controls: loud, slow, busy or restarted, and nothing wrong with them.
import type { LocalFault } from '../lab/fault.ts';

const QUIET = { minutes: 10, routes: [{ path: '/', takenMs: 7, everyMs: 900 }] };

export const controlBusy: LocalFault = {
  name: 'control-busy', cause: 'healthy', front: 'local', app: 'busy-but-fine', about: 'high CPU on another thread, answers as always', history: QUIET,
  run: (site) => site.load({ paths: ['/', '/a'], everyMs: 50, forMs: 6_000 }),
};

export const controlSlowByDesign: LocalFault = {
  name: 'control-slow-by-design', cause: 'healthy', front: 'local', app: 'slow-by-design', about: 'a report of two seconds that has always taken two seconds',
  history: { minutes: 10, routes: [{ path: '/', takenMs: 7, everyMs: 900 }, { path: '/report', takenMs: 2_010, everyMs: 4_000 }] },
  run: (site) => site.load({ paths: ['/', '/', '/', '/report'], everyMs: 100, forMs: 6_000 }),
};

export const controlNotFoundStorm: LocalFault = {
  name: 'control-404-storm', cause: 'healthy', front: 'local', app: 'healthy-shop', about: 'a scanner asks for hundreds of pages that are not there', history: QUIET,
  async run(site) {
    const others = site.load({ paths: ['/', '/list'], everyMs: 100, forMs: 3_000 });
    await site.load({ paths: ['/missing'], everyMs: 8, forMs: 3_000 });
    await others;
  },
};

export const controlClientAborts: LocalFault = {
  name: 'control-client-aborts', cause: 'healthy', front: 'local', app: 'slow-by-design', about: 'visitors who do not wait for the report',
  history: { minutes: 10, routes: [{ path: '/', takenMs: 7, everyMs: 900 }, { path: '/report', takenMs: 2_010, everyMs: 4_000 }] },
  async run(site) {
    const others = site.load({ paths: ['/'], everyMs: 40, forMs: 5_000 });
    await site.load({ paths: ['/report'], everyMs: 400, forMs: 5_000, giveUpMs: 500, fresh: true });
    await others;
  },
};

export const controlDeployment: LocalFault = {
  name: 'control-deployment', cause: 'healthy', front: 'local', app: 'healthy-shop', about: 'a new version, the app restarts for it, all goes well', history: QUIET,
  async run(site) {
    await site.load({ paths: ['/', '/list'], everyMs: 40, forMs: 2_000 });
    const pid = site.pid();
    await site.deploy({ 'VERSION.txt': '2\n' }, 'version 2');
    await site.replaced(pid);
    await site.load({ paths: ['/', '/list'], everyMs: 40, forMs: 4_000 });
  },
};

export const controlBigHeap: LocalFault = {
  name: 'control-big-heap', cause: 'healthy', front: 'local', app: 'big-stable-heap', about: 'half of the heap is a cache that stays as it is', start: 'exec node --max-old-space-size=160 server.js', history: QUIET,
  run: (site) => site.load({ paths: ['/', '/a'], everyMs: 30, forMs: 6_000 }),
};
