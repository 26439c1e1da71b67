// Owns the faults of Node apps behind nginx, told by nginx's two logs and what the app wrote.
import { freePort } from '../../support/free-port.ts';
import type { FilesFault } from '../lab/fault.ts';
import { startApp, startNginx } from '../lab/nginx.ts';

const FRONT = { front: 'files', needs: ['nginx'] } as const;

export const nginxUpstreamDown: FilesFault = {
  ...FRONT, name: 'nginx-upstream-down', cause: 'not-listening', about: 'the app went without a word; nothing listens any more',
  async run(bench) {
    const port = await freePort();
    const app = await startApp(bench, 'healthy-shop', { port });
    const url = await startNginx(bench, { location: `proxy_pass http://127.0.0.1:${port};` });
    await bench.load(url, { paths: ['/', '/list'], everyMs: 40, forMs: 2_000 });
    process.kill(app.pid, 'SIGTERM');
    await app.ended;
    await bench.load(url, { paths: ['/', '/list'], everyMs: 100, forMs: 7_000 });
  },
};

export const nginxTimeout: FilesFault = {
  ...FRONT, name: 'nginx-timeout', cause: 'handler-time-limit', about: 'an export takes longer than proxy_read_timeout: 504',
  async run(bench) {
    const port = await freePort();
    await startApp(bench, 'never-answers', { port });
    const url = await startNginx(bench, { location: `proxy_pass http://127.0.0.1:${port}; proxy_read_timeout 1s;` });
    await bench.load(url, { paths: ['/', '/', '/', '/export'], everyMs: 50, forMs: 6_000 });
  },
};

export const nginxCrash: FilesFault = {
  ...FRONT, name: 'nginx-crash', cause: 'crash-uncaught-exception', about: 'the app dies in mid-request and is started again; its last words are in its log',
  async run(bench) {
    const port = await freePort();
    const url = await startNginx(bench, { location: `proxy_pass http://127.0.0.1:${port};` });
    for (const lifeMs of [600, 2_500]) {
      const app = await startApp(bench, 'crash-uncaught-exception', { port, out: `app-${lifeMs}.log` });
      await bench.load(url, { paths: ['/', '/voucher?code=SPRING'], everyMs: 40, forMs: lifeMs });
      await bench.get(`${url}/voucher?code=GIFT`);
      await app.ended;
      await bench.load(url, { paths: ['/'], everyMs: 100, forMs: 400 });
    }
    await startApp(bench, 'crash-uncaught-exception', { port, out: 'app-last.log' });
    await bench.load(url, { paths: ['/', '/voucher?code=SPRING'], everyMs: 40, forMs: 1_000 });
  },
};

export const nginxHeaderTooBig: FilesFault = {
  ...FRONT, name: 'nginx-header-too-big', cause: 'response-header-invalid', about: 'a cookie of 90 KB does not fit into proxy_buffer_size; a header has no colon', fast: true,
  async run(bench) {
    const port = await freePort();
    await startApp(bench, 'response-header-invalid', { port });
    const url = await startNginx(bench, { location: `proxy_pass http://127.0.0.1:${port};` });
    await bench.load(url, { paths: ['/', '/session', '/', '/legacy'], everyMs: 40, forMs: 2_000 });
  },
};

export const nginxOneOfThree: FilesFault = {
  ...FRONT, name: 'nginx-one-of-three', cause: 'one-sick-instance', about: 'one of three processes has lost its upstream and answers 500; the others are well',
  async run(bench) {
    const ports = [await freePort(), await freePort(), await freePort()];
    for (const [i, port] of ports.entries()) await startApp(bench, 'one-of-three', { port, env: { SICK: i === 1 ? '1' : '' }, out: `app-${i}.log` });
    const url = await startNginx(bench, { http: `upstream three { ${ports.map((port) => `server 127.0.0.1:${port};`).join(' ')} }`, location: 'proxy_pass http://three; proxy_next_upstream off;', withUpstream: true });
    await bench.load(url, { paths: ['/', '/a', '/b', '/c', '/d'], everyMs: 25, forMs: 5_000 });
  },
};
