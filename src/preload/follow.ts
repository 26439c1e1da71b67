// Owns following requests: what work each has begun and not ended. It costs, so it runs only while somebody asked, or for a minute when a request hangs.
import type { AsyncHook, AsyncLocalStorage } from 'node:async_hooks';
import type { AppFlight, AppWait } from '../shared/app-link.ts';
import { Guard } from './guarded.ts';
import type { Answering, Follower } from './requests.ts';
import { framesHere } from './frames.ts';
import type { Reads } from './reads.ts';
import { epoch, now } from './time.ts';

const MAX_SHOWN = 5;
/** Of one request; more are a loop of the app's, and the newest say enough. */
const MAX_PENDING = 50;
const MAX_KEYS = 20_000;
const KINDS: Readonly<Record<string, AppWait['for']>> = {
  FSREQCALLBACK: 'file', FSREQPROMISE: 'file', FILEHANDLECLOSEREQ: 'file', Timeout: 'timer',
  GETADDRINFOREQWRAP: 'dns', GETNAMEINFOREQWRAP: 'dns', QUERYWRAP: 'dns', TCPCONNECTWRAP: 'connection', PIPECONNECTWRAP: 'connection', QueuedRequest: 'connection', WRITEWRAP: 'socket', SHUTDOWNWRAP: 'socket', PROCESSWRAP: 'child',
  PBKDF2REQUEST: 'crypto', SCRYPTREQUEST: 'crypto', RANDOMBYTESREQUEST: 'crypto', SIGNREQUEST: 'crypto', VERIFYREQUEST: 'crypto', HASHREQUEST: 'crypto', CIPHERREQUEST: 'crypto', DERIVEBITSREQUEST: 'crypto', KEYGENREQUEST: 'crypto', KEYPAIRGENREQUEST: 'crypto', KEYPAIRGENJOB: 'crypto',
};

interface Pending { readonly for: AppWait['for']; readonly at: number; readonly on: string | undefined; readonly resource: Readonly<Record<string, unknown>> | undefined; readonly frames: string[] | undefined; body: { readonly complete?: boolean; readonly destroyed?: boolean } | undefined }
type Pendings = Map<unknown, Pending>;
interface Trace { readonly response: object; readonly at: number; readonly pending: Pendings; isOver: boolean }
export interface SilentSocket { readonly on: string; readonly sinceMs: number }

export class Follow implements Follower {
  readonly #silent: () => readonly SilentSocket[];
  readonly #reads: Reads;
  #context: AsyncLocalStorage<Trace> | undefined;
  #hook: AsyncHook | undefined;
  #traces = new WeakMap<object, Trace>();
  readonly #keys = new Map<unknown, Trace>();
  #resumed: Trace | undefined;
  #since = 0;
  #until = 0;
  #withFrames = false;

  /** `silent`: connections that do not answer, of which only the process knows. */
  constructor(silent: () => readonly SilentSocket[], reads: Reads) {
    this.#silent = silent;
    this.#reads = reads;
  }

  get isOn(): boolean { return this.#hook !== undefined; }
  get until(): number { return this.#until; }
  get span(): { since: number; until: number } | undefined { return this.isOn ? { since: this.#since, until: this.#until } : undefined; }

  /** From now on, for so long; while on, the longer time counts. */
  start(forMs: number, withFrames: boolean): void {
    this.#until = Math.max(this.#until, epoch() + forMs);
    this.#withFrames ||= withFrames;
    if (this.#hook !== undefined) return;
    const { AsyncLocalStorage: Storage, createHook } = require('async_hooks') as typeof import('node:async_hooks');
    this.#since = epoch();
    this.#context ??= new Storage<Trace>();
    // No `destroy`: with it V8 would watch the end of each promise. No rest arguments: these are called at each step of the app.
    const guard = new Guard();
    const began = (id: number, type: string, trigger: number, resource: object): void => {
      if (type === 'PROMISE' || guard.isOff) return;
      try {
        if (type === 'TCPCONNECTWRAP') this.#reads.opened(trigger);
        this.#began(id, type, resource as Pending['resource']);
      } catch (error) {
        guard.caught(error);
      }
    };
    // What a hook throws ends the process.
    const before = (id: number): void => {
      if (guard.isOff) return;
      try {
        if (this.#keys.has(id)) this.end(id);
        else this.#reads.came(id);
      } catch (error) {
        guard.caught(error);
      }
    };
    const options = { init: began, before, trackPromises: false };
    this.#reads.start();
    this.#hook = createHook(options);
    this.#hook.enable();
  }

  stop(): void {
    this.#hook?.disable();
    this.#hook = undefined;
    this.#reads.stop();
    this.#context?.disable();
    this.#traces = new WeakMap();
    this.#keys.clear();
    this.#resumed = undefined;
    this.#until = 0;
    this.#withFrames = false;
  }

  /** Ends by itself. */
  look(): void {
    if (this.isOn && epoch() >= this.#until) this.stop();
  }

  /** The request that is being served at this moment. */
  get current(): object | undefined { return this.isOn ? this.#context?.getStore()?.response : undefined; }

  begins(response: object): void {
    const trace: Trace = { response, at: now(), pending: new Map(), isOver: false };
    this.#traces.set(response, trace);
    this.#context?.enterWith(trace);
  }

  ends(response: object): void {
    const trace = this.#traces.get(response);
    if (trace === undefined) return;
    this.#traces.delete(response);
    for (const key of trace.pending.keys()) this.#keys.delete(key);
    trace.pending.clear();
    trace.isOver = true;
  }

  #began(id: number, type: string, resource: Pending['resource']): void {
    const kind = KINDS[type];
    const trace = type === 'TickObject' || kind !== undefined ? this.#resumed ?? this.#context?.getStore() : undefined;
    if (trace === undefined) return;
    if (kind !== undefined) this.#add(trace, id, { for: kind, at: now(), on: type === 'QueuedRequest' ? 'a free connection of the HTTP agent' : undefined, resource, frames: this.#frames(), body: undefined });
    else this.#wrote(trace, resource);
  }

  /** Node tells after a write to a stream, by a tick of its own: a database's connection is written to long after it was opened. */
  #wrote(trace: Trace, resource: Pending['resource']): void {
    const [first] = (resource?.['args'] ?? []) as readonly ({ readonly stream?: SocketLike } | undefined)[];
    const stream = first?.stream;
    if (typeof stream?.bytesRead !== 'number' || typeof stream.remotePort !== 'number' || (stream.server ?? undefined) !== undefined || stream._httpMessage !== undefined) return;
    const before = stream.bytesRead;
    const on = `${stream.servername || stream._host || stream.remoteAddress || ''}:${stream.remotePort}`;
    this.#add(trace, stream, { for: 'socket', at: now(), on, resource: undefined, frames: this.#frames(), body: { get complete() { return stream.bytesRead !== before; }, get destroyed() { return stream.destroyed === true; } } });
  }

  #frames(): string[] | undefined {
    return this.#withFrames ? framesHere() : undefined;
  }

  /** It waits for a connection of a pool, as the pool's driver tells. */
  queued(key: object, on: string): void {
    const trace = this.#context?.getStore();
    if (trace !== undefined) this.#add(trace, key, { for: 'connection', at: now(), on, resource: undefined, frames: this.#frames(), body: undefined });
  }

  /** Its connection is there: until `went`, calls are those of the request that waited, though Node runs them in the context of the one that gave the connection back. */
  resumes(key: object): void {
    this.#resumed = this.#keys.get(key);
  }

  went(): void {
    this.#resumed = undefined;
  }

  /** A call that a channel told of. */
  call(key: object, host: string): void {
    const trace = this.#resumed ?? this.#context?.getStore();
    if (trace !== undefined) this.#add(trace, key, { for: 'call', at: now(), on: host, resource: undefined, frames: this.#frames(), body: undefined });
  }

  #add(trace: Trace, key: unknown, pending: Pending): void {
    if (trace.isOver || this.#keys.size >= MAX_KEYS) return;
    if (trace.pending.size >= MAX_PENDING) {
      const [oldest] = trace.pending.keys();
      this.#keys.delete(oldest);
      trace.pending.delete(oldest);
    }
    trace.pending.set(key, pending);
    this.#keys.set(key, trace);
  }

  /** `body`: the answer has begun, and is waited for to its end. */
  end(key: unknown, body?: Pending['body']): void {
    const trace = this.#keys.get(key);
    const pending = trace?.pending.get(key);
    if (trace === undefined || pending === undefined) return;
    if (body !== undefined && body.complete === false) { pending.body = body; return; }
    trace.pending.delete(key);
    this.#keys.delete(key);
  }

  waits(response: object): AppFlight['waits'] {
    const trace = this.#traces.get(response);
    if (trace === undefined) return undefined;
    const at = now();
    for (const [key, { body }] of trace.pending) if (body !== undefined && (body.complete === true || body.destroyed === true)) this.end(key);
    const called = new Set([...trace.pending.values()].filter((one) => one.for === 'call').map((one) => one.on));
    // What a driver tells is more than that its connection was written to.
    const shown = [...trace.pending.values()].filter((one) => isWaitedFor(one) && !(one.for === 'socket' && called.has(one.on))).sort((a, b) => b.at - a.at).slice(0, MAX_SHOWN)
      .map((one): AppWait => { const on = one.on ?? whereOf(one); return { for: one.for, ...(on === undefined ? {} : { on: on.slice(0, 300) }), forMs: at - one.at, ...(one.frames === undefined ? {} : { frames: one.frames }) }; });
    return shown.length > 0 ? shown : [this.#unseen(response as Partial<Answering>, at - trace.at)];
  }

  #unseen(response: Partial<Answering>, ageMs: number): AppWait {
    if (response.writableEnded === true) return { for: 'other', on: 'the client, which has not taken the whole answer' };
    if (response.req?.complete === false) return { for: 'other', on: 'the client, which has not sent the whole request' };
    const [silent, ...others] = this.#silent().filter(({ sinceMs }) => sinceMs <= ageMs).sort((a, b) => b.sinceMs - a.sinceMs);
    if (silent === undefined) return { for: 'nothing' };
    // Nothing leads from a connection to a request here: of two hosts it may be either.
    if (others.length > 0) return { for: 'other', on: `one that does not answer: ${[silent, ...others].map(({ on }) => on).join(', ')}`.slice(0, 300), forMs: silent.sinceMs };
    return { for: 'socket', on: silent.on.slice(0, 300), forMs: silent.sinceMs };
  }
}

interface SocketLike { readonly bytesRead?: unknown; readonly remotePort?: unknown; readonly remoteAddress?: string; readonly servername?: string; readonly _host?: string; readonly server?: unknown; readonly _httpMessage?: unknown; readonly destroyed?: boolean }

/** Timers that keep nothing alive are Node's own or the app's housekeeping. */
function isWaitedFor({ for: kind, resource }: Pending): boolean {
  if (kind !== 'timer') return true;
  const timer = resource as { hasRef?(): boolean; readonly _repeat?: unknown; readonly _destroyed?: unknown } | undefined;
  return timer?._destroyed !== true && timer?.hasRef?.() !== false && (timer?._repeat ?? null) === null;
}

function whereOf({ for: kind, resource }: Pending): string | undefined {
  if (resource === undefined) return undefined;
  const { hostname, address, port, _idleTimeout: timeoutMs } = resource;
  if (kind === 'dns') return typeof hostname === 'string' ? hostname : undefined;
  if (kind === 'connection') return typeof address === 'string' ? `${address}${typeof port === 'number' ? `:${port}` : ''}` : undefined;
  return kind === 'timer' && typeof timeoutMs === 'number' ? `${timeoutMs} ms` : undefined;
}
