// Owns a real nginx of the lab: its configuration over upstreams, its two logs, until it answers.
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { waitFor } from '../../support/wait.ts';
import type { FilesBench } from './fault.ts';

export interface NginxPlan {
  /** What stands in `location /`. */
  readonly location: string;
  /** Before the server block. */
  readonly http?: string;
  readonly withUpstream?: true;
}

const COMBINED = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';
/** As the ingress of Kubernetes writes it. */
const WITH_UPSTREAM = '$request_length $request_time [site] [] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $request_id';

/** Its address, when it listens. */
export async function startNginx(bench: FilesBench, { location, http = '', withUpstream }: NginxPlan): Promise<string> {
  const port = await freePort();
  const temp = join(bench.folder, 'nginx');
  await mkdir(temp);
  const conf = join(temp, 'nginx.conf');
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${temp}/${kind};`).join(' ');
  await writeFile(conf, `${process.getuid?.() === 0 ? 'user root; ' : ''}daemon off; worker_processes 1; pid ${temp}/pid; error_log ${bench.logs}/error.log warn;
events { worker_connections 512; }
http { ${places} log_format timed '${COMBINED} ${withUpstream ? WITH_UPSTREAM : '$request_time'}'; access_log ${bench.logs}/access.log timed;
${http}
server { listen 127.0.0.1:${port}; location / { ${location} } } }
`);
  bench.spawn('/usr/sbin/nginx', ['-c', conf, '-e', join(bench.logs, 'error.log')]);
  await listens(port);
  return `http://127.0.0.1:${port}`;
}

export function listens(port: number): Promise<boolean> {
  return waitFor(`somebody on port ${port}`, () => new Promise<boolean>((resolve) => { const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); }).on('error', () => resolve(false)); }));
}

/** An app of the lab as a process of its own behind nginx. */
export async function startApp(bench: FilesBench, app: string, { port, args = [], env = {}, out = 'app.log' }: { readonly port: number; readonly args?: readonly string[]; readonly env?: Readonly<Record<string, string>>; readonly out?: string }): Promise<ReturnType<FilesBench['spawn']>> {
  const child = bench.spawn(process.execPath, [...args, join(import.meta.dirname, '..', app, 'app.cjs')], { env: { PORT: String(port), NODE_OPTIONS: '', ...env }, out });
  await listens(port);
  return child;
}
