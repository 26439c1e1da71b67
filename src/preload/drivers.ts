// Owns calls to databases as their drivers tell of them by tracing channels (node-redis, mysql2, ioredis). Statements and values are never looked at.
import { listen, type Hear } from './channels.ts';
import type { DriverChannels } from './guards.ts';

/**
 * `isHarmless`: who hears changes nothing. While somebody hears its statements, mysql2 listens to errors that nobody else listens to (of statements as events, of connections),
 * and ioredis handles rejections of promises that the app lets fall: both would end the app otherwise, and the preload must not keep it from that.
 */
interface Driver { readonly isHarmless: boolean; readonly service: string; readonly port: number; readonly calls: readonly string[]; readonly connects: readonly string[]; readonly pools: readonly string[] }

/** Names as in the sources of mysql2 3.24, redis 6.3 and ioredis 6.0; pg 8.23 and mongodb 7.9 have none: their connections are seen (sockets.ts). */
const DRIVERS: readonly Driver[] = [
  { isHarmless: true, service: 'MySQL', port: 3306, calls: [], connects: [], pools: ['mysql2:pool:connect'] },
  { isHarmless: true, service: 'Redis', port: 6379, calls: ['node-redis:command'], connects: ['node-redis:connect'], pools: [] },
  { isHarmless: false, service: 'MySQL', port: 3306, calls: ['mysql2:query', 'mysql2:execute'], connects: ['mysql2:connect'], pools: [] },
  { isHarmless: false, service: 'Redis', port: 6379, calls: ['ioredis:command'], connects: ['ioredis:connect'], pools: [] },
];

/** What the server itself answered because it cannot serve; its other refusals (a row that is there already, a wrong type) are answers like any. Codes of MySQL, first words of Redis. */
const UNABLE = new Set(['ER_CON_COUNT_ERROR', 'ER_TOO_MANY_USER_CONNECTIONS', 'ER_USER_LIMIT_REACHED', 'ER_SERVER_SHUTDOWN', 'ER_LOCK_WAIT_TIMEOUT', 'ER_LOCK_DEADLOCK', 'ER_QUERY_TIMEOUT', 'ER_DISK_FULL', 'ER_OUT_OF_RESOURCES', 'OOM', 'LOADING', 'BUSY', 'CLUSTERDOWN', 'MASTERDOWN', 'READONLY', 'MISCONF', 'NOREPLICAS']);

export interface DriverHearer {
  /** A statement or command. */
  asked(key: object, host: string, service: string): void;
  /** It waits for a connection of the driver's pool; then it goes on until `went`, in whatever context. */
  queued(key: object, host: string, service: string): void;
  resumes(key: object): void;
  went(): void;
  /** Either is over; `code` where it failed for want of the server. */
  over(key: object, code: string | undefined): void;
  /** A connection that did not come about. */
  refused(host: string, service: string, code: string): void;
}

interface Context { readonly serverAddress?: unknown; readonly serverPort?: unknown; readonly error?: unknown }

/** Subscribes at once; the answer lets go. The message of one call is one object in all its steps. */
export function listenToDrivers(channels: DriverChannels, hearer: DriverHearer): () => void {
  const hearers: Record<string, Hear> = {};
  for (const driver of DRIVERS.filter(({ isHarmless }) => channels === 'all' || (channels === 'harmless' && isHarmless))) {
    const { service } = driver;
    for (const name of driver.calls) {
      hearers[`tracing:${name}:start`] = (message) => { hearer.asked(message as object, hostOf(message as Context, driver), service); };
      endsOf(name, hearers, hearer);
    }
    for (const name of driver.pools) {
      hearers[`tracing:${name}:start`] = (message) => { hearer.queued(message as object, hostOf(message as Context, driver), service); };
      hearers[`tracing:${name}:error`] = (message) => { hearer.over(message as object, poolCodeOf((message as Context).error, channels)); };
      hearers[`tracing:${name}:asyncStart`] = (message) => { hearer.resumes(message as object); hearer.over(message as object, undefined); };
      hearers[`tracing:${name}:asyncEnd`] = () => { hearer.went(); };
    }
    for (const name of driver.connects) hearers[`tracing:${name}:error`] = (message) => { hearer.refused(hostOf(message as Context, driver), service, codeOf((message as Context).error) ?? 'refused'); };
  }
  return listen(hearers);
}

/** An error is told before the end, or (of a call that throws at once) instead of it. */
function endsOf(name: string, hearers: Record<string, Hear>, hearer: DriverHearer): void {
  hearers[`tracing:${name}:error`] = (message) => { hearer.over(message as object, codeOf((message as Context).error)); };
  hearers[`tracing:${name}:asyncStart`] = (message) => { hearer.over(message as object, undefined); };
}

/** That the connection did not come about is told by the connection too, where it is heard; what only the pool knows is that its queue is full. */
function poolCodeOf(error: unknown, channels: DriverChannels): string | undefined {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  if (typeof code !== 'string') return 'no free connection';
  return channels === 'all' ? undefined : codeOf(error);
}

function hostOf({ serverAddress, serverPort }: Context, { port }: Driver): string {
  const address = typeof serverAddress === 'string' && serverAddress !== '' ? serverAddress : 'localhost';
  if (address.startsWith('/')) return 'a Unix socket';
  return `${address}:${typeof serverPort === 'number' || typeof serverPort === 'string' ? serverPort : port}`;
}

/** Undefined: the server answered. */
function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return 'unknown';
  const { code, sqlState, name, message } = error as { readonly code?: unknown; readonly sqlState?: unknown; readonly name?: unknown; readonly message?: unknown };
  const said = typeof code === 'string' ? code.slice(0, 60) : undefined;
  const [word = ''] = (said === undefined && typeof message === 'string' ? /^[A-Z]{3,20}(?= )/.exec(message.slice(0, 30)) : undefined) ?? [];
  if (UNABLE.has(said ?? word)) return said ?? word;
  // What MySQL itself says carries a state, what Redis says begins with a word in capitals; all others are of the way there.
  if (typeof sqlState === 'string' || word !== '') return undefined;
  // node-redis names its errors by their classes only.
  const kind = name === 'Error' ? (error as { readonly constructor?: { readonly name?: unknown } }).constructor?.name : name;
  return said ?? (typeof kind === 'string' ? kind.slice(0, 60) : 'unknown');
}
