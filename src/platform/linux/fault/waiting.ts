// Owns the wait for news of traced threads: a blocking system call on a thread beside ours, so that our own can listen to its stdin.
import { createRequire } from 'node:module';

/** include/uapi/linux/wait.h */
const P_ALL = 0;
const WSTOPPED = 2, WEXITED = 4, WNOWAIT = 0x0100_0000, WALL = 0x4000_0000;
const SIGINFO_BYTES = 128;
/** Of si_pid in siginfo_t of SIGCHLD (x86-64). */
const PID_AT = 16;

interface Koffi { load(path: null): { func(definition: string): { async(...args: unknown[]): void } } }

/** Tells the id of a thread that has news, without taking the news: only the tracer's own thread may go on with it. Undefined: nobody is left to wait for. */
export function openWaiting(): () => Promise<number | undefined> {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi;
  const waitid = koffi.load(null).func('int waitid(int type, int id, _Out_ uint8_t *info, int options)');
  return () => new Promise((resolve, reject) => {
    const info = Buffer.alloc(SIGINFO_BYTES);
    waitid.async(P_ALL, 0, info, WSTOPPED | WEXITED | WNOWAIT | WALL, (error: Error | null, result: number) => {
      if (error !== null) reject(error);
      else resolve(result === 0 ? info.readInt32LE(PID_AT) : undefined);
    });
  });
}
