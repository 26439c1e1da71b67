// Owns the memory dump of the process under study.
import { z } from 'zod';
import { bytes, duration } from '../../shared/units.ts';
import type { Diagnoser } from '../contracts.ts';
import { theTarget, withTarget } from '../target.ts';

/** The estimate is of the moment it was made; a growing process may write more. */
const MARGIN = 1.1;

export const memoryDump: Diagnoser = {
  id: 'memory-dump',
  title: 'Memory dump',
  about: 'Everything the process has in memory, for a debugger. It holds secrets in clear: keep it as you keep the app\'s passwords.',
  options: z.strictObject({}),
  cost: 'pauses-app',
  costNote: 'The process stands still while it is written: about 1 to 7 s per GiB. Requests wait meanwhile.',
  preselected: true,                                           // the article's set has it
  produces: ['core-dump', 'minidump'],
  offered: (target, platform) => withTarget(target, platform.can('memory-dump')),
  async collect(run) {
    const target = theTarget(run);
    const key = { pid: target.pid, startedAt: target.startedAt };
    const stop = AbortSignal.any([run.cancel, run.enough]);    // half a dump is of no use: enough means none
    const needBytes = Math.ceil(await run.platform.dumpEstimate(key, stop) * MARGIN);
    await run.demand('A memory dump', needBytes);
    const draft = await run.artifacts.draft('core-dump', `${target.name.replace(/[^A-Za-z0-9]+/g, '_').slice(0, 40) || 'process'}-${target.pid}.dmp`, needBytes);
    try {
      run.progress(`writing about ${bytes(needBytes)}; process ${target.pid} stands still`);
      const made = await run.platform.dump(key, draft.path, stop);
      const paused = made.pausedMs === undefined ? 'pause not measured' : `paused ${duration(made.pausedMs)}`;
      await draft.commit({ kind: made.kind, note: `${made.engine}; ${paused}; not masked: holds the process's memory as it is` });
      run.progress(`${bytes(made.bytes)} by ${made.engine}, ${paused}`, 1);
    } finally {
      await draft.discard();
    }
  },
};
