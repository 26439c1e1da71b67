// Owns the requests that the app serves: those in flight, and by route how many, how long, with which status.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AppFlight, AppRoute } from '../shared/app-link.ts';
import { listen, listenBare } from './channels.ts';
import { Guard } from './guarded.ts';
import { fold } from './paths.ts';
import { Routes, pathOf, type Named } from './routes.ts';
import { now } from './time.ts';

interface Served { readonly request: Answering['req']; readonly response: Answering }
export type Answering = ServerResponse & { readonly req: IncomingMessage & Named };

/** So many are found by looking through a list, which costs less than any table; more are in one. */
const SLOTS = 64;
/** A leak of requests in the app must not become one of ours. */
const MAX_IN_FLIGHT = 20_000;
const OLDEST_SHOWN = 20;
/** Of POST, PUT, PATCH: those that have a body. */
const LETTER_P = 80;

/** Hears of each request, while somebody wants to know what it waits for. */
export interface Follower {
  begins(response: object): void;
  ends(response: object): void;
  waits(response: object): AppFlight['waits'];
}

export class Requests {
  readonly #routes = new Routes();
  readonly #slots: (Answering | undefined)[] = Array.from({ length: SLOTS }, () => undefined);
  readonly #startedAt = new Float64Array(SLOTS);
  readonly #free = Uint8Array.from({ length: SLOTS }, (_, i) => SLOTS - 1 - i);
  #freeCount = SLOTS;
  readonly #more = new Map<Answering, number>();
  /** Patterns that a framework told by a channel of its own (Fastify 5). */
  #told: WeakMap<object, string> | undefined;
  #started = 0;
  #unseen = 0;
  #stop: (() => void) | undefined;
  follower: Follower | undefined;

  get inFlight(): number { return SLOTS - this.#freeCount + this.#more.size; }
  get routes(): Routes { return this.#routes; }

  start(): void {
    if (this.#stop !== undefined) return;
    const rare = listen({ 'tracing:fastify.request.handler:start': (message) => { this.#tell(message); } });
    const each = listenBare({ 'http.server.request.start': this.#begins(), 'http.server.response.finish': this.#ends() });
    this.#stop = () => { rare(); each(); };
  }

  /** These two run for each request: each is one function with its guard within, so that V8 can build into it all that it calls. */
  #begins(): (message: unknown) => void {
    const guard = new Guard();
    return (message) => {
      if (guard.isOff) return;
      try { this.#begin((message as Served).response); } catch (error) { guard.caught(error); }
    };
  }

  #ends(): (message: unknown) => void {
    const guard = new Guard();
    return (message) => {
      if (guard.isOff) return;
      try { this.#end((message as Served).response); } catch (error) { guard.caught(error); }
    };
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    for (const response of this.#responses()) this.#take(response);
  }

  #begin(response: Answering): void {
    this.#started++;
    if (this.#freeCount > 0) {
      const slot = this.#free[--this.#freeCount] as number;
      this.#slots[slot] = response;
      this.#startedAt[slot] = now();
    } else if (this.#more.size < MAX_IN_FLIGHT) this.#more.set(response, now());
    else this.#unseen++;
    if (this.follower !== undefined) this.follower.begins(response);
  }

  /** When it began; no longer in flight then. NaN: it is not known. */
  #take(response: Answering): number {
    const slots = this.#slots;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (slots[slot] !== response) continue;
      slots[slot] = undefined;
      this.#free[this.#freeCount++] = slot;
      return this.#startedAt[slot] as number;
    }
    const startedAt = this.#more.get(response);
    if (startedAt === undefined) return NaN;
    this.#more.delete(response);
    return startedAt;
  }

  #end(response: Answering): void {
    const startedAt = this.#take(response);
    if (this.follower !== undefined) this.follower.ends(response);
    if (startedAt !== startedAt) return;
    const request = response.req;
    const status = response.statusCode;
    const route = this.#routes.of(request, status, this.#told === undefined ? undefined : this.#told.get(request));
    route.durations.add(now() - startedAt);
    route.statuses.add(status);
    const length = (response as { _contentLength?: unknown })._contentLength;
    if (typeof length === 'number') route.bytesOut += length;
    if ((request.method as string).charCodeAt(0) === LETTER_P) route.bytesIn += Number(request.headers['content-length'] ?? 0) || 0;
  }

  #tell(message: unknown): void {
    const { request, route } = message as { request?: { raw?: object }; route?: { url?: unknown } };
    if (request?.raw === undefined || typeof route?.url !== 'string') return;
    this.#told ??= new WeakMap();
    this.#told.set(request.raw, route.url);
  }

  #responses(): Answering[] {
    return [...this.#slots.filter((one): one is Answering => one !== undefined), ...this.#more.keys()];
  }

  /** The oldest in flight; `withWaits`: what they wait for too, where it is followed. */
  oldest(limit = OLDEST_SHOWN): AppFlight[] {
    const at = now();
    const begun: [Answering, number][] = [];
    this.#slots.forEach((one, slot) => { if (one !== undefined) begun.push([one, this.#startedAt[slot] as number]); });
    begun.sort((a, b) => a[1] - b[1]);
    // Those of the table came in their order; all but the oldest of them stay out of the merge.
    for (const entry of this.#more) {
      if (begun.length >= SLOTS + limit) break;
      begun.push(entry);
    }
    return begun.sort((a, b) => a[1] - b[1]).slice(0, limit).map(([response, startedAt]) => {
      const waits = this.follower?.waits(response);
      return { method: (response.req.method ?? '').slice(0, 20), path: fold(pathOf(response.req)), ageMs: Math.max(0, at - startedAt), ...(waits === undefined ? {} : { waits }) };
    });
  }

  /** As "GET /path", or the framework's pattern. */
  nameOf(response: Answering): string {
    const { req } = response;
    return this.#routes.nameOf(req, this.#told?.get(req));
  }

  /** The only request in flight, as "GET /path". */
  only(): string | undefined {
    if (this.inFlight !== 1) return undefined;
    const [one] = this.oldest(1);
    return one === undefined ? undefined : `${one.method} ${one.path}`;
  }

  /** One that has been served for so long without an answer having begun; streams and long polls have begun theirs. */
  hangs(ms: number): boolean {
    const before = now() - ms;
    return this.#slots.some((one, slot) => one !== undefined && !one.headersSent && (this.#startedAt[slot] as number) < before);
  }

  /** What was counted since the last call; `others`: of requests counted elsewhere in the same routes. Answers whose connection is gone will never finish: they are found here, not by a listener each. */
  drain(others: () => { started: number; inFlight: number }): { started: number; inFlight: number; routes: AppRoute[] } {
    for (const response of this.#responses()) {
      if (!isGone(response)) continue;
      this.#take(response);
      this.follower?.ends(response);
      this.#routes.of(response.req, response.statusCode, this.#told?.get(response.req)).aborted++;
    }
    const other = others();
    const started = this.#started + other.started;
    this.#started = 0;
    const routes: AppRoute[] = [];
    for (const route of this.#routes.all) {
      const counted = route.drain();
      if (counted !== undefined) routes.push(counted);
    }
    return { started, inFlight: this.inFlight + other.inFlight, routes };
  }

  lost(): [string, number][] {
    return [['requests beyond the bound in flight', this.#unseen], ['requests of routes beyond the bound', this.#routes.unnamed]];
  }
}

function isGone(response: Answering): boolean {
  return !response.writableFinished && (response.destroyed || response.req.socket?.destroyed === true);
}
