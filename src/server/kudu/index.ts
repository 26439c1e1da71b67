// Owns Kudu's HTTP API: all of its addresses on one router, with its errors.
import express, { type Router } from 'express';
import { DiagError } from '../../shared/errors.ts';
import type { Agent } from '../../agent/agent.ts';
import type { Guard } from '../guard.ts';
import { dumpRoutes } from './diagnostic-dump.ts';
import { kuduFaults } from './fault.ts';
import { logStreamRoutes } from './log-stream.ts';
import { processRoutes } from './processes.ts';
import { recentLogRoutes } from './recent-logs.ts';
import { KuduRoutes } from './route.ts';
import { acceptJson, siteRoutes } from './site.ts';
import { vfsRoutes } from './vfs.ts';
import { zipRoutes } from './zip.ts';

/** `whole`: everything below is Kudu's, so that the rest is told in its form; otherwise what it does not know is left to others. */
export function kuduRouter(agent: Agent, guard: Guard, whole: boolean): Router {
  const router = express.Router({ caseSensitive: false });
  acceptJson(router, '/command', '/settings', '/diagnostics/settings');
  const routes = new KuduRoutes(router, guard);
  processRoutes(routes, agent);
  siteRoutes(routes, agent);
  recentLogRoutes(routes, agent);
  logStreamRoutes(routes, agent);
  dumpRoutes(routes, agent);
  vfsRoutes(routes, agent, agent.files);
  zipRoutes(routes, agent, agent.files);
  if (whole) router.use((req) => { throw new DiagError('NOT_FOUND', { path: req.originalUrl.split('?', 1)[0] ?? '' }); });
  router.use(kuduFaults((error, operation) => { agent.log.error('a request of Kudu\'s API failed', { operation }, error); }));
  return router;
}
