// Owns the times of name look-ups and of TCP connections that came about, as Node measures them itself.
import { PerformanceObserver } from 'node:perf_hooks';
import type { AppLookup, Latency } from '../shared/app-link.ts';
import { guarded } from './guarded.ts';
import { Durations } from './latency.ts';

const MAX_NAMES = 100;
const MAX_ADDRESSES = 200;
const OTHERS = '(other names)';
/** A host that nobody asked of for so many ticks is forgotten, so that new ones have room. */
const FORGET_AFTER = 300;

interface Entry { readonly entryType: string; readonly name: string; readonly duration: number; readonly detail?: unknown }

class Named {
  readonly #durations = new Map<string, { durations: Durations; idle: number }>();

  add(name: string, ms: number): void {
    const known = this.#durations.get(name);
    if (known !== undefined) { known.durations.add(ms); known.idle = 0; return; }
    if (this.#durations.size >= MAX_NAMES && name !== OTHERS) { this.add(OTHERS, ms); return; }
    const durations = new Durations();
    durations.add(ms);
    this.#durations.set(name, { durations, idle: 0 });
  }

  drain(): Map<string, Latency> {
    const drained = new Map<string, Latency>();
    for (const [name, one] of this.#durations) {
      if (one.durations.count > 0) drained.set(name, one.durations.drain());
      else if ((one.idle += 1) > FORGET_AFTER) this.#durations.delete(name);
    }
    return drained;
  }

  clear(): void { this.#durations.clear(); }
}

export class Lookups {
  readonly #names = new Named();
  readonly #connects = new Named();
  readonly #nameOf = new Map<string, string>();
  #observer: PerformanceObserver | undefined;

  start(): void {
    if (this.#observer !== undefined) return;
    const known = ['dns', 'net'].filter((type) => (PerformanceObserver as unknown as { supportedEntryTypes: readonly string[] }).supportedEntryTypes.includes(type));
    if (known.length === 0) return;
    this.#observer = new PerformanceObserver(guarded((list: { getEntries(): readonly Entry[] }) => { for (const entry of list.getEntries()) this.#add(entry); }));
    this.#observer.observe({ entryTypes: known as ('dns' | 'net')[] });
  }

  #add({ entryType, name, duration, detail }: Entry): void {
    const { hostname, host, port, addresses } = (detail ?? {}) as { hostname?: unknown; host?: unknown; port?: unknown; addresses?: unknown };
    if (entryType === 'net') {
      if (typeof host === 'string') this.#connects.add(`${this.#nameOf.get(host) ?? host}:${String(port)}`.slice(0, 300), duration);
      return;
    }
    const asked = hostname ?? host;
    if (typeof asked !== 'string') return;
    this.#names.add(`${name === 'lookup' ? '' : `${name} `}${asked}`.slice(0, 300), duration);
    if (Array.isArray(addresses)) for (const address of addresses) this.#remember(String(address), asked);
  }

  #remember(address: string, name: string): void {
    if (this.#nameOf.size >= MAX_ADDRESSES && !this.#nameOf.has(address)) this.#nameOf.delete(this.#nameOf.keys().next().value as string);
    this.#nameOf.set(address.slice(0, 60), name.slice(0, 300));
  }

  stop(): void {
    this.#observer?.disconnect();
    this.#observer = undefined;
    this.#names.clear();
    this.#connects.clear();
  }

  drain(): AppLookup[] {
    return [...this.#names.drain()].map(([name, latency]) => ({ name, latency }));
  }

  /** By "name:port", or the address where no name was looked up. */
  connects(): Map<string, Latency> {
    return this.#connects.drain();
  }
}
