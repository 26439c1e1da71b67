// Owns Kudu's address of the diagnostic dump: everything, or what our own query chooses.
import { LogBundleQuery } from '../../shared/log-bundle.ts';
import type { Agent } from '../../agent/agent.ts';
import { InputError } from '../problem.ts';
import { sendLogBundle } from '../routes/log-bundle.ts';
import { refuseHead, type KuduRoutes } from './route.ts';
import { stamp } from './shape.ts';

export function dumpRoutes(routes: KuduRoutes, agent: Agent): void {
  routes
    .on('get', '/dump', async ({ req, res, who, signal }) => {
      refuseHead(req);
      const parsed = LogBundleQuery.safeParse(req.query);
      if (!parsed.success) throw new InputError('query', parsed.error);
      await sendLogBundle(agent, parsed.data, `dump-${stamp(agent.platform.clock.now())}.zip`, who, res, signal);
    })
    .refuse('/dump');
}
