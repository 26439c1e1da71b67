// Owns the fault of a pool of database connections that is used up.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { LocalFault } from '../lab/fault.ts';

export const poolOfDatabase: LocalFault = {
  name: 'pool-of-database', cause: 'connection-pool-exhausted', front: 'local', app: 'pooled-database', about: 'three connections, queries of a second, more visitors than that',
  history: { minutes: 10, routes: [{ path: '/', takenMs: 5, everyMs: 900 }, { path: '/invoices', takenMs: 60, everyMs: 1_900 }] },
  async before(lab) {
    const open = new Set<Socket>();
    const server = createServer((socket) => { open.add(socket); socket.on('error', () => undefined).on('data', () => { setTimeout(() => socket.write('[]'), 1_000); }); });
    await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
    lab.set('port', String((server.address() as AddressInfo).port));
    return async () => { for (const socket of open) socket.destroy(); await new Promise<void>((done) => { server.close(() => done()); }); };
  },
  env: (lab) => ({ DB_PORT: lab.value('port') }),
  run: (site) => site.load({ paths: ['/invoices', '/', '/invoices'], everyMs: 80, forMs: 7_000 }),
};
