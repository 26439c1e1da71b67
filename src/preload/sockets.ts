// Owns the connections of the process: those of its clients, and those it has opened itself, by host; which of them do not answer.
import { SERVICE_PORTS } from '../shared/service-ports.ts';
import { now } from './time.ts';
import type { SilentSocket } from './follow.ts';
import type { Reads } from './reads.ts';

/** With many sockets a look takes a while: then it comes less often. */
const CHEAP_MS = 1;
const SELDOM_MS = 10_000;
const MAX_HOSTS = 100;
const MAX_PEEKED = 64;

interface Handle { readonly bytesRead?: number; readonly bytesWritten?: number; readonly remotePort?: number; readonly remoteAddress?: string; readonly servername?: string | null | false; readonly _host?: string | null; readonly server?: object | null; readonly parser?: unknown; readonly _httpMessage?: unknown; readonly connecting?: boolean; readonly destroyed?: boolean; readonly _handle?: { readonly bytesWritten?: unknown; getAsyncId?(): number } | null }
interface Seen { read: number; written: number; summedRead: number; summedWritten: number; silentSince: number | undefined }

export interface HostSockets { open: number; idle: number; isHttp: boolean; silent: number; silentSince: number | undefined; bytesIn: number; bytesOut: number; readonly service: string | undefined }

export class Sockets {
  readonly #isOurs: (server: object) => boolean;
  readonly #reads: Reads;
  #seen = new WeakMap<object, Seen>();
  #hosts = new Map<string, HostSockets>();
  #peeked: [Handle, Seen][] = [];
  #clients: { open: number; upgraded: number } | undefined;
  #lookedAt = -Infinity;
  #tookMs = 0;
  unnamed = 0;

  constructor(isOurs: (server: object) => boolean, reads: Reads) {
    this.#isOurs = isOurs;
    this.#reads = reads;
  }

  get hosts(): ReadonlyMap<string, HostSockets> { return this.#hosts; }
  get clients(): { open: number; upgraded: number } | undefined { return this.#clients; }

  /** Those of no HTTP client: of theirs it is known what is asked. */
  silent(): SilentSocket[] {
    const at = now();
    return [...this.#hosts].flatMap(([on, { isHttp, silentSince }]) => (isHttp || silentSince === undefined ? [] : [{ on, sinceMs: at - silentSince }]));
  }

  look(isAsked = false): void {
    const at = now();
    if (!isAsked && this.#tookMs > CHEAP_MS && at - this.#lookedAt < SELDOM_MS) return;
    this.#lookedAt = at;
    const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles?: () => readonly Handle[] };
    if (handles === undefined) return;
    const clients = { open: 0, upgraded: 0 };
    this.#hosts = new Map();
    this.#peeked = [];
    for (const one of handles.call(process)) {
      if (typeof one.bytesWritten !== 'number' || one.destroyed === true) continue;
      if (typeof one.server === 'object' && one.server !== null) this.#client(one, one.server, clients);
      else if (typeof one.remotePort === 'number' && one.connecting === false) this.#opened(one, at);
    }
    if (this.#reads.isOn) this.#reads.forget();
    this.#clients = clients;
    this.#tookMs = now() - at;
  }

  #client(one: Handle, server: object, clients: { open: number; upgraded: number }): void {
    if (this.#isOurs(server)) return;
    clients.open += 1;
    // An HTTP server takes its parser off the connection when it hands it over.
    if (one.parser === null && 'requestTimeout' in server) clients.upgraded += 1;
  }

  /** Between two looks, at those that may be a database's: what moved last is told apart where a tenth of a second lies between. */
  peek(): void {
    const at = now();
    for (const [one, seen] of this.#peeked) if (one.destroyed !== true) this.#note(one, seen, at);
  }

  #opened(one: Handle, at: number): void {
    const host = this.#hostOf(one);
    let seen = this.#seen.get(one);
    if (seen === undefined) this.#seen.set(one, seen = { read: 0, written: 0, summedRead: 0, summedWritten: 0, silentSince: undefined });
    this.#note(one, seen, at);
    host.open += 1;
    if (one._httpMessage !== undefined) host.isHttp = true;
    else if (this.#peeked.length < MAX_PEEKED) this.#peeked.push([one, seen]);
    if (one._httpMessage === null) host.idle += 1;
    host.bytesIn += seen.read - seen.summedRead;
    host.bytesOut += seen.written - seen.summedWritten;
    seen.summedRead = seen.read;
    seen.summedWritten = seen.written;
    if (seen.silentSince !== undefined) host.silent += 1;
    if (seen.silentSince !== undefined && (host.silentSince === undefined || seen.silentSince < host.silentSince)) host.silentSince = seen.silentSince;
  }

  #note(one: Handle, seen: Seen, at: number): void {
    const read = one.bytesRead ?? 0;
    const written = one.bytesWritten ?? 0;
    seen.silentSince = this.#silentSince(one, seen, at);
    seen.read = read;
    seen.written = written;
  }

  /**
   * From when on it has surely not answered. Where both ways moved since the last time, only following can tell which was the last:
   * a query that hangs right behind one that was answered passes for rest otherwise.
   */
  #silentSince(one: Handle, seen: Seen, at: number): number | undefined {
    const [handle, id] = this.#reads.isOn ? [one._handle, one._handle?.getAsyncId?.()] : [];
    const isSilent = handle === undefined || handle === null || id === undefined ? undefined : this.#reads.isSilent(id, handle);
    const came = (one.bytesRead ?? 0) !== seen.read;
    if (isSilent === true) return came ? at : seen.silentSince ?? at;
    if (isSilent === false || came) return undefined;
    return (one.bytesWritten ?? 0) === seen.written ? seen.silentSince : seen.silentSince ?? at;
  }

  #hostOf(one: Handle): HostSockets {
    const name = one.servername || one._host || one.remoteAddress || 'unknown';
    let label = `${name}:${one.remotePort}`.slice(0, 300);
    if (!this.#hosts.has(label) && this.#hosts.size >= MAX_HOSTS) { this.unnamed += 1; label = '(other hosts)'; }
    let host = this.#hosts.get(label);
    if (host === undefined) this.#hosts.set(label, host = { open: 0, idle: 0, isHttp: false, silent: 0, silentSince: undefined, bytesIn: 0, bytesOut: 0, service: SERVICE_PORTS[one.remotePort ?? 0] });
    return host;
  }
}
