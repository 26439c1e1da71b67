// Owns what concerns the whole site: restarts of more than one worker, the management API, and the platform's own health.
import type { Operation } from '../shared/api.ts';
import type { ScaleChange } from '../shared/management.ts';
import type { ProcessKey } from '../shared/model.ts';
import type { Management } from '../mitigate/management/management.ts';
import { PUBLIC_FEED, ServiceHealthReader } from '../mitigate/service-health.ts';
import { checkedUrl } from '../mitigate/web.ts';
import type { Parts } from './agent.ts';
import type { Config, Env } from './config.ts';
import { startScale } from './management.ts';
import { platformHealOf, type PlatformHeal } from './platform-heal.ts';
import { startSiteRestarts, type SiteRestarts } from './site-restart.ts';

export interface Cure {
  readonly restarts: SiteRestarts;
  readonly management: Management;
  readonly heal: PlatformHeal;
  readonly serviceHealth: ServiceHealthReader;
  /** @throws CAPABILITY_MISSING, SCALE_REFUSED, MANAGEMENT_FAILED */
  scale(change: ScaleChange, reason: string | undefined, who: string): Promise<Operation>;
  stop(): void;
  readonly stopped: Promise<void>;
}

export function startCure(parts: Parts, config: Config, management: Management, given: { mask(text: string): string; asked(target: ProcessKey): void }): Cure {
  const restarts = startSiteRestarts({ parts, config, management, ...given });
  const ending = new AbortController();
  const { clock } = parts.platform;
  const serviceHealth = new ServiceHealthReader({ feed: feedOf(config.env), policy: { allowLoopback: config.allowLoopback }, now: () => clock.now(), monotonic: () => clock.monotonic() }, ending.signal);
  return {
    restarts, management, serviceHealth, heal: platformHealOf(parts, management, given.asked),
    scale: (change, reason, who) => startScale(parts, management, { change, reason, who, mask: given.mask }),
    stop: () => { ending.abort(); restarts.stop(); },
    stopped: restarts.stopped.then(() => serviceHealth.settled()),
  };
}

/** off, or another feed of the same form (a sovereign cloud's). @throws ADDRESS_REFUSED naming what is no address */
function feedOf(env: Env): string | undefined {
  const set = env['DIAG_STATUS_FEED'] ?? '';
  if (set === 'off') return undefined;
  return set === '' ? PUBLIC_FEED : checkedUrl(set).href;
}
