// Owns the faults of a Java app behind nginx: a deadlock told by a thread dump, a heap that is full told by its log.
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import type { FilesBench, FilesFault } from '../lab/fault.ts';
import { listens, startNginx } from '../lab/nginx.ts';

const FRONT = { front: 'files', needs: ['nginx', 'java', 'javac', 'jstack'] } as const;

export async function startJava(bench: FilesBench): Promise<{ readonly url: string; readonly pid: number }> {
  const made = spawnSync('javac', ['-d', bench.folder, join(import.meta.dirname, 'src', 'Lab.java')], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr);
  const port = await freePort();
  const { pid } = bench.spawn('java', ['-Xmx48m', '-cp', bench.folder, 'Lab', String(port)], { out: 'java.log' });
  await listens(port);
  return { pid, url: await startNginx(bench, { location: `proxy_pass http://127.0.0.1:${port}; proxy_read_timeout 2s;` }) };
}

export const javaDeadlock: FilesFault = {
  ...FRONT, name: 'java-deadlock', cause: 'java-deadlock', about: 'two locks in two orders; a thread dump was taken',
  async run(bench) {
    const { url, pid } = await startJava(bench);
    await bench.load(url, { paths: ['/'], everyMs: 40, forMs: 1_500 });
    await bench.load(url, { paths: ['/in', '/out', '/'], everyMs: 60, forMs: 4_000 });
    const dump = spawnSync('jstack', ['-l', String(pid)], { encoding: 'utf8' });
    await writeFile(join(bench.logs, 'threads.txt'), dump.stdout);
  },
};

export const javaHeapExhausted: FilesFault = {
  ...FRONT, name: 'java-heap-exhausted', cause: 'java-heap-exhausted', about: 'a cache without an end fills the heap: OutOfMemoryError in the log, 500 to the visitors',
  async run(bench) {
    const { url } = await startJava(bench);
    await bench.load(url, { paths: ['/', '/cache'], everyMs: 60, forMs: 4_000 });
  },
};
