// Owns the fault of a front that looks for the app on another port than the one it says it listens on.
import type { FilesFault } from '../lab/fault.ts';
import { startApp, startNginx } from '../lab/nginx.ts';
import { freePort } from '../../support/free-port.ts';

export const nginxWrongPort: FilesFault = {
  name: 'nginx-wrong-port', cause: 'wrong-port', front: 'files', fast: true, needs: ['nginx'], about: 'proxy_pass names a port where nobody listens; the app says where it does',
  async run(bench) {
    await startApp(bench, 'healthy-shop', { port: await freePort() });
    const url = await startNginx(bench, { location: `proxy_pass http://127.0.0.1:${await freePort()};` });
    await bench.load(url, { paths: ['/', '/list'], everyMs: 50, forMs: 1_500 });
  },
};
