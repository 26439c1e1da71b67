// Owns the routes of what changes the whole site: restarts of more than one worker, the plan by the management API, the platform's health.
import type { Agent } from '../../agent/agent.ts';
import { sayError } from '../../shared/errors.ts';
import type { Handlers } from '../mount.ts';

type Mine = Pick<Handlers, 'siteRestart' | 'restartSite' | 'stopWalk' | 'management' | 'judgeScale' | 'scale' | 'serviceHealth'>;
const OK = { ok: true } as const;

export function siteRoutes({ cure, mask }: Agent): Mine {
  return {
    siteRestart: () => cure.restarts.view(),
    restartSite: ({ body, who }) => cure.restarts.start(body, who),
    stopWalk: async ({ who }) => { await cure.restarts.stopWalk(who); return OK; },
    management: async () => {
      const offer = cure.management.offer();
      if (!offer.yes) return { offer };
      try {
        return { offer, plan: await cure.management.plan() };
      } catch (error) {
        return { offer, missing: mask(sayError(error)) };
      }
    },
    serviceHealth: async () => cure.serviceHealth.view(),
    judgeScale: ({ body }) => cure.management.judge(body),
    scale: ({ body: { change, reason }, who }) => cure.scale(change, reason, who),
  };
}
