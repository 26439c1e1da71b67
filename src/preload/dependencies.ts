// Owns the calls that the app makes: by host, how many, how long until the answer begins, with which error; http, https, undici and fetch, and what drivers of databases tell of.
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { AppDependency, Latency } from '../shared/app-link.ts';
import { listen } from './channels.ts';
import { listenToDrivers } from './drivers.ts';
import type { DriverChannels } from './guards.ts';
import { Durations, Tally } from './latency.ts';
import type { HostSockets } from './sockets.ts';
import { now } from './time.ts';

const MAX_HOSTS = 100;
const MAX_ERRORS = 20;
const MAX_STATUSES = 40;
const MAX_SHOWN = 200;
/** A leak of calls in the app must not become one of ours. */
const MAX_IN_FLIGHT = 10_000;
/** Agents whose queue is looked at: an app has one or a few; one that makes an agent for each call has no queues. */
const MAX_AGENTS = 16;
const OTHERS = '(other hosts)';

type Kind = 'http' | 'undici' | 'driver';

class Host {
  readonly durations = new Durations();
  /** In the queue of a pool. */
  readonly queued = new Durations();
  readonly statuses = new Tally<number>(MAX_STATUSES, 0);
  readonly errors = new Tally<string>(MAX_ERRORS, '(others)');
  readonly host: string;
  readonly by: Kind;
  readonly label: string;
  service: string | undefined;
  /** Of a driver: it told of a call, not only of its pool. */
  isTold = false;
  inFlight = 0;
  waiting = 0;
  oldestAt = Infinity;
  failed = 0;

  constructor(host: string, by: Kind) {
    this.host = host.slice(0, 300);
    this.by = by;
    this.label = by === 'driver' ? this.host : labelOf(this.host);
  }
}

/** `isQueued`: no call yet, it waits for a connection of a pool. */
interface Call { readonly host: Host; readonly at: number; connected: boolean; readonly isQueued?: boolean }
type Coded = { readonly code?: unknown; readonly name?: unknown; readonly cause?: Coded } | undefined | null;

/** Who wants to know which request made a call. */
export interface CallHearer {
  call(key: object, host: string): void;
  queued(key: object, host: string): void;
  resumes(key: object): void;
  went(): void;
  end(key: object, body?: { readonly complete?: boolean; readonly destroyed?: boolean }): void;
}

export class Dependencies {
  readonly #hosts = new Map<string, Host>();
  readonly #calls = new Map<object, Call>();
  readonly #agents = new Set<Agent>();
  #unseen = 0;
  #stop: (() => void) | undefined;
  hearer: CallHearer | undefined;
  readonly #drivers: DriverChannels;

  constructor(drivers: DriverChannels) {
    this.#drivers = drivers;
  }

  start(): void {
    if (this.#stop !== undefined) return;
    const undici = (message: unknown): object => (message as { request: object }).request;
    const http = (message: unknown): ClientRequest => (message as { request: ClientRequest }).request;
    const letGo = listenToDrivers(this.#drivers, {
      asked: (key, host, service) => { this.#driven(key, host, service, false); }, queued: (key, host, service) => { this.#driven(key, host, service, true); },
      resumes: (key) => { this.hearer?.resumes(key); }, went: () => { this.hearer?.went(); },
      over: (key, code) => { this.#over(key, code); }, refused: (host, service, code) => { const to = this.#hostOfDriver(host, service); to.isTold = true; to.errors.add(code); to.failed++; },
    });
    const unlisten = listen({
      'http.client.request.created': (message) => { this.#begin(http(message), 'http'); },        // from Node 22 on: calls that wait for a connection too
      'http.client.request.start': (message) => { this.#connected(http(message)); },
      'http.client.response.finish': (message) => { const { request, response } = message as { request: ClientRequest; response: IncomingMessage }; this.#answered(request, response.statusCode, response); },
      'http.client.request.error': (message) => { this.#failed(http(message), (message as { error: Coded }).error); },
      'undici:request:create': (message) => { this.#begin(undici(message), 'undici'); },
      'undici:client:sendHeaders': (message) => { const call = this.#calls.get(undici(message)); if (call !== undefined) call.connected = true; },
      'undici:request:headers': (message) => { this.#answered(undici(message), (message as { response: { statusCode: number } }).response.statusCode); },
      'undici:request:error': (message) => { this.#failed(undici(message), (message as { error: Coded }).error); },
    });
    this.#stop = () => { letGo(); unlisten(); };
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#calls.clear();
    this.#agents.clear();
  }

  #begin(request: object, by: Host['by']): Call | undefined {
    if (this.#calls.size >= MAX_IN_FLIGHT) { this.#unseen++; return undefined; }
    const host = this.#hostOf(by === 'http' ? hostOfHttp(request as ClientRequest) : String((request as { origin?: unknown }).origin), by);
    const call: Call = { host, at: now(), connected: false };
    this.#calls.set(request, call);
    if (this.hearer !== undefined) this.hearer.call(request, host.host);
    return call;
  }

  #connected(request: ClientRequest): void {
    const call = this.#calls.get(request) ?? this.#begin(request, 'http');
    if (call !== undefined) call.connected = true;
    const { agent } = request as { agent?: Agent };
    if (agent !== undefined && this.#agents.size < MAX_AGENTS) this.#agents.add(agent);
  }

  #hostOfDriver(name: string, service: string): Host {
    const host = this.#hostOf(name, 'driver');
    host.service ??= service;
    return host;
  }

  #driven(key: object, name: string, service: string, isQueued: boolean): void {
    if (this.#calls.size >= MAX_IN_FLIGHT) { this.#unseen++; return; }
    const host = this.#hostOfDriver(name, service);
    this.#calls.set(key, { host, at: now(), connected: !isQueued, isQueued });
    if (isQueued) { this.hearer?.queued(key, `a free connection to ${host.host}`); return; }
    host.isTold = true;
    this.hearer?.call(key, host.host);
  }

  #over(key: object, code: string | undefined): void {
    this.hearer?.end(key);
    const call = this.#take(key);
    if (call === undefined) return;
    if (code !== undefined) { call.host.errors.add(code); call.host.failed++; }
    if (call.isQueued === true) call.host.queued.add(now() - call.at);
    else if (code === undefined) call.host.durations.add(now() - call.at);
  }

  #hostOf(name: string, by: Host['by']): Host {
    const key = `${by} ${name}`;
    const found = this.#hosts.get(key);
    if (found !== undefined) return found;
    if (this.#hosts.size >= MAX_HOSTS && name !== OTHERS) return this.#hostOf(OTHERS, by);
    const host = new Host(name, by);
    this.#hosts.set(key, host);
    return host;
  }

  #answered(request: object, status: number | undefined, body?: IncomingMessage): void {
    if (this.hearer !== undefined) this.hearer.end(request, body);
    const call = this.#take(request);
    if (call === undefined) return;
    call.host.durations.add(now() - call.at);
    call.host.statuses.add(status ?? 0);
  }

  #failed(request: object, error: Coded): void {
    this.hearer?.end(request);
    const call = this.#take(request);
    if (call === undefined) return;                            // it failed in the body, after the answer had begun
    call.host.errors.add(codeOf(error));
    call.host.failed++;
  }

  #take(request: object): Call | undefined {
    const call = this.#calls.get(request);
    if (call !== undefined) this.#calls.delete(request);
    return call;
  }

  /** Whether a driver tells of each call to this "host:port". */
  isTold(host: string): boolean {
    return this.#hosts.get(`driver ${host}`)?.isTold === true;
  }

  /** `sockets`: by "host:port"; those that are of none of our calls are dependencies of their own. */
  drain(sockets: ReadonlyMap<string, HostSockets>, connects: ReadonlyMap<string, Latency>): AppDependency[] {
    const at = now();
    this.#count();
    const queues = this.#queues();
    const labels = new Set<string>();
    const shown: AppDependency[] = [];
    for (const host of this.#hosts.values()) {
      labels.add(host.label);
      const open = sockets.get(host.label);
      const waiting = Math.max(host.waiting, host.by === 'http' ? queues.get(host.label) ?? 0 : 0);
      if (host.durations.count === 0 && host.failed === 0 && host.inFlight === 0 && waiting === 0 && open === undefined) continue;
      host.failed = 0;
      shown.push({
        host: host.host, by: host.by === 'driver' && !host.isTold ? 'socket' : host.by, inFlight: host.inFlight, ...(host.oldestAt === Infinity ? {} : { oldestMs: at - host.oldestAt }),
        statuses: host.statuses.drain(), errors: host.errors.drain(), latency: host.durations.drain(), waiting, ...(host.queued.count === 0 ? {} : { queued: host.queued.drain() }), ...connectionsOf(open, connects.get(host.label), at), ...(host.service === undefined ? {} : { service: host.service }),
      });
    }
    for (const label of new Set([...sockets.keys(), ...connects.keys()])) {
      const open = sockets.get(label);
      if (labels.has(label) || open?.isHttp === true) continue;
      shown.push({ host: label, by: 'socket', inFlight: 0, statuses: [], errors: [], latency: { count: 0, sumMs: 0, maxMs: 0, buckets: [] }, ...connectionsOf(open, connects.get(label), at) });
    }
    return shown.slice(0, MAX_SHOWN);
  }

  #count(): void {
    for (const host of this.#hosts.values()) { host.inFlight = host.waiting = 0; host.oldestAt = Infinity; }
    for (const [request, call] of this.#calls) {
      // Older Nodes have no channel for errors: the request itself knows that it is over.
      if (call.host.by === 'http' && (request as ClientRequest).destroyed) { this.#failed(request, (request as { errored?: Coded }).errored); continue; }
      if (!call.connected) call.host.waiting++;
      if (call.isQueued === true) continue;
      call.host.inFlight++;
      if (call.at < call.host.oldestAt) call.host.oldestAt = call.at;
    }
  }

  /** Calls that wait in an agent's queue: names are "host:port:…". Node tells of them by a channel only from version 22 on. */
  #queues(): Map<string, number> {
    const waiting = new Map<string, number>();
    for (const agent of this.#agents) {
      for (const [name, queue] of Object.entries(agent.requests)) {
        const label = name.split(':').slice(0, 2).join(':');
        waiting.set(label, (waiting.get(label) ?? 0) + (queue?.length ?? 0));
      }
      // One whose last connection is gone is let go; a call of it makes it known again.
      if (Object.keys(agent.sockets).length + Object.keys(agent.freeSockets).length + Object.keys(agent.requests).length === 0) this.#agents.delete(agent);
    }
    return waiting;
  }

  lost(): [string, number][] {
    return [['calls beyond the bound in flight', this.#unseen]];
  }
}

function connectionsOf(open: HostSockets | undefined, connect: Latency | undefined, at: number): Partial<AppDependency> {
  return {
    ...(open === undefined ? {} : { open: open.open, bytesIn: Math.max(0, open.bytesIn), bytesOut: Math.max(0, open.bytesOut) }), ...(open?.isHttp === true ? { idle: open.idle } : {}),
    ...(open?.service === undefined ? {} : { service: open.service }), ...(open?.silentSince === undefined ? {} : { silentMs: Math.max(0, at - open.silentSince), silent: open.silent }), ...(connect === undefined ? {} : { connect }),
  };
}

/** "https://api.example.com:8443": never the path, which may hold secrets. */
function hostOfHttp(request: ClientRequest): string {
  const host = request.getHeader('host');
  return `${request.protocol}//${typeof host === 'string' ? host : request.host}`;
}

/** As connections are called: with the port, without the protocol. */
function labelOf(host: string): string {
  const [, protocol = '', name = host] = /^([a-z]+:)\/\/(.*)$/i.exec(host) ?? [];
  return /:\d+$/.test(name) ? name : `${name}:${protocol === 'https:' ? 443 : 80}`;
}

function codeOf(error: Coded): string {
  if (error === undefined || error === null) return 'ended without an answer';
  const { code, cause, name } = error;
  if (typeof code === 'string') return code.slice(0, 60);
  if (cause !== undefined && cause !== null && typeof cause.code === 'string') return cause.code.slice(0, 60);
  return typeof name === 'string' ? name.slice(0, 60) : 'unknown';
}
