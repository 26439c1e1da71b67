// Owns counting the exceptions that the app handles itself: for as long as somebody asked, with a thread that looks at each throw.
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { AppTick } from '../shared/app-link.ts';
import { framesOf } from './frames.ts';
import { guarded } from './guarded.ts';
import { epoch } from './time.ts';

/** By this name the looking thread asks the stopped main thread which request it was serving; there only while somebody looks. */
const ROUTE_NAME = 'app-service-diag.route';
const MAX_MESSAGE = 500;

export interface Caught { readonly type: string; readonly message: string; readonly frames: string[]; readonly route: string | undefined }
export interface CatchingOptions {
  route(): string | undefined;
  onCaught(caught: Caught): void;
}

interface Told { readonly tooMany?: true; readonly description: string; readonly className: string | undefined; readonly frames: string[]; readonly route: string | undefined }

export class Catching {
  readonly #options: CatchingOptions;
  #worker: Worker | undefined;
  #since = 0;
  #until = 0;
  #crowded = 0;

  constructor(options: CatchingOptions) {
    this.#options = options;
  }

  get span(): AppTick['catching'] { return this.#worker === undefined ? undefined : { since: this.#since, until: this.#until }; }

  /** @throws Error where the app is being debugged: two debuggers would stop each other. */
  start(forMs: number): void {
    const inspector = require('inspector') as typeof import('node:inspector');
    if (inspector.url() !== undefined) throw new Error('a debugger may be attached to the app');
    this.#until = epoch() + forMs;
    if (this.#worker !== undefined) return;
    const { Worker: Thread } = require('worker_threads') as typeof import('node:worker_threads');
    this.#since = epoch();
    // Nothing of the app's own options: its other preloads have no business in this thread.
    const worker = new Thread(join(__dirname, 'preload-catch.js'), { env: {}, execArgv: [], workerData: { routeName: ROUTE_NAME }, stdin: false, stdout: true, stderr: true, resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 } });
    worker.unref();
    worker.on('message', guarded((told: Told) => { this.#told(told); }));
    worker.on('error', () => { this.stop(); });
    worker.on('exit', () => { if (this.#worker === worker) this.stop(); });
    this.#worker = worker;
    Object.defineProperty(process, Symbol.for(ROUTE_NAME), { value: () => this.#options.route(), enumerable: false, configurable: true });
  }

  stop(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker === undefined) return;
    delete (process as unknown as Record<symbol, unknown>)[Symbol.for(ROUTE_NAME)];
    void worker.terminate().catch(() => undefined);
  }

  look(): void {
    if (this.#worker !== undefined && epoch() >= this.#until) this.stop();
  }

  #told({ tooMany, description, className, frames, route }: Told): void {
    if (tooMany === true) { this.#crowded += 1; return; }
    const [first = ''] = description.split('\n');
    const ofStack = framesOf(description);
    const [, type = className ?? 'Error', message = first] = /^([\w$.]+(?: \[\w+\])?): (.*)$/.exec(first) ?? [];
    this.#options.onCaught({ type: type.slice(0, 120), message: message.slice(0, MAX_MESSAGE), frames: ofStack.length > 0 ? ofStack : frames, route });
  }

  lost(): [string, number][] {
    return [['seconds with more handled exceptions than are looked at', this.#crowded]];
  }
}
