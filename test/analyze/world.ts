// Owns the world of the session tests: a real store over a real home, a platform and clock that a test moves, and diagnosers made to measure.
import { z } from 'zod';
import type { Session } from '../../src/shared/model.ts';
import type { Change } from '../../src/shared/model.ts';
import type { Logs, Observed } from '../../src/observe/observe.ts';
import { createFeed } from '../../src/observe/feed.ts';
import { createRequestFeed } from '../../src/observe/request-feed.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import type { Collecting, Diagnoser } from '../../src/analyze/contracts.ts';
import { createSessions, type Sessions, type SessionsGiven } from '../../src/analyze/session.ts';
import { fakePlatform, type FakePlatform } from '../support/fake-platform.ts';

export const NO_LOGS: Logs = {
  catalog: async () => ({ sources: [], more: 0 }),
  path: async (source) => { throw new Error(`no ${source}`); },
  page: async () => { throw new Error('no logs'); }, since: async () => { throw new Error('no logs'); },
  follow: async () => { /* no logs */ },
};

/** What the observer knows when nothing has been observed yet. */
export function emptyObserved(logs: Logs = NO_LOGS): Observed {
  return {
    samples: createFeed(10), requests: createRequestFeed(10), changes: createFeed<Change>(100), errors: createFeed(10), logs,
    processes: () => [], latest: () => new Map(), exits: () => [], health: () => [], lost: () => [],
    http: async () => { throw new Error('not used here'); }, rows: async () => ({ rows: [], more: false }),
  };
}

export interface World {
  readonly platform: FakePlatform;
  readonly store: Store;
  readonly observed: Observed;
  sessions(given: Partial<SessionsGiven>): Sessions;
  close(): Promise<void>;
}

export async function world(limits: { artifactBytes?: number } = {}): Promise<World> {
  const platform = await fakePlatform();
  const store = await openStore({ platform, limits });
  const observed = emptyObserved();
  return {
    platform, store, observed,
    sessions: (given) => createSessions({ platform, store, observed, diagnosers: [], analyzers: [], toolVersion: '9.9.9', reportCss: 'body{}', ...given }),
    async close() { await store.close(); await platform.remove(); },
  };
}

/** A diagnoser that does what the test says. */
export function diagnoser(id: string, collect: (run: Collecting) => Promise<void>, more: Partial<Diagnoser> = {}): Diagnoser {
  return { id, title: `Title of ${id}`, about: 'a test', options: z.strictObject({}), cost: 'free', preselected: true, produces: ['application-log'], offered: () => ({ yes: true }), collect, ...more };
}

/** Writes one small text artifact. */
export async function writes(run: Collecting, name: string, text = 'hello'): Promise<void> {
  const draft = await run.artifacts.draft('application-log', name);
  draft.stream().end(text);
  await draft.commit();
}

/** state and reason of each step, by stage and id. */
export function stepsOf(session: Session): Record<string, string> {
  return Object.fromEntries(session.steps.map((s) => [`${s.stage}/${s.id}`, s.because === undefined ? s.state : `${s.state}: ${s.because}`]));
}
