// Owns the list of what changed in a session's window: starts, exits with codes, deployments, restarts.
import { z } from 'zod';
import type { ChangesFile } from '../../shared/artifacts.ts';
import type { Change } from '../../shared/model.ts';
import { plural } from '../../shared/units.ts';
import type { Diagnoser } from '../contracts.ts';
import { writeJson } from '../write.ts';

export const changes: Diagnoser = {
  id: 'changes',
  title: 'What changed',
  about: 'Starts, exits with their codes, deployments and restarts of the window.',
  options: z.strictObject({}),
  cost: 'free',
  preselected: true,
  produces: ['changes'],
  offered: () => ({ yes: true }),
  async collect(run) {
    const byId = new Map<string, Change>();
    for (const change of run.observed.changes.recent()) {
      if (change.at >= run.window.from && change.at <= run.window.to) byId.set(change.id, { ...byId.get(change.id), ...change });
    }
    let count = 0;
    const shown = (text: string): string => { const masked = run.mask.text(text); count += masked.count; return masked.text; };
    const list = [...byId.values()].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
      .map((c) => ({ ...c, title: shown(c.title), ...(c.detail !== undefined && { detail: shown(c.detail) }) }));
    const file: ChangesFile = { version: 1, changes: list };
    await writeJson(run, 'changes', 'changes.json', file, { masked: count });
    run.progress(plural(list.length, 'change'), 1);
  },
};
