// Owns the memory dump of the process under study.
import { z } from 'zod';
import { DiagError } from '../../shared/errors.ts';
import { bytes, duration } from '../../shared/units.ts';
import type { DumpKind } from '../../platform/platform.ts';
import type { Diagnoser } from '../contracts.ts';
import { theTarget, withTarget } from '../target.ts';

/** The estimate is of the moment it was made; a growing process may write more. */
const MARGIN = 1.1;

export const memoryDump: Diagnoser<{ kind?: DumpKind | undefined }> = {
  id: 'memory-dump',
  title: 'Memory dump',
  about: 'Everything the process has in memory, for a debugger. It holds secrets in clear: keep it as you keep the app\'s passwords.',
  options: z.strictObject({ kind: z.enum(['full', 'mini-plus', 'mini']).optional().describe('How much of the memory: all of it (default), stacks with what they point to, or stacks alone') }),
  cost: 'pauses-app',
  costNote: ({ host }) => (/windows/i.test(host.app.os)
    ? 'The process stands still while it is written: 1 to 7 s per GiB.'
    : 'The process is copied while it runs and stands still for 5 to 20 ms per GiB (Linux 6.7 or later, else 10 to 70); where it cannot be copied, for 1 to 7 s per GiB.'),
  preselected: true,                                           // the article's set has it
  produces: ['core-dump', 'minidump'],
  offered: (target, platform) => withTarget(target, platform.can('memory-dump')),
  async collect(run) {
    const target = theTarget(run);
    const { kind } = run.options;
    if (kind !== undefined && !run.platform.dumpKinds.includes(kind)) throw new DiagError('CAPABILITY_MISSING', { what: `A ${kind} dump`, because: `it is one of ${run.platform.dumpKinds.join(', ')}` });
    const key = { pid: target.pid, startedAt: target.startedAt };
    const stop = AbortSignal.any([run.cancel, run.enough]);    // half a dump is of no use: enough means none
    const needBytes = Math.ceil(await run.platform.dumpEstimate(key, stop, kind) * MARGIN);
    await run.demand('A memory dump', needBytes);
    const draft = await run.artifacts.draft('core-dump', `${target.name.replace(/[^A-Za-z0-9]+/g, '_').slice(0, 40) || 'process'}-${target.pid}.dmp`, needBytes);
    try {
      run.progress(`taking up to ${bytes(needBytes)} of process ${target.pid}`);
      const made = await run.platform.dump(key, draft.path, stop, kind, (done, of) => { run.progress(`${bytes(done)} of about ${bytes(Math.max(done, of))} written`, Math.min(1, done / of)); });
      const paused = made.pausedMs === undefined ? 'pause not measured' : `paused ${duration(made.pausedMs)}`;
      await draft.commit({ kind: made.kind, note: `${made.engine}; ${paused}; ${made.note === undefined ? '' : `${made.note}; `}not masked: holds the process's memory as it is` });
      run.progress(`${bytes(made.bytes)} by ${made.engine}, ${paused}`, 1);
    } finally {
      await draft.discard();
    }
  },
};
