// Owns what ends processes as an action: the worker, all workers one after another, or the process that made the rule fire; each at most once, known by pid and start.
import type { RestartDone } from '../../shared/api.ts';
import type { z } from 'zod';
import { DiagError } from '../../shared/errors.ts';
import type { Offer, ProcessInfo, ProcessKey } from '../../shared/model.ts';
import type { ActionResult } from '../../shared/rules.ts';
import type { Clock } from '../../platform/clock.ts';
import { workerOf } from '../../analyze/target.ts';
import type { FiringContext, Hand } from '../rules/firing.ts';

/** Between two workers of a site: the next one is to be warm before the one after it goes. */
const PAUSE_MS = 10_000;

export interface ProcessPorts {
  readonly clock: Pick<Clock, 'wait'>;
  processes(signal: AbortSignal): Promise<readonly ProcessInfo[]>;
  /** Whether the next worker can be started before the old one is ended. */
  overlapped(): Offer;
  /** Ends this very process, and waits for the platform's next one where that is wanted. @throws as mitigate/restart.ts */
  restart(target: ProcessKey, reason: string, who: string, how: { readonly awaitsNext: boolean; readonly overlapped: boolean }): Promise<z.infer<typeof RestartDone>>;
}

export function recycleHand(ports: ProcessPorts): Hand {
  return {
    async run(step, on) {
      const site = step.type === 'recycle' && step.what === 'site';
      const targets = await recycled(ports, on, site);
      if (targets.length === 0) return { result: 'done', says: 'no worker that ran when the rule fired is running any more' };
      const wished = step.type === 'recycle' && step.overlapped;
      const offer = ports.overlapped();
      const said: string[] = [];
      for (const [index, target] of targets.entries()) {
        if (index > 0) await ports.clock.wait(PAUSE_MS, on.signal);
        said.push(await recycledOne(ports, target, on, wished && offer.yes));
      }
      return { result: 'done', says: `${said.join('; ')}${wished && !offer.yes ? `; ended before the next one started: ${offer.because ?? 'nothing here starts a second worker beside the first'}` : ''}`.slice(0, 2_000) };
    },
    /** The processes that were meant are gone: it was done, or they ended by themselves; either way nothing is left to do. */
    async after(step, on) {
      const left = await recycled(ports, on, step.type === 'recycle' && step.what === 'site');
      return left.length > 0 ? undefined : { result: 'done', says: 'the agent ended in the middle of it; the worker that was meant has ended' };
    },
  };
}

export function endHand(ports: ProcessPorts): Hand {
  const there = async ({ fired, signal }: FiringContext): Promise<boolean> => (await ports.processes(signal)).some((one) => isSame(one, fired.target));
  return {
    async run(_step, on): Promise<ActionResult> {
      const { target } = on.fired;
      if (target === undefined) throw new DiagError('CAPABILITY_MISSING', { what: 'The end of a process', because: 'no process of the site was running when the rule fired' });
      if (!await there(on)) return { result: 'done', says: `process ${target.pid} had ended before` };
      return { result: 'done', says: await one(ports, target, on, { awaitsNext: false, overlapped: false }) };
    },
    after: async (_step, on) => (on.fired.target !== undefined && await there(on) ? undefined : { result: 'done', says: `the agent ended in the middle of it; process ${on.fired.target?.pid ?? ''} has ended` }),
  };
}

/** A next worker that does not start keeps the old one in its place; the rule wants it gone, so it is then ended without overlap. */
async function recycledOne(ports: ProcessPorts, target: ProcessKey, on: FiringContext, overlapped: boolean): Promise<string> {
  if (overlapped) {
    try {
      return await one(ports, target, on, { awaitsNext: true, overlapped: true });
    } catch (error) {
      if (!(error instanceof DiagError) || error.code !== 'RESTART_REFUSED') throw error;
      return `${await one(ports, target, on, { awaitsNext: true, overlapped: false })}, without overlap: ${error.message}`;
    }
  }
  return one(ports, target, on, { awaitsNext: true, overlapped: false });
}

async function one(ports: ProcessPorts, target: ProcessKey, { fired }: FiringContext, how: { readonly awaitsNext: boolean; readonly overlapped: boolean }): Promise<string> {
  try {
    const { next } = await ports.restart(target, `rule ${fired.rule}: ${fired.condition.slice(0, 200)}`, `rule ${fired.rule}`, how);
    if (!how.awaitsNext) return `process ${target.pid} was ended`;
    if (how.overlapped) return `process ${target.pid} was ended after ${next?.pid ?? 'the next one'} had taken over`;
    return `process ${target.pid} was ended${next === undefined ? '; no next one was seen in time' : `, ${next.pid} runs now`}`;
  } catch (error) {
    // It went by itself meanwhile: what was wanted is so.
    if (error instanceof DiagError && (error.code === 'PROCESS_GONE' || error.code === 'PROCESS_REUSED')) return `process ${target.pid} had ended before`;
    throw error;
  }
}

/** Those that ran when the rule fired and still do: a worker that started since is not what was wrong. */
async function recycled({ processes }: ProcessPorts, { fired, signal }: FiringContext, site: boolean): Promise<readonly ProcessKey[]> {
  const all = await processes(signal);
  const old = all.filter((info) => info.ours !== true && info.startedAt <= fired.at);
  if (site) return old.filter(({ role }) => role === 'worker').map(keyOf);
  const worker = old.find((info) => isSame(info, fired.target) && info.role === 'worker') ?? (fired.target === undefined ? workerOf(old) : workerOver(all, fired.target) ?? old.find((info) => isSame(info, fired.target)));
  return worker === undefined ? [] : [keyOf(worker)];
}

/** The worker above a process of it: what leaks may be a child. */
function workerOver(all: readonly ProcessInfo[], target: ProcessKey): ProcessInfo | undefined {
  let at = all.find((info) => isSame(info, target));
  for (let depth = 0; at !== undefined && depth < 32; depth += 1) {
    if (at.role === 'worker') return at;
    const { parent } = at;
    at = all.find(({ pid }) => pid === parent);
  }
  return undefined;
}

const isSame = (info: ProcessKey, target: ProcessKey | undefined): boolean => info.pid === target?.pid && info.startedAt === target.startedAt;
const keyOf = ({ pid, startedAt }: ProcessKey): ProcessKey => ({ pid, startedAt });
