// Owns Kudu's addresses of the site as a whole: command lines, settings of both kinds, version and runtimes.
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import express, { type Router } from 'express';
import { z } from 'zod';
import { DiagError } from '../../shared/errors.ts';
import type { HostFact, Runtime } from '../../shared/surroundings.ts';
import { codeIn } from '../../store/atomic.ts';
import type { Agent } from '../../agent/agent.ts';
import type { Settings } from '../../agent/kudu/settings.ts';
import { InputError } from '../problem.ts';
import type { KuduCall, KuduRoutes } from './route.ts';
import { instant } from './shape.ts';

/** A command line of cmd has 8,191 characters, settings some kilobytes. */
const MAX_BODY = '1mb';
/** Of a command, a space each so often keeps the front end waiting: JSON may begin with any number of them. */
const STILL_HERE_MS = 20_000;
/** Runtimes come with the machine's image. */
const RUNTIMES_KEPT_MS = 10 * 60_000;

const Command = z.object({ command: z.string().min(1).max(100_000), dir: z.string().max(4_000).nullish() });

/** Another site's form cannot send this type without asking first, and is never allowed to. */
export function acceptJson(router: Router, ...paths: string[]): void {
  for (const path of paths) router.post([`/api${path}`, path], express.json({ limit: MAX_BODY, strict: true, type: ['application/json', 'text/json', 'application/*+json'] }));
}

export function siteRoutes(routes: KuduRoutes, agent: Agent): void {
  routes
    .on('post', '/command', (call) => command(agent, call))
    .on('get', '/environment', async () => ({ version: agent.version, siteLastModified: await changedAt(agent.platform.host.folders.site) }))
    .on('get', '/diagnostics/runtime', runtimesOf(agent))
    .refuse('/command', '/environment', '/diagnostics/runtime');
  settingRoutes(routes, '/settings', agent.kudu.settings, async (call, what) => { await agent.audit(call.who, 'read settings', what, 'sent as they are'); });
  settingRoutes(routes, '/diagnostics/settings', agent.kudu.diagnosticSettings, async () => undefined);
}

/** Status 200 whatever becomes of it, so the head can go out before the end is known. */
async function command(agent: Agent, { req, res, who }: KuduCall): Promise<void> {
  const parsed = Command.safeParse(req.body);
  if (!parsed.success) throw new InputError('body', parsed.error);
  const over = new AbortController();
  const running = agent.kudu.commands.run({ command: parsed.data.command, dir: parsed.data.dir ?? '' }, who);
  void keepWaiting(agent, res, over.signal);
  try {
    const body = JSON.stringify(await running);
    if (!res.headersSent) res.status(200).type('application/json');
    res.end(body);
  } finally {
    over.abort();
  }
}

async function keepWaiting({ platform: { clock } }: Agent, res: KuduCall['res'], over: AbortSignal): Promise<void> {
  for await (const _ of clock.every(STILL_HERE_MS, over)) {
    void _;
    if (res.destroyed) return;
    if (!res.headersSent) res.status(200).type('application/json');
    res.write(' ');
  }
}

function settingRoutes(routes: KuduRoutes, path: string, settings: Settings, read: (call: KuduCall, what: string) => Promise<void>): void {
  routes
    .on('get', path, async (call) => { const all = await settings.all(call.signal); await read(call, 'all'); return all; })
    .on('get', `${path}/:key`, async (call) => {
      const wanted = call.param('key').toLowerCase();
      const [key, value] = Object.entries(await settings.all(call.signal)).find(([name]) => name.toLowerCase() === wanted) ?? [];
      if (key === undefined) throw new DiagError('NOT_FOUND', { path: `the setting '${call.param('key').slice(0, 100)}'` });
      await read(call, key);
      call.res.status(200).type('application/json').send(JSON.stringify(value));
      return undefined;
    })
    .on('post', path, async ({ req, res, who }) => {
      const body: unknown = req.body;
      if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new DiagError('BAD_INPUT', { why: 'body: a flat object of settings as application/json' });
      // Kudu takes { key, value } of its first version too.
      const given = body as Record<string, unknown>;
      const pair = Object.keys(given).length === 2 && typeof given['key'] === 'string' && 'value' in given;
      await settings.set(pair ? { [given['key'] as string]: given['value'] } : given, who);
      res.status(204).end();
    })
    .on('delete', `${path}/:key`, async ({ res, who, param }) => { await settings.remove(param('key'), who); res.status(204).end(); })
    .refuse(path, `${path}/:key`);
}

async function changedAt(folder: string): Promise<string> {
  try {
    return instant((await stat(folder)).mtimeMs);
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return '0001-01-01T00:00:00';   // what .NET says of a time that is none
    throw error;
  }
}

/** Asking the machine starts programs: one answer for all who ask within ten minutes. */
function runtimesOf({ platform }: Agent): (call: KuduCall) => Promise<object> {
  let kept: { at: number; told: Promise<{ runtimes: readonly Runtime[]; facts: readonly HostFact[] }> } | undefined;
  return async () => {
    const now = platform.clock.monotonic();
    if (kept === undefined || now - kept.at > RUNTIMES_KEPT_MS) {
      const signal = AbortSignal.timeout(60_000);
      const told = Promise.all([platform.runtimes(signal), platform.hostFacts(signal)]).then(([runtimes, facts]) => ({ runtimes, facts }));
      kept = { at: now, told };
      told.catch(() => { kept = undefined; });
    }
    const { runtimes, facts } = await kept.told;
    const versions = (name: Runtime['name']): string[] => runtimes.flatMap((one) => (one.name === name && one.version !== undefined ? [one.version] : []));
    const [npm] = versions('npm');
    const dotnet = { shared: { 'microsoft.netcore.app': versions('.NET') }, sdk: [] };
    return {
      nodejs: versions('Node.js').map((version) => ({ version, ...(npm === undefined ? {} : { npm }) })),
      dotnetcore32: { shared: { 'microsoft.netcore.app': [] }, sdk: [] }, dotnetcore64: dotnet, aspnetcoremodule: {},
      python: versions('Python'), php: versions('PHP'), java: versions('Java'),
      system: { os_name: platform.host.app.os, os_build_lab_ex: facts.find(({ id }) => id === 'kernel' || id === 'build')?.value ?? null, cores: availableParallelism() },
    };
  };
}
