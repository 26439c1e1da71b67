// Owns the environment of the process under study, secrets masked.
import { z } from 'zod';
import { maskVariables } from '../../shared/mask.ts';
import type { EnvironmentFile } from '../../shared/artifacts.ts';
import { count, plural } from '../../shared/units.ts';
import type { Diagnoser } from '../contracts.ts';
import { theTarget, withTarget } from '../target.ts';
import { writeJson } from '../write.ts';

export const environment: Diagnoser = {
  id: 'environment',
  title: 'Environment',
  about: 'The environment variables the process was started with: settings, runtime versions, limits. Secrets are masked.',
  options: z.strictObject({}),
  cost: 'free',
  preselected: true,
  produces: ['environment'],
  offered: (target, platform) => withTarget(target, platform.can('environment')),
  async collect(run) {
    const { pid } = theTarget(run);
    const raw = await run.platform.environment(pid, run.cancel);
    const variables = maskVariables(raw).map(({ name, value, masked }) => {
      const rest = run.mask.text(value);
      return { name, value: rest.text, masked: masked || rest.count > 0 };
    }).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    const hidden = variables.filter((v) => v.masked).length;
    const file: EnvironmentFile = { version: 1, at: run.platform.clock.now(), pid, variables };
    await writeJson(run, 'environment', `environment-${pid}.json`, file, { masked: hidden });
    run.progress(`${plural(variables.length, 'variable')}, ${count(hidden)} masked`, 1);
  },
};
