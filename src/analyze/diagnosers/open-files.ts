// Owns the list of a process's open files, sockets and pipes.
import { z } from 'zod';
import type { OpenFilesFile } from '../../shared/artifacts.ts';
import { plural } from '../../shared/units.ts';
import type { Diagnoser } from '../contracts.ts';
import { theTarget, withTarget } from '../target.ts';
import { writeJson } from '../write.ts';

export const openFiles: Diagnoser = {
  id: 'open-files',
  title: 'Open files',
  about: 'Files, sockets and pipes that the process holds open: what leaks when descriptors run out.',
  options: z.strictObject({}),
  cost: 'free',
  preselected: true,
  produces: ['open-files'],
  offered: (target, platform) => withTarget(target, platform.can('open-files')),
  async collect(run) {
    const { pid } = theTarget(run);
    let count = 0;
    const files = (await run.platform.openFiles(pid, run.cancel)).map((file) => {
      const masked = run.mask.text(file);
      count += masked.count;
      return masked.text;
    });
    const list: OpenFilesFile = { version: 1, at: run.platform.clock.now(), pid, files };
    await writeJson(run, 'open-files', `open-files-${pid}.json`, list, { masked: count });
    run.progress(plural(files.length, 'open file'), 1);
  },
};
