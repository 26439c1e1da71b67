// Owns what the stage shows of restarts of the site, the plan and the platform's status.
import type { ScaleView } from '../../src/shared/management.ts';
import type { SiteRestartView } from '../../src/shared/restart.ts';
import type { ServiceHealth } from '../../src/shared/service-health.ts';

export const plan: ScaleView = { plan: 'shop-plan', sku: 'S1', instances: 2, sites: 3, least: 1, most: 4, planMost: 10, skus: ['S1', 'S2', 'P1v3'] };
export const judged: ScaleView = { ...plan, to: { sku: 'S1', instances: 3 }, cost: 'it then costs 1.5 times what it costs now: the price of one S1 in West Europe × 3 instead of × 2 (prices are not known here)' };

export const restarts = (now: number, walks: boolean): SiteRestartView => ({
  ways: [
    { way: 'instance', offer: { yes: true }, says: 'The one worker of this instance: no request fails: the next worker answers before the old one is ended.' },
    { way: 'instances', offer: { yes: true }, says: 'One instance after another; each must answer before the next one has its turn. On each: no request fails: the next worker answers before the old one is ended.' },
    { way: 'platform', offer: { yes: false, because: 'the management API is off; DIAG_MANAGEMENT=identity (the managed identity of the app) or cli (az login) turns it on' }, says: 'The whole site by the platform: the workers of all instances at once, so that requests in flight may fail and all caches are cold.' },
  ],
  overlapped: { yes: true }, pauseMs: 90_000,
  ...(walks ? { walk: { id: 'w1', at: now - 130_000, who: 'anna', overlapped: true, pauseMs: 90_000, path: '/health', state: 'running' as const, says: 'Instance b2c3d4, 2 of 3, is next after a pause of 1 min 30 s.', instances: [{ instance: 'a1b2c3', state: 'done' as const, at: now - 60_000, says: '/health answered 200 in 12 ms' }, { instance: 'b2c3d4', state: 'waiting' as const }, { instance: 'c3d4e5', state: 'waiting' as const }] } } : {}),
});

export const status = (now: number): ServiceHealth => ({ state: 'known', source: 'azure.status.microsoft', readAt: now - 120_000, triedAt: now - 120_000, says: 'The platform reports an incident: App Service - West Europe - degraded performance', items: [{ title: 'App Service - West Europe - degraded performance', at: now - 3_600_000 }] });
