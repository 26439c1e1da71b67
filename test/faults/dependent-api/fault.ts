// Owns the faults of a service that the app needs: slow, gone, without a name, or reached through a pool that is too small.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freePort } from '../../support/free-port.ts';
import type { History, LabSite, LocalFault } from '../lab/fault.ts';

const QUIET: History = { minutes: 10, routes: [{ path: '/', takenMs: 6, everyMs: 900 }, { path: '/orders', takenMs: 40, everyMs: 1_300 }, { path: '/orders/new', takenMs: 45, everyMs: 3_100 }] };
const BUSY: History = { minutes: 10, routes: [{ path: '/', takenMs: 6, everyMs: 270 }, { path: '/orders', takenMs: 40, everyMs: 510 }, { path: '/orders/new', takenMs: 45, everyMs: 530 }] };
const PATHS = ['/', '/orders', '/', '/orders/new'];

/** A service that takes its time. */
async function slowService(lab: LabSite, delayMs: number): Promise<() => Promise<void>> {
  const server = createServer((_req, res) => { setTimeout(() => res.end('[]'), delayMs); });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  lab.set('url', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => { server.closeAllConnections(); await new Promise<void>((done) => { server.close(() => done()); }); };
}

export const slowDependency: LocalFault = {
  name: 'slow-dependency', cause: 'slow-dependency', front: 'local', app: 'dependent-api', about: 'the service behind it takes three seconds', history: QUIET,
  before: (lab) => slowService(lab, 3_000), env: (lab) => ({ STOCK_URL: lab.value('url') }),
  run: (site) => site.load({ paths: PATHS, everyMs: 120, forMs: 10_000 }),
};

export const slowDependencyTimeouts: LocalFault = {
  name: 'slow-dependency-timeouts', cause: 'slow-dependency', front: 'local', app: 'dependent-api', about: 'the service takes longer than the call waits: 500 with a logged timeout', history: QUIET,
  before: (lab) => slowService(lab, 20_000), env: (lab) => ({ STOCK_URL: lab.value('url'), CALL_LIMIT_MS: '1500' }),
  run: (site) => site.load({ paths: PATHS, everyMs: 120, forMs: 6_000 }),
};

export const dependencyDown: LocalFault = {
  name: 'dependency-down', cause: 'dependency-down', front: 'local', app: 'dependent-api', about: 'nobody listens where the service was', fast: true, history: QUIET,
  async before(lab) { lab.set('url', `http://127.0.0.1:${await freePort()}`); return () => undefined; }, env: (lab) => ({ STOCK_URL: lab.value('url') }),
  run: (site) => site.load({ paths: PATHS, everyMs: 80, forMs: 3_000 }),
};

export const dnsFailure: LocalFault = {
  name: 'dns-failure', cause: 'dns-failure', front: 'local', app: 'dependent-api', about: 'the name of the service does not resolve', history: QUIET,
  env: () => ({ STOCK_URL: 'http://stock.internal.invalid:8080' }),
  run: (site) => site.load({ paths: PATHS, everyMs: 120, forMs: 4_000 }),
};

export const connectionPoolExhausted: LocalFault = {
  name: 'connection-pool-exhausted', cause: 'connection-pool-exhausted', orAlso: [{ cause: 'slow-dependency', because: 'calls that wait for a socket of the agent are slow calls, seen from inside' }],
  front: 'local', app: 'dependent-api', about: 'http.Agent with two sockets over a service that takes longer than usual: the rest waits in the queue', history: BUSY,
  before: (lab) => slowService(lab, 500), env: (lab) => ({ STOCK_URL: lab.value('url'), MAX_SOCKETS: '2' }),
  async run(site) { site.onwards({ paths: PATHS, everyMs: 100 }); await site.load({ paths: ['/'], everyMs: 500, forMs: 9_000 }); },
};
