// Owns the talk with the management API through its makers' packages; loaded at its first use, bundled apart.
import { createWebSiteManagement } from '@azure/arm-appservice/api';
import { createOrUpdate, get as getPlan, getServerFarmSkus } from '@azure/arm-appservice/api/appServicePlans';
import { get as getSite, getConfiguration, getConfigurationSlot, getSlot, restart, restartSlot, updateConfiguration, updateConfigurationSlot } from '@azure/arm-appservice/api/webApps';
import { AzureCliCredential, ManagedIdentityCredential } from '@azure/identity';
import { AutoHealState } from '../../shared/management.ts';
import type { ManagementSettings } from './management.ts';

export interface Plan {
  readonly name: string;
  readonly resourceGroup: string;
  readonly region: string | undefined;
  readonly sku: string;
  readonly instances: number;
  /** Of this SKU, where the API tells. */
  readonly maximum: number | undefined;
  readonly sites: number;
  /** What the plan can be turned into. */
  readonly skus: readonly { readonly sku: string; readonly maximum: number | undefined }[];
}

export interface Sdk {
  restart(signal: AbortSignal): Promise<void>;
  autoHeal(signal: AbortSignal): Promise<AutoHealState>;
  setAutoHeal(state: AutoHealState, signal: AbortSignal): Promise<AutoHealState>;
  plan(signal: AbortSignal): Promise<Plan>;
  /** Resolves when the platform has done it. */
  scale(plan: Plan, to: { readonly sku: string; readonly instances: number }, signal: AbortSignal): Promise<void>;
}

type Site = Awaited<ReturnType<typeof getSite>>;
type Config = Awaited<ReturnType<typeof getConfiguration>>;

/** Two tries more, quickly: what takes longer is told, and somebody decides. */
const RETRIES = { maxRetries: 2, retryDelayInMs: 500, maxRetryDelayInMs: 4_000 };
const POLL_MS = 2_000;

export function openSdk({ credential, subscription, resourceGroup: group, site, slot, endpoint, clientId, ca }: ManagementSettings): Sdk {
  const who = credential === 'cli' ? new AzureCliCredential() : clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId });
  const base = (endpoint ?? 'https://management.azure.com').replace(/\/+$/, '');
  const context = createWebSiteManagement(who, subscription, { endpoint: base, credentials: { scopes: [`${base}/.default`] }, retryOptions: RETRIES, ...(ca === undefined ? {} : { tlsOptions: { ca } }) });
  const readSite = (abortSignal: AbortSignal): Promise<Site> => (slot === undefined ? getSite(context, group, site, { abortSignal }) : getSlot(context, group, site, slot, { abortSignal }));
  const readPlan = async (signal: AbortSignal) => {
    const { serverFarmId } = await readSite(signal);
    const [, planGroup, name] = /\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Web\/serverfarms\/([^/]+)$/i.exec(serverFarmId ?? '') ?? [];
    if (planGroup === undefined || name === undefined) throw new Error(`the site ${site} names no plan that can be scaled`);
    return { planGroup, name, plan: await getPlan(context, planGroup, name, { abortSignal: signal }) };
  };
  return {
    async restart(abortSignal) { await (slot === undefined ? restart(context, group, site, { abortSignal }) : restartSlot(context, group, site, slot, { abortSignal })); },
    async autoHeal(abortSignal) { return healing(await (slot === undefined ? getConfiguration(context, group, site, { abortSignal }) : getConfigurationSlot(context, group, site, slot, { abortSignal }))); },
    async setAutoHeal({ enabled, rules }, abortSignal) {
      const change = { autoHealEnabled: enabled, ...(rules === undefined ? {} : { autoHealRules: rules as NonNullable<Config['autoHealRules']> }) };
      return healing(await (slot === undefined ? updateConfiguration(context, group, site, change, { abortSignal }) : updateConfigurationSlot(context, group, site, slot, change, { abortSignal })));
    },
    async plan(signal) {
      const { planGroup, name, plan } = await readPlan(signal);
      const skus = skusIn(await getServerFarmSkus(context, planGroup, name, { abortSignal: signal }));
      const sku = plan.sku?.name ?? 'unknown';
      return { name, resourceGroup: planGroup, region: plan.location, sku, instances: plan.sku?.capacity ?? plan.numberOfWorkers ?? 1, maximum: plan.maximumNumberOfWorkers ?? skus.find((one) => one.sku === sku)?.maximum, sites: plan.numberOfSites ?? 1, skus };
    },
    /** The plan is read again and sent back whole with another SKU: a patch of a plan has no place for it. */
    async scale({ name, resourceGroup }, to, abortSignal) {
      const plan = await getPlan(context, resourceGroup, name, { abortSignal });
      const sku = to.sku === plan.sku?.name ? { ...plan.sku, capacity: to.instances } : { name: to.sku, capacity: to.instances };
      await createOrUpdate(context, resourceGroup, name, { ...plan, sku }, { abortSignal, updateIntervalInMs: POLL_MS }).pollUntilDone({ abortSignal });
    },
  };
}

/** By way of JSON: members that the API left out are undefined here, and are none there. */
const healing = ({ autoHealEnabled, autoHealRules }: Config): AutoHealState => AutoHealState.parse(JSON.parse(JSON.stringify({ enabled: autoHealEnabled ?? false, rules: autoHealRules ?? undefined })));

/** The answer has no schema in the published description: what is not of the known form is left out. */
function skusIn(answer: Record<string, unknown>): Plan['skus'] {
  const list = Array.isArray(answer['skus']) ? answer['skus'] as readonly unknown[] : [];
  return list.flatMap((one) => {
    const { sku, capacity } = (one ?? {}) as { readonly sku?: { readonly name?: unknown }; readonly capacity?: { readonly maximum?: unknown } };
    return typeof sku?.name === 'string' ? [{ sku: sku.name, maximum: typeof capacity?.maximum === 'number' ? capacity.maximum : undefined }] : [];
  });
}
