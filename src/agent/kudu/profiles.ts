// Owns CPU profiles that are begun by one request and fetched by another: one for a process, ended by itself when nobody comes.
import { DiagError } from '../../shared/errors.ts';
import type { ProcessInfo } from '../../shared/model.ts';
import { duration } from '../../shared/units.ts';
import { untilAborted, within } from '../../platform/clock.ts';
import { cpuProfileUntil } from '../../platform/node-heap.ts';
import type { Parts } from '../agent.ts';

export interface Profiles {
  /** Resolves when samples are taken. @throws OPERATION_BUSY, TOO_MANY, CAPABILITY_MISSING, INSPECTOR_FAILED */
  start(target: ProcessInfo, who: string): Promise<void>;
  /** The profile as JSON text, of all the time since its start. @throws OPERATION_UNKNOWN */
  stop(pid: number, who: string): Promise<string>;
  isRunning(pid: number): boolean;
}

/** As long as Kudu lets one run. */
const LIMIT_MS = 15 * 60_000;
const MAX_AT_ONCE = 4;

interface Profile { readonly target: ProcessInfo; readonly startedAt: number; readonly enough: AbortController; readonly text: Promise<string>; over: boolean }

export function createProfiles({ platform, audit }: Pick<Parts, 'platform' | 'audit'>, ending: AbortSignal): Profiles {
  const running = new Map<number, Profile>();
  return {
    async start(target, who) {
      const { pid } = target;
      if (running.get(pid)?.over === false) throw new DiagError('OPERATION_BUSY', { what: `A profile of process ${pid}`, operation: `profile-${pid}` });
      const offer = target.ours === true ? { yes: false, because: 'it is the agent\'s own' } : platform.nodeReportOffered(target);
      if (!offer.yes) throw new DiagError('CAPABILITY_MISSING', { what: `A CPU profile of process ${pid}`, because: offer.because });
      for (const [old, one] of running) if (one.over) running.delete(old);
      if (running.size >= MAX_AT_ONCE) throw new DiagError('TOO_MANY', { what: 'profiles', limit: MAX_AT_ONCE });
      const enough = new AbortController();
      let started: () => void = () => undefined;
      const begun = new Promise<void>((resolve) => { started = resolve; });
      const until = within(LIMIT_MS, enough.signal, ending);
      const text = platform.inspect({ pid, startedAt: target.startedAt }, ending, (inspector) => cpuProfileUntil(inspector, async () => { started(); await untilAborted(until); }));
      const one: Profile = { target, startedAt: platform.clock.now(), enough, text, over: false };
      running.set(pid, one);
      // Nobody may come for it; what it fails with is told to who comes.
      void text.then(() => { one.over = true; }, () => { one.over = true; });
      try {
        await Promise.race([begun, text]);
      } catch (error) {
        running.delete(pid);
        throw error;
      }
      await audit(who, 'profile', `process ${pid} (${target.name})`, 'begun');
    },
    async stop(pid, who) {
      const one = running.get(pid);
      if (one === undefined) throw new DiagError('OPERATION_UNKNOWN', { operation: `profile-${pid}` });
      one.enough.abort();
      running.delete(pid);
      const text = await one.text;
      await audit(who, 'profile', `process ${pid} (${one.target.name})`, `sent, ${duration(platform.clock.now() - one.startedAt)} of it`);
      return text;
    },
    isRunning: (pid) => running.get(pid)?.over === false,
  };
}
