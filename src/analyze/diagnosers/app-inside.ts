// Owns the last minute of the apps that carry the preload, as they measured it themselves: routes, dependencies, stalls of the loop, heap, failures.
import { z } from 'zod';
import type { InsideFile } from '../../shared/artifacts.ts';
import { NO_PRELOAD } from '../../shared/app-view.ts';
import { plural } from '../../shared/units.ts';
import { appView } from '../../observe/samplers/app-views.ts';
import type { Diagnoser } from '../contracts.ts';
import { writeJson } from '../write.ts';

export const appInside: Diagnoser = {
  id: 'app-inside',
  title: 'The app from inside',
  about: 'What the app itself measured in the last minute: requests in flight, dependencies, delays of the event loop, heap and collections. Needs the preload.',
  options: z.strictObject({}),
  cost: 'free',
  preselected: true,
  produces: ['app-inside'],
  offered: () => ({ yes: true }),
  async collect(run) {
    const apps = run.observed.inside?.apps() ?? [];
    if (apps.length === 0) { run.progress(NO_PRELOAD, 1); return; }      // a fact about the app, not a failure of the step
    let masked = 0;
    const shown = (text: string): string => { const one = run.mask.text(text); masked += one.count; return one.text; };
    const file: InsideFile = { version: 1, at: run.platform.clock.now(), apps: apps.map((app) => appView(app, shown)) };
    await writeJson(run, 'app-inside', 'app-inside.json', file, { masked });
    run.progress(plural(apps.length, 'app'), 1);
  },
};
