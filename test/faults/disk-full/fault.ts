// Owns the fault of a disk without room.
import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalFault } from '../lab/fault.ts';

export const diskFull: LocalFault = {
  name: 'disk-full', cause: 'disk-full', front: 'local', app: 'disk-full', about: 'uploads on a file system of two megabytes', needs: ['root', 'mount'],
  async before(lab) {
    const place = join(lab.folder, 'uploads');
    await mkdir(place);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', place], { encoding: 'utf8' });
    if (mounted.status !== 0) throw new Error(`no small file system: ${mounted.stderr}`);
    lab.set('place', place);
    return () => { spawnSync('umount', ['-l', place]); };
  },
  env: (lab) => ({ UPLOADS: lab.value('place') }),
  async run(site) {
    const others = site.load({ paths: ['/'], everyMs: 60, forMs: 4_000 });
    await site.load({ paths: ['/upload'], everyMs: 50, forMs: 4_000, method: 'POST', body: 'x' });
    await others;
  },
};
