// Owns the restart as an audited change: who asked, what ended, what came next, marked on every chart.
import type { z } from 'zod';
import type { RestartDone } from '../shared/api.ts';
import { sayError } from '../shared/errors.ts';
import type { ProcessKey } from '../shared/model.ts';
import { restart, type RestartHow } from '../mitigate/restart.ts';
import { within } from '../platform/clock.ts';
import type { Parts } from './agent.ts';

/** With overlap: the start of the next worker (60 s), the drain of the old one, with room; below 230 s too. */
const OVERLAPPED_LIMIT_MS = 200_000;
/** Grace, kill, and the look for the next worker, with room. Below the front end's 230 s, so that the answer always arrives. */
const LIMIT_MS = 60_000;

export async function restartWith({ config, platform, observed, audit }: Parts, target: ProcessKey & { reason?: string | undefined }, who: string, asked: RestartHow = {}): Promise<z.infer<typeof RestartDone>> {
  // A process that was chosen by its pid has no successor that would belong to the site: nobody waits for it in vain.
  const byPid = typeof config.processes !== 'string' && config.processes.pids.includes(target.pid);
  const how: RestartHow = byPid ? { ...asked, awaitsNext: false } : asked;
  const at = platform.clock.now();
  const what = `process ${target.pid} started ${new Date(target.startedAt).toISOString()}${target.reason ? `: ${target.reason}` : ''}`;
  try {
    // The deed is not the request's: a browser that goes away must not leave a half-ended worker.
    const done = await restart({ pid: target.pid, startedAt: target.startedAt }, platform, within(how.overlapped === true ? OVERLAPPED_LIMIT_MS : LIMIT_MS), how);
    observed.publish({ id: `restart:${target.pid}:${target.startedAt}`, at, kind: 'restart', level: 'warning', title: `Process ${target.pid} restarted${how.overlapped === true ? ' with overlap' : ''} by ${who}`, ...(target.reason ? { detail: target.reason } : {}), pid: target.pid });
    await audit(who, 'restart', what, `${how.overlapped === true ? 'replaced' : 'ended'}${done.next ? `; ${done.next.pid} runs now` : how.awaitsNext === false ? '' : '; no new process within 20 s'}`);
    return done;
  } catch (error) {
    await audit(who, 'restart', what, `failed: ${sayError(error)}`);
    throw error;
  }
}
