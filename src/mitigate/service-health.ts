// Owns the platform's own health as its public status feed tells it: read while somebody looks, at most every five minutes, never on the way of anything else.
import { sayError } from '../shared/errors.ts';
import type { ServiceHealth, StatusItem } from '../shared/service-health.ts';
import { statusItems } from './status-feed.ts';
import { askWeb, type WebPolicy } from './web.ts';

export const PUBLIC_FEED = 'https://azure.status.microsoft/en-us/status/feed/';
const FRESH_MS = 300_000;
/** A feed that cannot be reached is not asked again at once: a network that lets nothing out would be asked for ever. */
const AGAIN_MS = 120_000;
const ASK_MS = 10_000;
const MAX_FEED_BYTES = 262_144;

export interface ServiceHealthGiven { readonly feed: string | undefined; readonly policy: WebPolicy; now(): number; monotonic(): number }

export class ServiceHealthReader {
  readonly #given: ServiceHealthGiven;
  readonly #signal: AbortSignal;
  #read: { readonly at: number; readonly items: readonly StatusItem[] } | undefined;
  #tried: { readonly at: number; readonly monotonicMs: number; readonly failed: string | undefined } | undefined;
  #asking: Promise<void> | undefined;

  constructor(given: ServiceHealthGiven, signal: AbortSignal) {
    this.#given = given;
    this.#signal = signal;
  }

  /** At once, as it is known; begins a read where it is due. */
  view(): ServiceHealth {
    this.#begin();
    const { feed } = this.#given;
    if (feed === undefined) return { state: 'off', says: 'The platform\'s status is not asked for (DIAG_STATUS_FEED is off).', items: [] };
    const { host } = new URL(feed);
    const tried = this.#tried === undefined ? {} : { triedAt: this.#tried.at, ...(this.#tried.failed === undefined ? {} : { failed: this.#tried.failed }) };
    if (this.#read === undefined) return { state: 'unknown', source: host, ...tried, items: [], says: this.#tried?.failed === undefined ? 'The platform\'s status is being read.' : `The platform's status was never read from here: ${this.#tried.failed}` };
    const { at, items } = this.#read;
    const says = items.length === 0 ? 'The platform reports no incident.' : `The platform reports ${items.length === 1 ? 'an incident' : `${items.length} incidents`}: ${items[0]?.title ?? ''}`;
    return { state: 'known', source: host, readAt: at, ...tried, says, items: [...items] };
  }

  /** Resolves when no read is under way. */
  async settled(): Promise<void> { await this.#asking; }

  #begin(): void {
    const { feed, monotonic } = this.#given;
    const waitMs = this.#tried?.failed === undefined ? FRESH_MS : AGAIN_MS;
    if (feed === undefined || this.#asking !== undefined || this.#signal.aborted || (this.#tried !== undefined && monotonic() - this.#tried.monotonicMs < waitMs)) return;
    this.#asking = this.#ask(feed).finally(() => { this.#asking = undefined; });
  }

  /** Never throws: what failed is told. What was read before stays. */
  async #ask(feed: string): Promise<void> {
    const { now, monotonic, policy } = this.#given;
    let failed: string | undefined;
    try {
      const { status, text } = await askWeb({ method: 'GET', url: feed, limitMs: ASK_MS, maxBytes: MAX_FEED_BYTES, headers: { accept: 'application/rss+xml, application/xml' } }, policy, this.#signal);
      const items = status === 200 ? statusItems(text) : undefined;
      if (items === undefined) failed = status === 200 ? 'the answer is no status feed' : `it answered ${status}`;
      else this.#read = { at: now(), items };
    } catch (error) {
      failed = sayError(error);
    }
    this.#tried = { at: now(), monotonicMs: monotonic(), failed: failed?.slice(0, 400) };
  }
}
