// Owns the faults of pools of threads that have none left: libuv's by reads of a share that hangs, Java's by tasks that wait for tasks of the same pool.
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startJava } from '../java/fault.ts';
import type { FilesFault, LocalFault } from '../lab/fault.ts';

export const threadPoolExhausted: LocalFault = {
  name: 'thread-pool-exhausted', cause: 'thread-pool-exhausted', front: 'local', app: 'thread-pool-exhausted', about: 'four reads of a share that hangs take all threads of libuv; every page that reads a file waits', needs: ['mkfifo'], limits: { handlerLimitMs: 3_000 },
  history: { minutes: 10, routes: [{ path: '/', takenMs: 5, everyMs: 240 }, { path: '/photo', takenMs: 30, everyMs: 480 }, { path: '/health', takenMs: 2, everyMs: 480 }] },
  async before(lab) {
    // A pipe that nobody writes to: its open waits in the thread, as a read from a lost share does.
    const share = join(lab.folder, 'share');
    if (spawnSync('mkfifo', [share]).status !== 0) throw new Error('mkfifo failed');
    lab.set('share', share);
    return () => undefined;
  },
  env: (lab) => ({ SHARE: lab.value('share') }),
  async run(site) {
    await site.load({ paths: ['/', '/health'], everyMs: 60, forMs: 1_500 });
    site.onwards({ paths: ['/', '/photo', '/', '/health'], everyMs: 120 });
    await site.load({ paths: ['/health'], everyMs: 300, forMs: 7_000 });
  },
};

export const javaPoolExhausted: FilesFault = {
  front: 'files', needs: ['nginx', 'java', 'javac', 'jstack'], name: 'java-pool-exhausted', cause: 'thread-pool-exhausted', about: 'a task waits for a task of its own pool: eight of them, and none is left',
  async run(bench) {
    const { url, pid } = await startJava(bench);
    await bench.load(url, { paths: ['/'], everyMs: 40, forMs: 1_500 });
    await bench.load(url, { paths: ['/sum', '/'], everyMs: 60, forMs: 4_000 });
    const dump = spawnSync('jstack', ['-l', String(pid)], { encoding: 'utf8' });
    await writeFile(join(bench.logs, 'threads.txt'), dump.stdout);
  },
};
