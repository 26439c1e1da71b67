// Owns the listening side of the front end: connections in, exchanges out, and a clean end.
import { Agent, ServerResponse, createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Desk, exchange } from './exchange.ts';
import type { Limits } from './limits.ts';
import type { RotatingFile } from './rotating-file.ts';
import { rowText } from './w3c.ts';

export interface FrontOptions {
  readonly port: number;
  readonly site: string;
  readonly defaultHostname: string;
  readonly limits: Limits;
  readonly rows: RotatingFile;
  worker(): number | 'stopped' | undefined;
}

export interface Front {
  readonly port: number;
  /** Requests that the worker on this port still has to answer; tunnels are none. */
  openOn(port: number): number;
  /** Takes no more requests. */
  quiesce(): void;
  /** Cuts what is left and resolves when the last row is on disk. */
  close(): Promise<void>;
}

/** HTTP.sys takes 16 KB of request head; more is accepted here so that hostile heads reach the log's own cut. */
const REQUEST_HEAD_BYTES = 256 * 1024;

/**
 * The pool of connections to the worker. It ignores the worker's `Keep-Alive: timeout=5` as WinHTTP does, and never
 * retries on a new connection: a worker that closes an idle connection just as a request goes out gives a real 12030.
 */
class WorkerPool extends Agent {
  override keepSocketAlive(socket: Duplex): boolean {
    (socket as Socket).setKeepAlive(true, 1000);
    return true;
  }
}

/** Listens on 127.0.0.1. Rejects with the listen error (`EADDRINUSE`). */
export async function startFront(options: FrontOptions): Promise<Front> {
  const agent = new WorkerPool({ keepAlive: true, maxFreeSockets: 256 });
  const server = createServer({
    maxHeaderSize: REQUEST_HEAD_BYTES,
    keepAliveTimeout: 120_000, // IIS's connection time-out
    requestTimeout: 0, // our own limits count
  });
  const upgraded = new Set<Socket>();
  const opened = new Map<number, number>();
  await listening(server, options.port);
  const { port } = server.address() as AddressInfo;
  const desk: Desk = {
    ...options,
    port,
    agent,
    worker: () => options.worker(),
    opened: (at) => {
      opened.set(at, (opened.get(at) ?? 0) + 1);
      return () => {
        const left = (opened.get(at) ?? 1) - 1;
        if (left > 0) opened.set(at, left);
        else opened.delete(at);
      };
    },
    write: (row) => options.rows.append(rowText(options.site, row)),
  };
  server.on('request', (req, res) => exchange(req, res, desk));
  server.on('upgrade', (req, socket, head) => {
    const client = socket as Socket;
    upgraded.add(client);
    client.once('close', () => upgraded.delete(client));
    client.on('error', () => client.destroy()); // reset by the client: the exchange sees the close
    const res = new ServerResponse(req);
    res.shouldKeepAlive = false; // Node's parser has let go of this socket: no second request can be read from it
    res.assignSocket(client);
    res.once('finish', () => client.end());
    exchange(req, res, desk, head);
  });
  return {
    port,
    openOn: (at) => opened.get(at) ?? 0,
    quiesce() {
      server.close();
      server.closeIdleConnections();
    },
    async close() {
      server.close();
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      agent.destroy();
      await new Promise((resolve) => setImmediate(resolve)); // the closed sockets write their rows in this turn
      await options.rows.flushed();
    },
  };
}

/** A malformed request is answered 400 by Node itself and gets no row, as HTTP.sys keeps those out of the site's log. */
function listening(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}
