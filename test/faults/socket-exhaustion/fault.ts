// Owns the fault of local ports that run out: an app in a network of its own with few of them, as behind an address translation that gives 128 per instance.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../support/wait.ts';
import type { FilesFault } from '../lab/fault.ts';
import { startNginx } from '../lab/nginx.ts';

const PORTS = 60;

export const socketExhaustion: FilesFault = {
  name: 'socket-exhaustion', cause: 'socket-exhaustion', front: 'files', needs: ['nginx', 'unshare', 'ip', 'root'], about: `a connection per call and ${PORTS} local ports: none is left after a few seconds`,
  async run(bench) {
    const socket = join(bench.folder, 'app.sock'), app = join(import.meta.dirname, 'app.cjs');
    const script = `ip link set lo up; echo "41000 ${41_000 + PORTS - 1}" > /proc/sys/net/ipv4/ip_local_port_range; echo 0 > /proc/sys/net/ipv4/tcp_tw_reuse; SERVE=stock "$0" "$1" & exec "$0" "$1"`;
    bench.spawn('unshare', ['-n', 'sh', '-c', script, process.execPath, app], { env: { PORT: socket, STOCK_PORT: '5005', NODE_OPTIONS: '' }, out: 'app.log' });
    await waitFor('the app', () => existsSync(socket));
    const url = await startNginx(bench, { location: `proxy_pass http://unix:${socket};` });
    await waitFor('the stock', async () => (await bench.get(`${url}/stock`)) === 200);
    await bench.load(url, { paths: ['/', '/stock'], everyMs: 30, forMs: 7_000 });
  },
};
