// Owns the management API as the agent knows it: off until configured, what it may do and within which limits, and errors with their next step.
import { DiagError, sayError } from '../../shared/errors.ts';
import type { AutoHealState, ScaleChange, ScaleView } from '../../shared/management.ts';
import type { Offer } from '../../shared/model.ts';
import { within } from '../../platform/clock.ts';
import type { Plan, Sdk } from './sdk.ts';

/** A long operation of a plan takes minutes at most; below the front end's 230 s, so that the answer arrives. */
const LIMIT_MS = 200_000;

export interface ManagementSettings {
  readonly credential: 'identity' | 'cli';
  readonly subscription: string;
  readonly resourceGroup: string;
  readonly site: string;
  readonly slot: string | undefined;
  /** https; another cloud's, where it is not the public one. */
  readonly endpoint: string | undefined;
  /** A user-assigned identity. */
  readonly clientId: string | undefined;
  /** Certificates of a private authority, as PEM text. */
  readonly ca: string | undefined;
  /** How many instances anything here may ask for. */
  readonly least: number;
  readonly most: number;
}

export class Management {
  readonly #settings: ManagementSettings | undefined;
  readonly #because: string;
  readonly #mask: (text: string) => string;
  #sdk: Promise<Sdk> | undefined;
  #scaling = false;

  /** `because`: why it is not configured. */
  constructor(settings: ManagementSettings | undefined, because: string, mask: (text: string) => string) {
    this.#settings = settings;
    this.#because = because;
    this.#mask = mask;
  }

  offer(): Offer { return this.#settings === undefined ? { yes: false, because: this.#because } : { yes: true }; }

  /** All instances of the site. @throws MANAGEMENT_FAILED, CAPABILITY_MISSING */
  async restart(signal: AbortSignal): Promise<string> {
    await this.#ask('the restart', signal, (sdk, limit) => sdk.restart(limit));
    return 'the platform restarts the site on all instances';
  }

  async autoHeal(signal: AbortSignal = within(LIMIT_MS)): Promise<AutoHealState> {
    return this.#ask('auto-heal', signal, (sdk, limit) => sdk.autoHeal(limit));
  }

  async setAutoHeal(state: AutoHealState, signal: AbortSignal = within(LIMIT_MS)): Promise<AutoHealState> {
    return this.#ask('the change of auto-heal', signal, (sdk, limit) => sdk.setAutoHeal(state, limit));
  }

  /** The plan as it is, and what may be asked for. */
  async plan(signal: AbortSignal = within(LIMIT_MS)): Promise<ScaleView> {
    return this.#view(await this.#ask('the plan', signal, (sdk, limit) => sdk.plan(limit)));
  }

  /** What a change would do and cost, without doing it. @throws SCALE_REFUSED */
  async judge(change: ScaleChange, signal: AbortSignal = within(LIMIT_MS)): Promise<ScaleView> {
    const plan = await this.#ask('the plan', signal, (sdk, limit) => sdk.plan(limit));
    return { ...this.#view(plan), ...this.#judged(plan, change) };
  }

  /** One change at a time. @throws SCALE_REFUSED, OPERATION_BUSY, MANAGEMENT_FAILED */
  async scale(change: ScaleChange, signal: AbortSignal): Promise<string> {
    if (this.#scaling) throw new DiagError('OPERATION_BUSY', { what: 'A change of the plan', operation: 'scale' });
    this.#scaling = true;
    try {
      return await this.#ask('the change of the plan', signal, async (sdk, limit) => {
        const plan = await sdk.plan(limit);
        const { to, cost } = this.#judged(plan, change);
        if (to.instances === plan.instances && to.sku === plan.sku) return `the plan ${plan.name} is ${said(plan)} already`;
        await sdk.scale(plan, to, limit);
        return `the plan ${plan.name} goes from ${said(plan)} to ${said(to)}; ${cost}`;
      });
    } finally {
      this.#scaling = false;
    }
  }

  /** `by` instances more or fewer, never beyond `most`. Answers what was done. */
  async scaleBy(by: number, most: number, signal: AbortSignal): Promise<string> {
    const { instances } = await this.plan(signal);
    const wanted = by > 0 ? Math.min(instances + by, Math.max(most, instances)) : instances + by;
    const bounded = Math.max(this.#settings?.least ?? 1, wanted);
    if (bounded === instances) return `${instances} instances run already: the limit of ${by > 0 ? `${most}` : `at least ${this.#settings?.least ?? 1}`} holds`;
    return this.scale({ instances: bounded }, signal);
  }

  #view(plan: Plan): ScaleView {
    const { least = 1, most = 1 } = this.#settings ?? {};
    return { plan: plan.name, sku: plan.sku, instances: plan.instances, sites: plan.sites, least, most: Math.min(most, plan.maximum ?? most), ...(plan.maximum === undefined ? {} : { planMost: plan.maximum }), skus: plan.skus.map(({ sku }) => sku) };
  }

  #judged(plan: Plan, change: ScaleChange): { readonly to: NonNullable<ScaleView['to']>; readonly cost: string } {
    const { least = 1, most = 1 } = this.#settings ?? {};
    const to = { instances: change.instances ?? plan.instances, sku: change.sku ?? plan.sku };
    const target = plan.skus.find(({ sku }) => sku === to.sku);
    if (to.sku !== plan.sku && target === undefined) throw new DiagError('SCALE_REFUSED', { why: `the plan ${plan.name} cannot become ${to.sku}; it can be ${plan.skus.map(({ sku }) => sku).join(', ') || 'nothing else'}` });
    const maximum = to.sku === plan.sku ? plan.maximum : target?.maximum;
    if (to.instances < least || to.instances > most) throw new DiagError('SCALE_REFUSED', { why: `${to.instances} instances are outside ${least} to ${most}, the limits of DIAG_SCALE_MIN and DIAG_SCALE_MAX` });
    if (maximum !== undefined && to.instances > maximum) throw new DiagError('SCALE_REFUSED', { why: `${to.sku} has at most ${maximum} instances` });
    return { to, cost: costOf(plan, to) };
  }

  async #ask<T>(what: string, signal: AbortSignal, work: (sdk: Sdk, limit: AbortSignal) => Promise<T>): Promise<T> {
    const settings = this.#settings;
    if (settings === undefined) throw new DiagError('CAPABILITY_MISSING', { what: 'The management API', because: this.#because });
    const limit = within(LIMIT_MS, signal);
    try {
      this.#sdk ??= import('./sdk.ts').then(({ openSdk }) => openSdk(settings));
      return await work(await this.#sdk, limit);
    } catch (error) {
      if (error instanceof DiagError) throw error;
      await this.#sdk?.catch(() => { this.#sdk = undefined; });   // one that could not be loaded is loaded again
      if (signal.aborted) throw new DiagError('CANCELLED', { what: `The request for ${what}` }, { cause: error });
      if (limit.aborted) throw new DiagError('TIMED_OUT', { what: `The answer of the management API to ${what}`, limit: `${LIMIT_MS / 1_000} s` }, { cause: error });
      const { why, next } = told(error);
      throw new DiagError('MANAGEMENT_FAILED', { what, why: this.#mask(why).slice(0, 500), next }, { cause: error });
    }
  }
}

const said = ({ sku, instances }: { readonly sku: string; readonly instances: number }): string => `${instances} × ${sku}`;

/** No prices are known here and none are made up: the ratio of instances is what can be said. */
function costOf(plan: Plan, to: { readonly sku: string; readonly instances: number }): string {
  const where = plan.region === undefined ? '' : ` in ${plan.region}`;
  if (to.sku === plan.sku) {
    const ratio = to.instances / Math.max(1, plan.instances);
    return `it then costs ${Number(ratio.toFixed(2))} times what it costs now: the price of one ${to.sku}${where} × ${to.instances} instead of × ${plan.instances} (prices are not known here)`;
  }
  return `it then costs the price of one ${to.sku}${where} × ${to.instances} instead of that of one ${plan.sku} × ${plan.instances}: prices are not known here, see azure.microsoft.com/pricing/details/app-service`;
}

/** An error of the SDK as words, with what to do about it. Its texts may hold addresses and request ids, never tokens; they are masked all the same. */
function told(error: unknown): { readonly why: string; readonly next: string } {
  const status = numberIn(error, 'statusCode');
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const name = error instanceof Error ? error.name : '';
  const [line = ''] = sayError(error).split('\n').filter((one) => one.trim() !== '');
  const why = `${status === undefined ? '' : `it answered ${status}${code === '' ? '' : ` ${code}`}: `}${line}`;
  if (/CredentialUnavailable|Authentication/.test(name)) return { why: `nobody could sign in (${line})`, next: 'Turn on a managed identity of the app (Identity, System assigned), or sign in with az login where DIAG_MANAGEMENT is cli.' };
  if (status === 401) return { why, next: 'The identity was not accepted: see that its tenant is the subscription\'s.' };
  if (status === 403) return { why, next: 'Give the identity the role Website Contributor on the site and, to scale, on its plan (Access control, Add role assignment); it takes some minutes to be known.' };
  if (status === 404) return { why, next: 'See that DIAG_MANAGEMENT_SUBSCRIPTION, _GROUP and _SITE name this site.' };
  if (status === 409) return { why, next: 'Another change of the site or its plan is under way: try again when it is done.' };
  if (status === 429) return { why, next: 'Too many requests to the management API from this subscription: try again in some minutes.' };
  return { why, next: status === undefined ? 'See that the network of the app lets it reach the management API (port 443).' : 'Try again; the activity log of the site in the portal tells more.' };
}

function numberIn(error: unknown, key: string): number | undefined {
  const value = typeof error === 'object' && error !== null ? (error as Readonly<Record<string, unknown>>)[key] : undefined;
  return typeof value === 'number' ? value : undefined;
}
