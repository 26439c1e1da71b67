// Owns listening: a TCP port or IIS's pipe, time limits that outlive the proxy's, and an orderly end.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { lstat, unlink } from 'node:fs/promises';
import type { Agent } from '../agent/agent.ts';
import { createApp } from './app.ts';
import { createGuard, type Guard } from './guard.ts';
import { attachLive } from './live.ts';
import { shellSockets } from './shell-socket.ts';

/** Our idle connections must outlive those of the proxy in front (iisnode, ARR: two minutes), or it meets a closed one and answers 500.1013 or 502 for us. */
const KEEP_ALIVE_MS = 250_000;
/** A request's head is a few KB: who is slower does not mean to finish. Idle connections are not meant by it (Node counts from a message's first byte). */
const HEAD_MS = 60_000;
/** Connections at once: 64 live sockets, six for each browser, programs, downloads. More are hung up on, so that whoever opens thousands takes neither our memory nor the descriptors that the samplers need. */
const MAX_CONNECTIONS = 512;

export interface Listening {
  readonly url: string;
  readonly guard: Guard;
  readonly server: Server;
  /** A sign-in link that works once; absent where the platform authenticates. */
  link(): string | undefined;
  close(): Promise<void>;
}

/** @throws the system's error (EADDRINUSE …) when the address cannot be taken */
export async function listen(agent: Agent, publicDir: string): Promise<Listening> {
  const { config } = agent;
  const guard = createGuard({ auth: config.auth, token: agent.token, hosts: config.hosts, base: config.base });
  const app = createApp({ agent, guard, base: config.base, publicDir });
  const server = createServer(app);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = HEAD_MS;
  server.requestTimeout = 0;                                   // body-time.ts: a file may take longer than a click
  server.maxConnections = MAX_CONNECTIONS;
  const shells = shellSockets(agent);
  const live = attachLive(server, agent, guard, config.base, shells);
  await bind(server, config.listen);
  const url = addressOf(server, config.listen, config.base);
  return {
    url, guard, server,
    link: () => (config.auth === 'token' && 'port' in config.listen ? `${url}/?once=${guard.once()}` : undefined),
    async close() {
      live.close();
      shells.close();
      const closed = new Promise<void>((done) => { server.close(() => { done(); }); });
      server.closeAllConnections();
      await closed;
    },
  };
}

async function bind(server: Server, where: Agent['config']['listen']): Promise<void> {
  if ('path' in where && !where.path.startsWith('\\\\')) await removeStale(where.path);
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    const ready = (): void => { server.off('error', failed); done(); };
    if ('path' in where) server.listen(where.path, ready);
    else server.listen(where.port, where.host, ready);
  });
}

/** A Unix socket file that an agent left behind when it was killed; a file of another kind stays and makes listen() fail. */
async function removeStale(path: string): Promise<void> {
  try {
    if ((await lstat(path)).isSocket()) await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function addressOf(server: Server, where: Agent['config']['listen'], base: string): string {
  if ('path' in where) return where.path;
  const { port } = server.address() as AddressInfo;
  const host = where.host.includes(':') ? `[${where.host}]` : where.host;
  return `http://${host}:${port}${base}`;
}
