// Owns how the store's tests open one: a fake platform whose home and local temp are given, so that two agents can share them.
import { join } from 'node:path';
import type { Platform } from '../../src/platform/platform.ts';
import { openStore, type Limits } from '../../src/store/open.ts';
import type { Session, SessionId } from '../../src/shared/model.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { fakePlatform, type FakePlatform } from '../support/fake-platform.ts';

export interface Here { readonly home: string; readonly instance?: string; readonly clock?: FakeClock; readonly limits?: Partial<Limits> }

export async function platformAt({ home, instance, clock }: Here): Promise<FakePlatform> {
  const fake = await fakePlatform({ home, ...(clock ? { clock } : {}), app: { instance: instance ?? 'a1b2c3' } });
  await fake.remove();                                                     // its own temp folder; ours is beside the home
  const folders = { ...fake.host.folders, temp: join(home, '..', 'temp') };
  return { ...fake, host: { ...fake.host, folders } };
}

export async function storeAt(here: Here) {
  const platform = await platformAt(here);
  return { platform, clock: platform.clock, store: await openStore({ platform, ...(here.limits ? { limits: here.limits } : {}) }) };
}

export function session(id: SessionId, at: number, more: Partial<Session> = {}): Session {
  return { version: 1, id, madeAt: at, state: 'running', askedBy: 'test', instance: 'a1b2c3', diagnosers: [], steps: [], artifacts: [], pinned: false, report: false, ...more };
}

export function reportOf(id: SessionId, at: number, platform: Platform) {
  return {
    version: 1 as const, tool: { name: 'diag', version: '0' }, session: id, madeAt: at, askedBy: 'test', window: { from: at, to: at }, app: platform.host.app, state: 'done' as const,
    headline: { severity: 'good' as const, text: 'ok', detail: [] }, steps: [], causes: [], findings: [], timeline: { stepMs: 1_000, requests: [], series: [], changes: [] }, artifacts: [], masked: [],
  };
}
