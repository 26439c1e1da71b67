// Owns who observes: the lease kept while the agent runs, and what happens when the lead comes to it or leaves it.
import type { AgentLog } from '../platform/log.ts';
import type { Platform } from '../platform/platform.ts';
import { sayError } from '../shared/errors.ts';
import type { Store } from '../store/store.ts';
import { LOOK_EVERY_MS, createLease, type Lease } from './lease.ts';

export interface Lead {
  /** Whether this agent observes and acts for its instance now. Asked at every step that two agents must not both do. */
  leads(): boolean;
  /** Since when it does, or does not. */
  since(): number;
  holder(): ReturnType<Lease['holder']>;
  fault(): string | undefined;
  /** Until the signal: keeps the lease, or takes it when it is free. Never rejects. */
  keep(work: Following, signal: AbortSignal): Promise<void>;
  /** Leaves it to the next one; after everything is written. */
  release(): Promise<void>;
}

interface Following {
  readonly store: Pick<Store, 'history'>;
  /** The lead has come, and the store writes. */
  taken(): Promise<void>;
}

export async function createLead(platform: Platform, log: AgentLog): Promise<Lead> {
  const lease = createLease(platform);
  let mine = await lease.look();
  let since = platform.clock.now();
  let due = false;                                             // a turn that failed half-way is done again
  if (!mine) log.info('another agent of this instance observes; its samples are read', { pid: lease.holder()?.pid });
  const turn = async (work: Following): Promise<void> => {
    const held = await lease.look();
    if (held !== mine) {
      since = platform.clock.now();
      log.info(held ? 'the lead was taken over' : 'another agent of this instance took over the lead', { pid: lease.holder()?.pid });
      mine = held;
      due = true;
    }
    if (due) {
      await work.store.history.reopen();
      if (held) await work.taken();
      due = false;
    } else if (held && lease.followed()) await work.store.history.flush();   // whoever reads, and takes over after a kill, has all but the last seconds
  };
  return {
    leads: () => mine && lease.held(),
    since: () => since,
    holder: () => lease.holder(),
    fault: () => lease.fault(),
    async keep(work, signal) {
      for await (const _ of platform.clock.every(LOOK_EVERY_MS, signal)) {
        void _;
        try {
          await turn(work);
        } catch (error) {
          log.warn('the lead could not be kept or taken as it should', { why: sayError(error) }, error);
        }
      }
    },
    async release() {
      try {
        await lease.release();
      } catch (error) {
        log.warn('the lease could not be left: the next agent sees that this one has ended', {}, error);
      }
    },
  };
}
