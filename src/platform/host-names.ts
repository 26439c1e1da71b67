// Owns the names of remote addresses: those that the app itself calls, else looked up backwards; few at once, for a short time, and remembered.
import { Resolver } from 'node:dns/promises';
import type { Clock } from './clock.ts';

/** What is asked of a resolver; `cancel` ends its open questions. */
export interface Lookup { reverse(address: string): Promise<string[]>; resolve4(name: string): Promise<string[]>; resolve6(name: string): Promise<string[]>; cancel(): void }
export interface Name { readonly name: string; readonly by: 'app' | 'dns' | 'machine' }
export interface Names { readonly names: ReadonlyMap<string, Name>; readonly unasked: number }

/** A page waits for the answer: what DNS has not told by then is told the next time, from what is remembered. */
const LIMIT_MS = 800;
const ASKED_AT_ONCE = 32;
const APP_HOSTS = 32;
const KEPT = 1_000;
/** Names behind addresses move: ten minutes, as most load balancers of clouds would have them. What has no name is asked again sooner. */
const KEPT_MS = 600_000;
const NONE_KEPT_MS = 120_000;

interface Known { readonly name: string | undefined; readonly until: number }

export interface HostNames {
  /** `appHosts`: the names that the app calls ("api.example", "api.example:443"). Never throws for what DNS says; waits at most 0.8 s. */
  of(addresses: Iterable<string>, appHosts: Iterable<string>, signal: AbortSignal): Promise<Names>;
}

export function createHostNames(clock: Clock, open: () => Lookup = () => new Resolver({ timeout: LIMIT_MS / 2, tries: 2 })): HostNames {
  const kept = new Map<string, Known>();
  const keep = (key: string, name: string | undefined): void => {
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value as string);
    kept.set(key, { name, until: clock.now() + (name === undefined ? NONE_KEPT_MS : KEPT_MS) });
  };
  const fresh = (key: string): Known | undefined => { const known = kept.get(key); return known !== undefined && known.until > clock.now() ? known : undefined; };
  return {
    async of(addresses, appHosts, signal) {
      const wanted = [...new Set(addresses)];
      const byApp = new Map<string, string>();
      const remote = wanted.filter((one) => !isHere(one));
      const lookup = open();
      const over = new AbortController();
      const late = new AbortController();
      clock.wait(LIMIT_MS, AbortSignal.any([over.signal, signal])).then(() => { late.abort(); }, () => undefined);   // over before: nothing is late
      const limit = AbortSignal.any([signal, late.signal]);
      limit.addEventListener('abort', () => { lookup.cancel(); }, { once: true });
      try {
        if (remote.length > 0) await Promise.all([...forward(lookup, appHosts, fresh, keep, byApp, limit), ...backward(lookup, remote, fresh, keep, limit)]);
      } finally {
        over.abort();
        lookup.cancel();
      }
      signal.throwIfAborted();
      return told(wanted, byApp, (one) => fresh(`r ${one}`));
    },
  };
}

type Fresh = (key: string) => Known | undefined;
type Keep = (key: string, name: string | undefined) => void;

/** The addresses behind the names that the app calls. */
function forward(lookup: Lookup, hosts: Iterable<string>, fresh: Fresh, keep: Keep, byApp: Map<string, string>, limit: AbortSignal): Promise<void>[] {
  const names = [...new Set([...hosts].map(nameOf).filter((name) => name !== ''))].slice(0, APP_HOSTS);
  return names.map(async (name) => {
    const known = fresh(`f ${name}`);
    const addresses = known === undefined ? await askForward(lookup, name, limit) : known.name?.split(' ') ?? [];
    if (addresses === undefined) return;
    if (known === undefined) keep(`f ${name}`, addresses.length === 0 ? undefined : addresses.join(' '));
    for (const address of addresses) byApp.set(address, name);
  });
}

async function askForward(lookup: Lookup, name: string, limit: AbortSignal): Promise<string[] | undefined> {
  const asked = await Promise.allSettled([lookup.resolve4(name), lookup.resolve6(name)]);
  return limit.aborted ? undefined : asked.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
}

function backward(lookup: Lookup, remote: readonly string[], fresh: Fresh, keep: Keep, limit: AbortSignal): Promise<void>[] {
  return remote.filter((one) => fresh(`r ${one}`) === undefined).slice(0, ASKED_AT_ONCE).map(async (address) => {
    const [asked] = await Promise.allSettled([lookup.reverse(address)]);
    // Cut off by our own limit it is not known that there is none.
    if (asked.status === 'rejected' && limit.aborted) return;
    keep(`r ${address}`, asked.status === 'fulfilled' ? asked.value.find((name) => name.length <= 255) : undefined);
  });
}

function told(wanted: readonly string[], byApp: ReadonlyMap<string, string>, known: (address: string) => Known | undefined): Names {
  const names = new Map<string, Name>();
  let unasked = 0;
  for (const address of wanted) {
    const app = byApp.get(address);
    const dns = known(address);
    if (isHere(address)) names.set(address, { name: 'this machine', by: 'machine' });
    else if (app !== undefined) names.set(address, { name: app, by: 'app' });
    else if (dns?.name !== undefined) names.set(address, { name: dns.name, by: 'dns' });
    else if (dns === undefined) unasked += 1;
  }
  return { names, unasked };
}

function isHere(address: string): boolean { return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.'); }

/** "https://api.example:443" → "api.example"; an address has no name to ask for. */
function nameOf(host: string): string {
  const bare = host.replace(/^[a-z]+:\/\//i, '').replace(/:\d+$/, '').toLowerCase();
  return /^[a-z0-9_](?:[a-z0-9_.-]{0,252}[a-z0-9])?$/.test(bare) && /[a-z]/.test(bare) && bare !== 'localhost' ? bare : '';
}
