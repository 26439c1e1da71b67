// Owns the Express app below the base path: static page, routes of the contract, sign-in link, and the end of every error.
import express, { type Express, type RequestHandler } from 'express';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DiagError } from '../shared/errors.ts';
import type { Agent } from '../agent/agent.ts';
import { closed, type Guard } from './guard.ts';
import { bodyTime } from './body-time.ts';
import { kuduRouter } from './kudu/index.ts';
import { mountAll } from './mount.ts';
import { problems } from './problem.ts';
import { agentRoutes } from './routes/agent.ts';
import { autoHealHandlers } from './routes/auto-heal.ts';
import { fileRouteHandlers } from './routes/files.ts';
import { logBundleRoutes } from './routes/log-bundle.ts';
import { logRoutes } from './routes/logs.ts';
import { mitigateRoutes } from './routes/mitigate.ts';
import { environmentRoutes } from './routes/environment.ts';
import { observeRoutes } from './routes/observe.ts';
import { processRoutes } from './routes/processes.ts';
import { siteRoutes } from './routes/restart.ts';
import { ruleRoutes } from './routes/rules.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { shellRoutes } from './routes/shells.ts';

export interface AppSettings { readonly agent: Agent; readonly guard: Guard; readonly base: string; readonly publicDir: string }

/** Everything a POST may carry: choices and reasons, never files. */
const MAX_BODY = '64kb';
/** The rules as text: 2 MiB, and what escaping adds. */
const MAX_RULES_BODY = '5mb';
/** A text of 2 MiB that is edited, and what escaping adds. */
const MAX_FILE_BODY = '13mb';
/** A name with a hash of its content never changes. */
const FOREVER = 'public, max-age=31536000, immutable';

/** Built without listening, so that tests can drive it. */
export function createApp({ agent, guard, base, publicDir }: AppSettings): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);
  app.set('trust proxy', agent.config.auth === 'platform');
  app.use(closed);
  app.use(bodyTime(agent.platform.clock));
  app.use((req, _res, next) => { guard.checkHost(req); next(); });
  const { kuduApi, auth } = agent.config;
  if (kuduApi) app.use(`${base}/kudu`, kuduRouter(agent, guard, true));
  const router = express.Router({ caseSensitive: true });
  router.put('/api/rules', express.json({ limit: MAX_RULES_BODY, strict: true }));
  router.put('/api/files/content', express.json({ limit: MAX_FILE_BODY, strict: true }));
  router.use(express.json({ limit: MAX_BODY, strict: true }));
  mountAll(router, { ...agentRoutes(agent, guard), ...observeRoutes(agent), ...processRoutes(agent), ...environmentRoutes(agent), ...logRoutes(agent), ...fileRouteHandlers(agent), ...logBundleRoutes(agent), ...sessionRoutes(agent), ...mitigateRoutes(agent), ...siteRoutes(agent), ...autoHealHandlers(agent), ...ruleRoutes(agent), ...shellRoutes(agent) }, guard);
  router.use('/api', (req) => { throw new DiagError('NOT_FOUND', { path: req.baseUrl + req.path }); });
  router.get('/', once(guard, base));
  router.use(express.static(publicDir, { index: false, redirect: false, setHeaders: (res, path) => { res.setHeader('cache-control', /assets[\\/]chunk-/.test(path) ? FOREVER : 'no-cache'); } }));
  router.get(PAGES, page(base, publicDir));
  app.use(base, router);
  // On App Service the root of the host is the real Kudu's.
  if (kuduApi && auth === 'token') app.use(kuduRouter(agent, guard, false));
  app.get('/', (_req, res) => { res.redirect(302, `${base}/`); });
  app.use((req) => { throw new DiagError('NOT_FOUND', { path: req.path }); });
  app.use(problems((error, operation) => { agent.log.error('request failed', { operation }, error); }));
  return app;
}

/** Addresses of the page's views; each restores itself from its address. */
const PAGES = ['/', '/now', '/observe', '/logs', '/analyze', '/analyze/:session', '/analyze/:session/dump/:instance/:name', '/analyze/:session/profile/:instance/:name', '/analyze/:session/heap/:instance/:name', '/mitigate', '/console'];

/** `/?once=KEY` exchanges the key for a cookie and leaves no key in the address bar. */
function once(guard: Guard, base: string): RequestHandler {
  return (req, res, next) => {
    const key = req.query['once'];
    if (typeof key !== 'string') { next(); return; }
    res.setHeader('set-cookie', guard.login(key, req.secure));
    res.redirect(303, `${base}/`);
  };
}

/** index.html with the base path filled in; read once. */
function page(base: string, publicDir: string): RequestHandler {
  let html: string | undefined;
  return async (_req, res) => {
    html ??= (await readFile(join(publicDir, 'index.html'), 'utf8')).replaceAll('{{base}}', `${base}/`);
    res.setHeader('cache-control', 'no-cache');
    res.type('html').send(html);
  };
}
