// Owns the worker's stdout and stderr on disk: raw bytes, a file of its own for each worker and stream, as iisnode keeps them.
import type { ChildProcess } from 'node:child_process';
import type { Home } from './home.ts';
import type { Limits } from './limits.ts';
import { RotatingFile } from './rotating-file.ts';

/** Files kept per stream over all workers, so that a crash loop cannot fill the folder (iisnode's maxLogFiles). */
const FILES_KEPT = 20;
/** A pipe is read no further while this much waits for the disk; the worker's own writes then wait, as with a real pipe. */
const WAITING_BYTES = 1024 * 1024;

/** Keeps both streams until they end; resolves when their last byte is on disk. */
export async function keepOutput(child: ChildProcess, home: Home, limits: Limits): Promise<void> {
  const kept: Promise<void>[] = [];
  for (const name of ['stdout', 'stderr'] as const) {
    const stream = child[name];
    if (stream === null) continue;
    const owned = new RegExp(`^${home.instance.computer}-\\d+-${name}-\\d+\\.txt$`); // the computer's name is ours: letters and digits
    const file = new RotatingFile({
      folder: home.application,
      nameAt: (at) => `${home.instance.computer}-${child.pid}-${name}-${at}.txt`,
      owns: (found) => owned.test(found),
      maxBytes: limits.outputFileBytes,
      maxFiles: FILES_KEPT,
      lost: (pieces) => `[${pieces} pieces of output could not be written]\n`,
    });
    stream.on('data', (bytes: Buffer) => {
      file.append(bytes);
      if (file.waitingBytes < WAITING_BYTES) return;
      stream.pause();
      file.flushed().then(() => stream.resume(), () => stream.resume());
    });
    stream.on('error', () => stream.destroy()); // the pipe broke with its process
    kept.push(new Promise<void>((resolve) => stream.once('close', () => resolve())).then(() => file.flushed()));
  }
  await Promise.all(kept);
}
