// Owns the fault of too much computing: every core is full and everything takes many times as long as usual.
import type { LocalFault } from '../lab/fault.ts';

export const cpuSaturated: LocalFault = {
  name: 'cpu-saturated', cause: 'cpu-saturated', front: 'local', app: 'cpu-saturated', about: 'more computing than the cores can do, in the thread pool', start: 'exec node server.js', env: () => ({ UV_THREADPOOL_SIZE: '16' }),
  history: { minutes: 10, routes: [{ path: '/image', takenMs: 250, everyMs: 1_500 }, { path: '/', takenMs: 14, everyMs: 900 }] },
  run: (site) => site.load({ paths: ['/image', '/image', '/'], everyMs: 60, forMs: 10_000 }),
};
