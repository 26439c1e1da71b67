// Owns the requests that the app serves: those in flight, and by route how many, how long, with which status.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AppFlight, AppRoute } from '../shared/app-link.ts';
import { listen } from './channels.ts';
import { Routes, fold, pathOf, type Named } from './routes.ts';
import { now } from './time.ts';

interface Served { readonly request: IncomingMessage; readonly response: ServerResponse }
type Answering = ServerResponse & { readonly req: IncomingMessage & Named };

/** A leak of requests in the app must not become one of ours. */
const MAX_IN_FLIGHT = 20_000;
const OLDEST_SHOWN = 20;

export class Requests {
  readonly #routes = new Routes();
  /** Response → when it began. In the order of their beginning: the oldest is the first. */
  readonly #inFlight = new Map<Answering, number>();
  /** Patterns that a framework told by a channel of its own (Fastify 5). */
  #told: WeakMap<object, string> | undefined;
  #started = 0;
  #unseen = 0;
  #stop: (() => void) | undefined;

  get inFlight(): number { return this.#inFlight.size; }

  start(): void {
    if (this.#stop !== undefined) return;
    this.#stop = listen({
      'http.server.request.start': (message) => { this.#begin(message as Served); },
      'http.server.response.finish': (message) => { this.#end(message as Served); },
      'tracing:fastify.request.handler:start': (message) => { this.#tell(message); },
    });
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#inFlight.clear();
  }

  #begin(served: Served): void {
    this.#started++;
    if (this.#inFlight.size < MAX_IN_FLIGHT) this.#inFlight.set(served.response as Answering, now());
    else this.#unseen++;
  }

  #end(served: Served): void {
    const response = served.response as Answering;
    const startedAt = this.#inFlight.get(response);
    if (startedAt === undefined) return;
    this.#inFlight.delete(response);
    const request = served.request as Answering['req'];
    const route = this.#routes.of(request, response.statusCode, this.#told?.get(request));
    route.durations.add(now() - startedAt);
    route.statuses.add(response.statusCode);
    const length = (response as { _contentLength?: unknown })._contentLength;
    if (typeof length === 'number') route.bytesOut += length;
  }

  #tell(message: unknown): void {
    const { request, route } = message as { request?: { raw?: object }; route?: { url?: unknown } };
    if (request?.raw === undefined || typeof route?.url !== 'string') return;
    this.#told ??= new WeakMap();
    this.#told.set(request.raw, route.url);
  }

  /** The oldest in flight. */
  oldest(): AppFlight[] {
    const at = now();
    const shown: AppFlight[] = [];
    for (const [{ req }, startedAt] of this.#inFlight) {
      shown.push({ method: (req.method ?? '').slice(0, 20), path: fold(pathOf(req)), ageMs: at - startedAt });
      if (shown.length >= OLDEST_SHOWN) break;
    }
    return shown;
  }

  /** The only request in flight, as "GET /path". */
  only(): string | undefined {
    if (this.#inFlight.size !== 1) return undefined;
    const [one] = this.oldest();
    return one === undefined ? undefined : `${one.method} ${one.path}`;
  }

  /** What was counted since the last call. Answers whose connection is gone will never finish: they are found here, not by a listener each. */
  drain(): { started: number; inFlight: number; oldest: AppFlight[]; routes: AppRoute[] } {
    for (const response of this.#inFlight.keys()) {
      if (!isGone(response)) continue;
      this.#inFlight.delete(response);
      this.#routes.of(response.req, response.statusCode, this.#told?.get(response.req)).aborted++;
    }
    const started = this.#started;
    this.#started = 0;
    const routes: AppRoute[] = [];
    for (const route of this.#routes.all) {
      const counted = route.drain();
      if (counted !== undefined) routes.push(counted);
    }
    return { started, inFlight: this.#inFlight.size, oldest: this.oldest(), routes };
  }

  lost(): [string, number][] {
    return [['requests beyond the bound in flight', this.#unseen], ['requests of routes beyond the bound', this.#routes.unnamed]];
  }
}

function isGone(response: Answering): boolean {
  return !response.writableFinished && (response.destroyed || response.req.socket?.destroyed === true);
}
