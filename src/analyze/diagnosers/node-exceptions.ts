// Owns the history of what went wrong inside the site's Node processes: exceptions, rejections and warnings since their start, on request those that the app handles too.
import { z } from 'zod';
import type { ExceptionsFile } from '../../shared/artifacts.ts';
import { DiagError } from '../../shared/errors.ts';
import { count, duration, plural } from '../../shared/units.ts';
import { thrownExceptions, type Thrown } from '../../platform/node-exceptions.ts';
import { endingOf } from '../../observe/samplers/app-end.ts';
import { byPreload } from '../by-preload.ts';
import type { Collecting, Diagnoser } from '../contracts.ts';
import { theTarget, withTarget } from '../target.ts';
import { maskJson, writeJson } from '../write.ts';

interface Options { handledSeconds?: number | undefined }

export const nodeExceptions: Diagnoser<Options> = {
  id: 'node-exceptions',
  title: 'Exceptions in Node',
  about: 'What nobody caught and what Node warned of, each kind once with frames, count and route; of processes that ended in the last minute too. With a time also what the app handles.',
  options: z.strictObject({ handledSeconds: z.number().int().min(1).max(300).optional().describe('For so many seconds count also what is thrown and handled') }),
  cost: 'slows-app',
  costNote: 'What the preload has told already costs nothing. Handled exceptions cost some 50 µs each by the preload; where there is none, the inspector stops the app for a fraction of a millisecond at each.',
  preselected: false,
  produces: ['exceptions'],
  offered: (target, platform) => withTarget(target, target ? platform.nodeReportOffered(target) : { yes: true }),
  async collect(run) {
    const thrown = run.options.handledSeconds === undefined ? undefined : await handled(run, run.options.handledSeconds * 1_000);
    const apps = run.observed.inside?.apps() ?? [];
    if (apps.length === 0 && thrown === undefined) throw new DiagError('NOTHING_TO_COLLECT', { why: 'no process of the site carries the preload, which keeps their history', remedy: 'Give handledSeconds: then the inspector counts what is thrown from now on. Observe, App says how to get the preload.' });
    const file: ExceptionsFile = {
      version: 1, at: run.platform.clock.now(),
      apps: apps.map(({ process, node, state, failures, end }) => { const ending = end === undefined ? undefined : endingOf(end)?.detail; return { ...process, node, state, ...(end === undefined ? {} : { endedAt: end.at }), ...(ending === undefined ? {} : { ending }), failures: [...failures] }; }),
      ...(thrown === undefined ? {} : { thrown: { pid: theTarget(run).pid, ...thrown, failures: [...thrown.failures] } }),
    };
    const { value, count: masked } = maskJson(file, run.mask);
    const kinds = file.apps.reduce((sum, { failures }) => sum + failures.length, thrown?.failures.length ?? 0);
    await writeJson(run, 'exceptions', 'exceptions.json', value, { masked, note: `${plural(kinds, 'kind')} of ${plural(file.apps.length, 'process', 'processes')}${thrown === undefined ? '' : `; ${count(thrown.count)} thrown in ${duration(thrown.forMs)}, seen by the inspector`}` });
  },
};

/** By the preload they come into its history; else the inspector sees them itself. */
async function handled(run: Collecting<Options>, forMs: number): Promise<Thrown | undefined> {
  const target = theTarget(run);
  const key = { pid: target.pid, startedAt: target.startedAt };
  const stop = AbortSignal.any([run.cancel, run.enough]);
  run.progress(`counting what process ${target.pid} throws for ${duration(forMs)}`);
  const { made } = await byPreload(run, async () => {
    await run.observed.inside?.ask(key, { what: 'exceptions', forS: forMs / 1_000 }, stop);
    try {
      await run.platform.clock.wait(forMs + TOLD_WITHIN_MS, stop);
    } catch (error) {
      if (!run.enough.aborted || run.cancel.aborted) throw error;
    }
    return undefined;
  }, () => run.platform.inspect(key, stop, (inspector) => thrownExceptions(inspector, forMs, stop)));
  return made;
}

/** The last of them comes with the next tick. */
const TOLD_WITHIN_MS = 1_500;
