// Owns the routes of the diagnostic dump: what it can hold, and the zip itself.
import type { Response } from 'express';
import type { LogBundleQuery } from '../../shared/log-bundle.ts';
import { DiagError } from '../../shared/errors.ts';
import { bytes, plural } from '../../shared/units.ts';
import { listProviders, writeLogBundle } from '../../analyze/log-bundle/bundle.ts';
import type { Agent } from '../../agent/agent.ts';
import type { Handlers } from '../mount.ts';

type Mine = Pick<Handlers, 'logProviders' | 'logBundle'>;

/** Packing takes a core and the share's bandwidth. */
const MAX_AT_ONCE = 3;
let making = 0;

export function logBundleRoutes(agent: Agent): Mine {
  return {
    logProviders: async ({ signal }) => listProviders(agent.platform, signal),
    logBundle: async ({ query, who, res, signal }) => {
      const { site } = agent.platform.host.app;
      await sendLogBundle(agent, query, `logs-${site.replace(/[^\w.-]/g, '_')}-${new Date(agent.platform.clock.now()).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}.zip`, who, res, signal);
    },
  };
}

/** Streams it; what fails on the way cuts the connection, so that nobody takes a part for the whole. */
export async function sendLogBundle(agent: Agent, query: LogBundleQuery, name: string, who: string, res: Response, signal: AbortSignal): Promise<void> {
  const { from, to } = query;
  if (from !== undefined && to !== undefined && from > to) throw new DiagError('BAD_INPUT', { why: 'query.from: lies after to' });
  if (making >= MAX_AT_ONCE) throw new DiagError('TOO_MANY', { what: 'diagnostic dumps', limit: MAX_AT_ONCE });
  making += 1;
  try {
    res.attachment(name);
    res.type('application/zip');
    const { files, leftOut, leftOutMore, masked } = await writeLogBundle({ out: res, platform: agent.platform, query, masker: agent.kudu.masker(), askedBy: who, version: agent.version, signal });
    await agent.audit(who, 'download logs', name, signal.aborted ? 'broken off' : `${plural(files.length, 'file')}, ${bytes(files.reduce((sum, one) => sum + one.bytes, 0))}, ${plural(masked, 'secret')} masked, ${plural(leftOut.length + leftOutMore, 'file')} left out`);
  } finally {
    making -= 1;
  }
}
