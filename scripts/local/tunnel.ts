// Owns an upgraded connection: bytes both ways until one side ends it, and what its row says then.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pairs } from './headers.ts';
import { quiet } from './quiet.ts';
import { type Signature, afterHead, win32 } from './signature.ts';

export interface Tunnelling {
  readonly answer: IncomingMessage;
  readonly worker: Socket;
  /** Bytes the worker sent right behind its 101. */
  readonly workerHead: Buffer;
  readonly res: ServerResponse;
  /** Bytes the client sent right behind its request. */
  readonly clientHead: Buffer;
  /** Without a byte for this long the platform drops the connection (about 4 min are reported, U: the request limit is used). */
  readonly quietMs: number;
}

/** Resolves with the row's signature when both sides are closed. Back-pressure is that of the pipes. */
export function tunnel({ answer, worker, workerHead, res, clientHead, quietMs }: Tunnelling): Promise<Signature> {
  const client = res.socket;
  if (client === null) {
    worker.destroy();
    return Promise.resolve(afterHead(101, win32.networkNameGone));
  }
  res.detachSocket(client);
  let reason: number = win32.none;
  const because = (why: number): void => {
    if (reason === win32.none) reason = why;
  };
  const silence = quiet(quietMs, () => {
    because(win32.semaphoreTimeout);
    client.destroy();
    worker.destroy();
  });
  client.on('error', () => because(win32.networkNameGone));
  // A worker that dies with unread bytes resets the connection; one that dies idle closes it like any other, and the row cannot tell.
  worker.on('error', () => because(win32.connectionEnded));
  client.on('data', silence.touch);
  worker.on('data', silence.touch);

  const head = [...pairs(answer.rawHeaders)].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  client.write(`HTTP/1.1 101 ${answer.statusMessage ?? ''}\r\n${head}\r\n`, 'latin1');
  if (workerHead.length > 0) client.write(workerHead);
  if (clientHead.length > 0) worker.write(clientHead);
  client.pipe(worker).pipe(client);

  const closed = (side: Socket): Promise<void> => new Promise((resolve) => side.once('close', () => resolve()));
  // WebSocket knows no half-closed connection: whoever ends it ends it for both, once what was said is through.
  client.once('end', () => worker.destroySoon());
  client.once('close', () => worker.destroy());
  worker.once('close', () => client.destroySoon());
  return Promise.all([closed(client), closed(worker)]).then(() => {
    silence.stop();
    return afterHead(101, reason);
  });
}
