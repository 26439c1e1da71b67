// Owns the routes of auto-heal: what web.config says, what a change would do, the change, backups, trial, conversion; the same by the management API.
import type { Agent } from '../../agent/agent.ts';
import type { Written } from '../../mitigate/auto-heal/config-file.ts';
import type { Handlers } from '../mount.ts';

type Mine = Pick<Handlers, 'autoHeal' | 'checkAutoHeal' | 'putAutoHeal' | 'autoHealBackup' | 'restoreAutoHeal' | 'tryAutoHeal' | 'convertAutoHeal' | 'platformAutoHeal' | 'checkPlatformAutoHeal' | 'putPlatformAutoHeal'>;

export function autoHealHandlers({ autoHeal, cure: { heal } }: Agent): Mine {
  const told = async (written: Written) => ({ ...written, view: await autoHeal.view() });
  return {
    autoHeal: () => autoHeal.view(),
    checkAutoHeal: ({ body }) => autoHeal.check(body.rules, body.leaveOut),
    putAutoHeal: async ({ body, who }) => told(await autoHeal.write(body.rules, body.etag, body.leaveOut, who)),
    autoHealBackup: ({ params }) => autoHeal.compare(params.backup),
    restoreAutoHeal: async ({ body, who }) => told(await autoHeal.restore(body.backup, body.etag, who)),
    tryAutoHeal: ({ body }) => autoHeal.trial(body.rules, body.hours),
    platformAutoHeal: () => heal.view(),
    checkPlatformAutoHeal: ({ body }) => heal.check(body.rules),
    putPlatformAutoHeal: async ({ body, who }) => { const written = await heal.write(body.rules, body.etag, who); return { ...written, view: await heal.view() }; },
    convertAutoHeal: ({ body }) => autoHeal.convert(body),
  };
}
