// Owns the accounting of one request: its marker, its clock and its bytes, from the first byte to the row.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Signature } from './signature.ts';
import type { Row } from './w3c.ts';

export interface RequestRecord {
  readonly arrLogId: string;
  readonly clientAddress: string;
  readonly clientPort: number;
  /** The request's target as a path with query; an absolute form loses scheme and host. */
  readonly target: string;
  /** Writes the row; later calls do nothing. */
  end(signature: Signature): void;
}

interface Mark { read: number; written: number }
/** Where the previous request of a kept connection ended: a row counts only its own bytes. */
const marks = new WeakMap<Socket, Mark>();

/** Starts the clock of a request that has just arrived on its socket. */
export function beginRecord(req: IncomingMessage, port: number, write: (row: Row) => void): RequestRecord {
  const { socket, headers } = req;
  const startedAt = performance.now();
  const arrLogId = randomUUID();
  const clientAddress = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const target = pathOf(req.url ?? '/');
  const question = target.indexOf('?');
  let ended = false;
  return {
    arrLogId,
    clientAddress,
    clientPort: socket.remotePort ?? 0,
    target,
    end(signature) {
      if (ended) return;
      ended = true;
      const { receivedBytes, sentBytes } = countBytes(socket);
      write({
        at: Date.now(),
        method: req.method ?? '',
        stem: question < 0 ? target : target.slice(0, question),
        query: question < 0 ? undefined : target.slice(question + 1),
        port,
        client: clientAddress,
        userAgent: headers['user-agent'],
        cookie: headers.cookie,
        referer: headers.referer,
        host: headers.host,
        arrLogId,
        ...signature,
        sentBytes,
        receivedBytes,
        takenMs: Math.round(performance.now() - startedAt),
      });
    },
  };
}

/** Bytes since the socket's mark, heads included; what still waits in our own buffer was not sent. */
function countBytes(socket: Socket): { receivedBytes: number; sentBytes: number } {
  const from = marks.get(socket) ?? { read: 0, written: 0 };
  const now = { read: socket.bytesRead, written: Math.max(from.written, socket.bytesWritten - socket.writableLength) };
  marks.set(socket, now);
  return { receivedBytes: now.read - from.read, sentBytes: now.written - from.written };
}

function pathOf(url: string): string {
  if (url.startsWith('/') || url === '*') return url;
  const path = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/i.exec(url)?.[1] ?? url;
  return path.startsWith('/') ? path : `/${path}`;
}
