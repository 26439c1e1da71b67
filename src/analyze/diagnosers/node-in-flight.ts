// Owns the requests that the process under study is serving now, with what each waits for and the places in the code where that wait began.
import { z } from 'zod';
import { AppFlights } from '../../shared/app-link.ts';
import { NO_PRELOAD } from '../../shared/app-view.ts';
import type { InFlightFile } from '../../shared/artifacts.ts';
import { DiagError } from '../../shared/errors.ts';
import { duration, plural } from '../../shared/units.ts';
import { askForText, preloadOf } from '../by-preload.ts';
import type { Diagnoser } from '../contracts.ts';
import { theTarget, withTarget } from '../target.ts';
import { maskJson, writeJson } from '../write.ts';

/** Long enough for those that hang to stand out. */
const SECONDS = 5;

export const nodeInFlight: Diagnoser<{ seconds: number }> = {
  id: 'node-in-flight',
  title: 'Requests in flight in Node',
  about: 'What the process is serving: each request with its age, what it waits for (a call, a connection, a look-up, a file, a timer) and the async stack of that wait. Needs the preload.',
  options: z.strictObject({ seconds: z.number().int().min(1).max(300).default(SECONDS).describe('Requests that begin in these seconds are followed; of those that began before only the age is known, unless somebody followed already') }),
  cost: 'slows-app',
  costNote: 'While it looks, each request costs some 5 µs more, and stacks are taken where waits begin.',
  preselected: false,
  produces: ['in-flight'],
  offered: (target) => withTarget(target, { yes: true }),
  async collect(run) {
    const { pid } = theTarget(run);
    if (preloadOf(run) === undefined) throw new DiagError('NOTHING_TO_COLLECT', { why: `process ${pid} carries no preload that answers, and nothing else knows its requests`, remedy: NO_PRELOAD });
    const forMs = run.options.seconds * 1_000;
    run.progress(`following the requests of process ${pid} for ${duration(forMs)}`);
    const seen = AppFlights.parse(JSON.parse(await askForText(run, { what: 'flights', forS: run.options.seconds }, AbortSignal.any([run.cancel, run.enough]))));
    const file: InFlightFile = { ...seen, pid, forMs };
    const { value, count: masked } = maskJson(file, run.mask);
    await writeJson(run, 'in-flight', `in-flight-${pid}.json`, value, { masked, note: `${plural(seen.inFlight, 'request')} in flight` });
  },
};
