// Owns the calls that the app makes: by host, how many, how long until the answer begins, with which error; http, https, undici and fetch.
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { AppDependency } from '../shared/app-link.ts';
import { listen } from './channels.ts';
import { Durations, Tally } from './latency.ts';
import { now } from './time.ts';

const MAX_HOSTS = 100;
const MAX_ERRORS = 20;
const MAX_STATUSES = 40;
/** A leak of calls in the app must not become one of ours. */
const MAX_IN_FLIGHT = 10_000;
const OTHERS = '(other hosts)';

class Host {
  readonly durations = new Durations();
  readonly statuses = new Tally<number>(MAX_STATUSES, 0);
  readonly errors = new Tally<string>(MAX_ERRORS, '(others)');
  readonly host: string;
  readonly by: 'http' | 'undici';
  inFlight = 0;
  oldestAt = Infinity;
  failed = 0;

  constructor(host: string, by: 'http' | 'undici') {
    this.host = host.slice(0, 300);
    this.by = by;
  }
}

interface Call { readonly host: Host; readonly at: number }
type Coded = { readonly code?: unknown; readonly name?: unknown; readonly cause?: Coded } | undefined | null;

export class Dependencies {
  readonly #hosts = new Map<string, Host>();
  readonly #calls = new Map<object, Call>();
  #unseen = 0;
  #stop: (() => void) | undefined;

  start(): void {
    if (this.#stop !== undefined) return;
    const undici = (message: unknown): object => (message as { request: object }).request;
    this.#stop = listen({
      'http.client.request.start': (message) => { this.#begin((message as { request: ClientRequest }).request, 'http'); },
      'http.client.response.finish': (message) => { const { request, response } = message as { request: ClientRequest; response: IncomingMessage }; this.#answered(request, response.statusCode); },
      'http.client.request.error': (message) => { const { request, error } = message as { request: ClientRequest; error: Coded }; this.#failed(request, error); },
      'undici:request:create': (message) => { this.#begin(undici(message), 'undici'); },
      'undici:request:headers': (message) => { this.#answered(undici(message), (message as { response: { statusCode: number } }).response.statusCode); },
      'undici:request:error': (message) => { this.#failed(undici(message), (message as { error: Coded }).error); },
    });
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#calls.clear();
  }

  #begin(request: object, by: Host['by']): void {
    if (this.#calls.size >= MAX_IN_FLIGHT) { this.#unseen++; return; }
    this.#calls.set(request, { host: this.#hostOf(by === 'http' ? hostOfHttp(request as ClientRequest) : String((request as { origin?: unknown }).origin), by), at: now() });
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

  #answered(request: object, status: number | undefined): void {
    const call = this.#take(request);
    if (call === undefined) return;
    call.host.durations.add(now() - call.at);
    call.host.statuses.add(status ?? 0);
  }

  #failed(request: object, error: Coded): void {
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

  drain(): AppDependency[] {
    const at = now();
    for (const host of this.#hosts.values()) { host.inFlight = 0; host.oldestAt = Infinity; }
    for (const [request, call] of this.#calls) {
      // Older Nodes have no channel for errors: the request itself knows that it is over.
      if (call.host.by === 'http' && (request as ClientRequest).destroyed) { this.#failed(request, (request as { errored?: Coded }).errored); continue; }
      call.host.inFlight++;
      if (call.at < call.host.oldestAt) call.host.oldestAt = call.at;
    }
    const shown: AppDependency[] = [];
    for (const host of this.#hosts.values()) {
      if (host.durations.count === 0 && host.failed === 0 && host.inFlight === 0) continue;
      host.failed = 0;
      shown.push({
        host: host.host, by: host.by, inFlight: host.inFlight, ...(host.oldestAt === Infinity ? {} : { oldestMs: at - host.oldestAt }),
        statuses: host.statuses.drain(), errors: host.errors.drain(), latency: host.durations.drain(),
      });
    }
    return shown;
  }

  lost(): [string, number][] {
    return [['calls beyond the bound in flight', this.#unseen]];
  }
}

/** "https://api.example.com:8443": never the path, which may hold secrets. */
function hostOfHttp(request: ClientRequest): string {
  const host = request.getHeader('host');
  return `${request.protocol}//${typeof host === 'string' ? host : request.host}`;
}

function codeOf(error: Coded): string {
  if (error === undefined || error === null) return 'ended without an answer';
  const { code, cause, name } = error;
  if (typeof code === 'string') return code.slice(0, 60);
  if (cause !== undefined && cause !== null && typeof cause.code === 'string') return cause.code.slice(0, 60);
  return typeof name === 'string' ? name.slice(0, 60) : 'unknown';
}
