// Owns finding a TCP port on 127.0.0.1 that can be listened on, and seeing when one accepts.
import { connect, createServer } from 'node:net';

/**
 * Where free ports are looked for: below every system's range for outgoing connections (Linux from 32768, others from 49152).
 * A port of that range may become the local end of any connection between the look and the listen.
 */
const [LOWEST, HIGHEST] = [12_000, 32_000];
/** So many busy ones in a row mean that something else is wrong. */
const TRIES = 100;

/** A port on 127.0.0.1 that can be listened on right now, or nothing. */
export async function anyFreePort(): Promise<number | undefined> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(port)) return port;
  }
  return undefined;
}

/** Whether the port can be listened on right now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** Whether something accepts a connection on the port right now. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
