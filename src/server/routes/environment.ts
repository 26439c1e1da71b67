// Owns the routes of the environment: its view, what surrounds it, the kept ones and their comparison.
import type { Agent } from '../../agent/agent.ts';
import type { environmentRoutes as contract } from '../../shared/environment.ts';
import type { Handlers } from '../mount.ts';

export function environmentRoutes({ environment }: Agent): Pick<Handlers, keyof typeof contract> {
  return {
    environment: async ({ query, signal }) => await environment.view(query.of, signal),
    surroundings: async ({ query, signal }) => await environment.surroundings(query.fresh, signal),
    snapshots: async () => await environment.snapshots(),
    compareEnvironments: async ({ query: { left, right, all }, signal }) => await environment.compare(left, right, all, signal),
    saveMoment: async ({ body, who, signal }) => await environment.save(body.note, who, signal),
    deleteMoment: async ({ params, who }) => { await environment.remove(params.moment, who); return { ok: true as const }; },
  };
}
