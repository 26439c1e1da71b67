// Owns the connections of the process: those of its clients, and those it has opened itself, by host; which of them do not answer.
import { now } from './time.ts';
import type { SilentSocket } from './follow.ts';

/** With many sockets a look takes a while: then it comes less often. */
const CHEAP_MS = 1;
const SELDOM_MS = 10_000;
const MAX_HOSTS = 100;
const SERVICES: Readonly<Record<number, string>> = { 1433: 'SQL Server', 3306: 'MySQL', 5432: 'PostgreSQL', 6379: 'Redis', 6380: 'Redis', 10255: 'MongoDB', 27017: 'MongoDB', 5671: 'AMQP', 5672: 'AMQP', 9092: 'Kafka', 9200: 'Elasticsearch', 11211: 'Memcached' };

interface Handle { readonly bytesRead?: number; readonly bytesWritten?: number; readonly remotePort?: number; readonly remoteAddress?: string; readonly servername?: string | null | false; readonly _host?: string | null; readonly server?: object | null; readonly parser?: unknown; readonly _httpMessage?: unknown; readonly connecting?: boolean; readonly destroyed?: boolean }
interface Seen { read: number; written: number; silentSince: number | undefined }

export interface HostSockets { open: number; idle: number; isHttp: boolean; silentSince: number | undefined; bytesIn: number; bytesOut: number; readonly service: string | undefined }

export class Sockets {
  readonly #isOurs: (server: object) => boolean;
  #seen = new WeakMap<object, Seen>();
  #hosts = new Map<string, HostSockets>();
  #clients: { open: number; upgraded: number } | undefined;
  #lookedAt = -Infinity;
  #tookMs = 0;
  unnamed = 0;

  constructor(isOurs: (server: object) => boolean) {
    this.#isOurs = isOurs;
  }

  get hosts(): ReadonlyMap<string, HostSockets> { return this.#hosts; }
  get clients(): { open: number; upgraded: number } | undefined { return this.#clients; }

  /** Those of no HTTP client: of theirs it is known what is asked. */
  silent(): SilentSocket[] {
    const at = now();
    return [...this.#hosts].flatMap(([on, { isHttp, silentSince }]) => (isHttp || silentSince === undefined ? [] : [{ on, sinceMs: at - silentSince }]));
  }

  look(): void {
    const at = now();
    if (this.#tookMs > CHEAP_MS && at - this.#lookedAt < SELDOM_MS) return;
    const since = this.#lookedAt;
    this.#lookedAt = at;
    const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles?: () => readonly Handle[] };
    if (handles === undefined) return;
    const clients = { open: 0, upgraded: 0 };
    this.#hosts = new Map();
    for (const one of handles.call(process)) {
      if (typeof one.bytesWritten !== 'number' || one.destroyed === true) continue;
      if (typeof one.server === 'object' && one.server !== null) this.#client(one, one.server, clients);
      else if (typeof one.remotePort === 'number' && one.connecting === false) this.#opened(one, at, since);
    }
    this.#clients = clients;
    this.#tookMs = now() - at;
  }

  #client(one: Handle, server: object, clients: { open: number; upgraded: number }): void {
    if (this.#isOurs(server)) return;
    clients.open += 1;
    // An HTTP server takes its parser off the connection when it hands it over.
    if (one.parser === null && 'requestTimeout' in server) clients.upgraded += 1;
  }

  #opened(one: Handle, at: number, since: number): void {
    const host = this.#hostOf(one);
    const read = one.bytesRead ?? 0;
    const written = one.bytesWritten ?? 0;
    const seen = this.#seen.get(one);
    host.open += 1;
    if (one._httpMessage !== undefined) host.isHttp = true;
    if (one._httpMessage === null) host.idle += 1;
    host.bytesIn += read - (seen?.read ?? 0);
    host.bytesOut += written - (seen?.written ?? 0);
    let silentSince = seen?.silentSince;
    if (read !== (seen?.read ?? 0)) silentSince = undefined;
    else if (written !== (seen?.written ?? 0)) silentSince ??= Number.isFinite(since) ? since : at;
    if (silentSince !== undefined && (host.silentSince === undefined || silentSince < host.silentSince)) host.silentSince = silentSince;
    if (seen === undefined) this.#seen.set(one, { read, written, silentSince });
    else { seen.read = read; seen.written = written; seen.silentSince = silentSince; }
  }

  #hostOf(one: Handle): HostSockets {
    const name = one.servername || one._host || one.remoteAddress || 'unknown';
    let label = `${name}:${one.remotePort}`.slice(0, 300);
    if (!this.#hosts.has(label) && this.#hosts.size >= MAX_HOSTS) { this.unnamed += 1; label = '(other hosts)'; }
    let host = this.#hosts.get(label);
    if (host === undefined) this.#hosts.set(label, host = { open: 0, idle: 0, isHttp: false, silentSince: undefined, bytesIn: 0, bytesOut: 0, service: SERVICES[one.remotePort ?? 0] });
    return host;
  }
}
