// Owns the routes of what changes the site: restart.
import type { Agent } from '../../agent/agent.ts';
import { maskedInfo } from '../../agent/masking.ts';
import { restartTargets } from '../../mitigate/restart.ts';
import type { Handlers } from '../mount.ts';

type Mine = Pick<Handlers, 'restartTargets' | 'restart'>;

export function mitigateRoutes(agent: Agent): Mine {
  return {
    restartTargets: async () => ({ targets: restartTargets(agent.observed.processes().map((info) => maskedInfo(info, agent.mask)), agent.platform) }),
    restart: async ({ body: { overlapped = false, ...target }, who }) => agent.restart(target, who, { overlapped }),
  };
}
