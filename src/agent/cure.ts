// Owns what the agent can do to the whole site: restarts of more than one worker, and the management API.
import type { Operation } from '../shared/api.ts';
import type { ScaleChange } from '../shared/management.ts';
import type { ProcessKey } from '../shared/model.ts';
import type { Management } from '../mitigate/management/management.ts';
import type { Parts } from './agent.ts';
import type { Config } from './config.ts';
import { startScale } from './management.ts';
import { startSiteRestarts, type SiteRestarts } from './site-restart.ts';

export interface Cure {
  readonly restarts: SiteRestarts;
  readonly management: Management;
  /** @throws CAPABILITY_MISSING, SCALE_REFUSED, MANAGEMENT_FAILED */
  scale(change: ScaleChange, reason: string | undefined, who: string): Promise<Operation>;
  stop(): void;
  readonly stopped: Promise<void>;
}

export function startCure(parts: Parts, config: Config, management: Management, given: { mask(text: string): string; asked(target: ProcessKey): void }): Cure {
  const restarts = startSiteRestarts({ parts, config, management, ...given });
  return {
    restarts, management,
    scale: (change, reason, who) => startScale(parts, management, { change, reason, who, mask: given.mask }),
    stop: () => { restarts.stop(); },
    stopped: restarts.stopped,
  };
}
