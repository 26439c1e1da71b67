// Owns the heap snapshot of the Node process under study, guarded: what it costs is predicted, and what could kill the app is refused.
import { rename } from 'node:fs/promises';
import { z } from 'zod';
import { bytes, duration } from '../../shared/units.ts';
import type { Diagnoser } from '../contracts.ts';
import { byPreload } from '../by-preload.ts';
import { guardedSnapshot, type SnapshotOrder } from '../heap-snapshot.ts';
import { snapshotByPreload } from '../preload-snapshot.ts';
import { theTarget, withTarget } from '../target.ts';

const MAX_STOP_SECONDS = 600;

export const nodeHeapSnapshot: Diagnoser<{ maxStopSeconds?: number | undefined }> = {
  id: 'node-heap-snapshot',
  title: 'Heap snapshot of Node',
  about: 'Every object of the JavaScript heap with who holds it. It holds secrets in clear: keep it as you keep the app\'s passwords.',
  options: z.strictObject({ maxStopSeconds: z.number().int().min(1).max(MAX_STOP_SECONDS).optional().describe('Refuse it when the app would stand still for longer') }),
  cost: 'pauses-app',
  costNote: 'The app stands still for about 75 ms per MB of heap, and needs 12 to 18 times its heap more memory meanwhile. Refused where so much is not left; the heap profile is the way then.',
  preselected: false,
  produces: ['heap-snapshot'],
  offered: (target, platform) => withTarget(target, target ? platform.nodeReportOffered(target) : { yes: true }),
  async collect(run) {
    const target = theTarget(run);
    const { maxStopSeconds } = run.options;
    const draft = await run.artifacts.draft('heap-snapshot', `${target.name.replace(/[^A-Za-z0-9]+/g, '_').slice(0, 40) || 'process'}-${target.pid}.heapsnapshot`, 0);
    try {
      const order: SnapshotOrder = {
        platform: run.platform, target: { pid: target.pid, startedAt: target.startedAt }, file: `${draft.path}.made`, signal: AbortSignal.any([run.cancel, run.enough]),
        maxStopMs: maxStopSeconds === undefined ? undefined : maxStopSeconds * 1_000,
        demand: (what, needBytes) => run.demand(what, needBytes),
        progress: (note) => { run.progress(note); },
      };
      const { made, way } = await byPreload(run, (app) => snapshotByPreload(run, app, order), () => guardedSnapshot(order));
      await rename(`${draft.path}.made`, draft.path);
      const peak = made.actual.peakBytes === undefined ? '' : `, peak ${bytes(made.actual.peakBytes)} of ${bytes(made.predicted.peakBytes)} predicted`;
      await draft.commit({ note: `stopped the app for ${duration(made.actual.stopMs)} of ${duration(made.predicted.stopMs)} predicted${peak}, ${way}; not masked: holds the app's objects as they are` });
    } finally {
      await draft.discard();
    }
  },
};
