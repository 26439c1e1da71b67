// Owns requests that come by HTTP/2: by channels where this Node has them (22.17 and later), else only how many and how long, as Node measures streams itself.
import type { ServerHttp2Stream } from 'node:http2';
import { PerformanceObserver } from 'node:perf_hooks';
import type { AppFlight } from '../shared/app-link.ts';
import { listen } from './channels.ts';
import { guarded } from './guarded.ts';
import { fold, withoutQuery } from './paths.ts';
import type { Follower } from './requests.ts';
import type { Routes } from './routes.ts';
import { now } from './time.ts';

const MAX_IN_FLIGHT = 10_000;
const UNKNOWN = '(HTTP/2: this Node tells no paths)';

interface Begun { readonly at: number; readonly method: string; readonly path: string }
interface Told { readonly stream: ServerHttp2Stream; readonly headers?: Readonly<Record<string, unknown>> }
interface Entry { readonly name: string; readonly duration: number; readonly detail?: unknown }

export class Http2Requests {
  readonly #routes: Routes;
  readonly #inFlight = new Map<ServerHttp2Stream, Begun>();
  #stop: (() => void) | undefined;
  started = 0;
  #unseen = 0;
  follower: Follower | undefined;

  constructor(routes: Routes) {
    this.#routes = routes;
  }

  get inFlight(): number { return this.#inFlight.size; }

  start(): void {
    if (this.#stop !== undefined) return;
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    if (major > 24 || (major === 24 && minor >= 2) || (major === 22 && minor >= 17)) {
      this.#stop = listen({
        'http2.server.stream.created': (message) => { this.#begin(message as Told); },
        'http2.server.stream.close': (message) => { this.#end((message as Told).stream); },
      });
      return;
    }
    const observer = new PerformanceObserver(guarded((list: { getEntries(): readonly Entry[] }) => { for (const entry of list.getEntries()) this.#measured(entry); }));
    observer.observe({ entryTypes: ['http2'] });
    this.#stop = () => { observer.disconnect(); };
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#inFlight.clear();
  }

  #begin({ stream, headers }: Told): void {
    this.started++;
    if (this.#inFlight.size >= MAX_IN_FLIGHT) { this.#unseen++; return; }
    this.#inFlight.set(stream, { at: now(), method: String(headers?.[':method'] ?? ''), path: String(headers?.[':path'] ?? '') });
    if (this.follower !== undefined) this.follower.begins(stream);
  }

  #end(stream: ServerHttp2Stream): void {
    const begun = this.#inFlight.get(stream);
    if (begun === undefined) return;
    this.#inFlight.delete(stream);
    this.follower?.ends(stream);
    const status = Number(stream.sentHeaders?.[':status'] ?? 0);
    const route = this.#routes.ofPath(begun.method, begun.path, status, true);
    if (stream.aborted || stream.rstCode !== 0) { route.aborted++; return; }
    route.durations.add(now() - begun.at);
    route.statuses.add(status);
  }

  /** A stream of a server has its request before its answer; a client's the other way round. */
  #measured({ name, duration, detail }: Entry): void {
    if (name !== 'Http2Stream') return;
    const { bytesWritten = 0, timeToFirstHeader = 0, timeToFirstByteSent = 0 } = (detail ?? {}) as { bytesWritten?: number; timeToFirstHeader?: number; timeToFirstByteSent?: number };
    if (timeToFirstByteSent > 0 && timeToFirstByteSent < timeToFirstHeader) return;
    this.started++;
    const route = this.#routes.ofPath('', UNKNOWN, 200, true);
    route.durations.add(duration);
    route.bytesOut += bytesWritten;
  }

  oldest(limit: number): AppFlight[] {
    const at = now();
    return [...this.#inFlight].slice(0, limit).map(([stream, begun]) => {
      const waits = this.follower?.waits(stream);
      return { method: begun.method.slice(0, 20), path: fold(withoutQuery(begun.path)), ageMs: Math.max(0, at - begun.at), protocol: 'http2' as const, ...(waits === undefined ? {} : { waits }) };
    });
  }

  drain(): { started: number; inFlight: number } {
    const { started } = this;
    this.started = 0;
    return { started, inFlight: this.inFlight };
  }

  lost(): [string, number][] {
    return [['HTTP/2 requests beyond the bound in flight', this.#unseen]];
  }
}
