// Owns the management API in the running agent: its settings out of the environment, and changes of the plan as operations with an audit.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Operation } from '../shared/api.ts';
import { DiagError, sayError } from '../shared/errors.ts';
import type { ScaleChange } from '../shared/management.ts';
import { Management, type ManagementSettings } from '../mitigate/management/management.ts';
import type { Parts } from './agent.ts';
import type { Env } from './config.ts';
import { startJob } from './job.ts';

/** Names of Azure: what becomes part of an address there. */
const Name = z.string().regex(/^[\w().-]{1,90}$/, 'a name as Azure gives them');
const Count = z.coerce.number().int().min(1).max(1_000);

const Settings = z.object({
  DIAG_MANAGEMENT: z.enum(['off', 'identity', 'cli']).default('off'),
  DIAG_MANAGEMENT_SUBSCRIPTION: z.uuid().optional(),
  DIAG_MANAGEMENT_GROUP: Name.optional(),
  DIAG_MANAGEMENT_SITE: Name.optional(),
  DIAG_MANAGEMENT_SLOT: Name.optional(),
  DIAG_MANAGEMENT_ENDPOINT: z.string().regex(/^https:\/\/[a-z0-9.-]+(:\d{1,5})?\/?$/i, 'an address such as https://management.azure.com').max(300).optional(),
  DIAG_MANAGEMENT_CLIENT_ID: z.uuid().optional(),
  DIAG_MANAGEMENT_CA: z.string().max(1_000).optional(),
  DIAG_SCALE_MIN: Count.default(1),
  DIAG_SCALE_MAX: Count.default(10),
});

/** What App Service says of the site stands in for what is not set. */
export async function managementOf(env: Env, mask: (text: string) => string): Promise<Management> {
  const off = (because: string): Management => new Management(undefined, because, mask);
  const parsed = Settings.safeParse(Object.fromEntries(Object.keys(Settings.shape).map((name) => [name, env[name] === '' ? undefined : env[name]])));
  if (!parsed.success) return off(`its settings cannot be used: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`);
  const s = parsed.data;
  if (s.DIAG_MANAGEMENT === 'off') return off('the management API is off; DIAG_MANAGEMENT=identity (the managed identity of the app) or cli (az login) turns it on');
  const subscription = s.DIAG_MANAGEMENT_SUBSCRIPTION ?? /^[0-9a-f-]{36}/i.exec(env['WEBSITE_OWNER_NAME'] ?? '')?.[0];
  const resourceGroup = s.DIAG_MANAGEMENT_GROUP ?? env['WEBSITE_RESOURCE_GROUP'];
  const site = s.DIAG_MANAGEMENT_SITE ?? env['WEBSITE_SITE_NAME'];
  const missing = Object.entries({ DIAG_MANAGEMENT_SUBSCRIPTION: subscription, DIAG_MANAGEMENT_GROUP: resourceGroup, DIAG_MANAGEMENT_SITE: site }).flatMap(([name, value]) => (value ? [] : [name]));
  if (!subscription || !resourceGroup || !site) return off(`it is not known which site is meant: ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`);
  if (s.DIAG_SCALE_MIN > s.DIAG_SCALE_MAX) return off('DIAG_SCALE_MIN is above DIAG_SCALE_MAX');
  const slot = s.DIAG_MANAGEMENT_SLOT ?? env['WEBSITE_SLOT_NAME'];
  try {
    const settings: ManagementSettings = {
      credential: s.DIAG_MANAGEMENT, subscription, resourceGroup, site, endpoint: s.DIAG_MANAGEMENT_ENDPOINT, clientId: s.DIAG_MANAGEMENT_CLIENT_ID,
      slot: slot === undefined || slot === '' || slot.toLowerCase() === 'production' ? undefined : slot,
      ca: s.DIAG_MANAGEMENT_CA === undefined ? undefined : await readFile(s.DIAG_MANAGEMENT_CA, 'utf8'), least: s.DIAG_SCALE_MIN, most: s.DIAG_SCALE_MAX,
    };
    return new Management(settings, '', mask);
  } catch (error) {
    return off(`the certificates of DIAG_MANAGEMENT_CA cannot be read: ${sayError(error)}`);
  }
}

/** @throws CAPABILITY_MISSING, SCALE_REFUSED before anything is begun */
export async function startScale(parts: Parts, management: Management, { change, reason, who, mask }: { readonly change: ScaleChange; readonly reason: string | undefined; readonly who: string; mask(text: string): string }): Promise<Operation> {
  const { plan, to } = await management.judge(change);
  if (to === undefined) throw new DiagError('SCALE_REFUSED', { why: 'nothing was asked for' });
  const what = `plan ${plan} to ${to.instances} × ${to.sku}${reason === undefined ? '' : `: ${reason}`}`;
  await parts.audit(who, 'scale', what, 'started');
  return startJob({ ...parts, mask }, {
    kind: 'scale', title: `Scale ${what}`,
    async run(signal) {
      try {
        const says = await management.scale(change, signal);
        parts.observed.publish({ id: `scale:${parts.platform.clock.now()}`, at: parts.platform.clock.now(), kind: 'configuration', level: 'warning', title: `The plan was scaled by ${who}`, detail: says });
        await parts.audit(who, 'scale', what, says);
        return says;
      } catch (error) {
        await parts.audit(who, 'scale', what, `failed: ${mask(sayError(error))}`);
        throw error;
      }
    },
  });
}
