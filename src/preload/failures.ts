// Owns what went wrong in the app: exceptions that nobody caught, rejections that became one, warnings; each kind once, counted.
import type { AppFailure } from '../shared/app-link.ts';
import { framesOf } from './frames.ts';
import { guarded } from './guarded.ts';
import { Sources } from './sources.ts';
import { epoch } from './time.ts';

const MAX_KINDS = 100;
const MAX_MESSAGE = 500;

type Monitor = (error: unknown, origin: unknown) => void;

export interface FailureOptions {
  /** The only request in flight, where it is known. */
  route(): string | undefined;
  /** An exception that ends the process: nobody listens for it. */
  onFatal(failure: AppFailure): void;
}

export class Failures {
  readonly #options: FailureOptions;
  readonly #kinds = new Map<string, AppFailure>();
  readonly #new = new Set<AppFailure>();
  readonly #sources = new Sources();
  /** Kinds whose source maps were looked for. */
  readonly #looked = new Set<string>();
  #last: AppFailure | undefined;
  #unkept = 0;

  constructor(options: FailureOptions) {
    this.#options = options;
  }

  /** The newest exception or rejection. */
  get last(): AppFailure | undefined { return this.#last; }

  /** Two listeners that change nothing: the monitor is told before anyone may handle the exception, and Node prints warnings by itself. */
  attach(): void {
    const monitor: Monitor = (error, origin) => {
      const failure = this.#add(origin === 'unhandledRejection' ? 'rejection' : 'exception', error);
      this.#last = failure;
      if (process.listenerCount('uncaughtException') === 0 && !process.hasUncaughtExceptionCaptureCallback()) this.#options.onFatal(failure);
    };
    process.on('uncaughtExceptionMonitor', guarded(monitor));
    process.on('warning', guarded((warning: unknown) => { this.#add('warning', warning); }));
  }

  /** One that the app handles itself. */
  caught({ route, ...what }: { type: string; message: string; frames: string[]; route: string | undefined }): void {
    this.#keep('caught', what, route);
  }

  #add(kind: AppFailure['kind'], error: unknown): AppFailure {
    return this.#keep(kind, described(error), kind === 'warning' ? undefined : this.#options.route());
  }

  #keep(kind: AppFailure['kind'], { type, message, frames }: { type: string; message: string; frames: string[] }, route: string | undefined): AppFailure {
    const at = epoch();
    const key = `${kind} ${type} ${message.replace(/\d+/g, '#')} ${frames[0] ?? ''}`;
    const before = this.#kinds.get(key);
    const failure: AppFailure = { kind, type, message, frames, count: (before?.count ?? 0) + 1, firstAt: before?.firstAt ?? at, lastAt: at, ...(before?.sources === undefined ? {} : { sources: before.sources }), ...(route === undefined ? {} : { route: route.slice(0, 330) }) };
    if (before !== undefined) { this.#new.delete(before); this.#kinds.delete(key); }
    this.#kinds.set(key, failure);
    this.#new.add(failure);
    if (this.#kinds.size > MAX_KINDS) this.#forgetOldest();
    return failure;
  }

  #forgetOldest(): void {
    const [key, oldest] = this.#kinds.entries().next().value as [string, AppFailure];
    this.#kinds.delete(key);
    this.#looked.delete(key);
    if (this.#new.delete(oldest)) this.#unkept += 1;
  }

  /** Those that came or came again since the last call; `all`: for a listener that is new. */
  drain(all: boolean): AppFailure[] {
    for (const [key, failure] of this.#kinds) if (!this.#looked.has(key) && failure.frames.length > 0) this.#look(key, failure.frames);
    const shown = [...all ? this.#kinds.values() : this.#new];
    this.#new.clear();
    return shown;
  }

  /** A failure is told at once, and once more when its sources are known. */
  #look(key: string, frames: readonly string[]): void {
    this.#looked.add(key);
    this.#sources.of(frames).then((sources) => {
      const failure = this.#kinds.get(key);
      if (sources === undefined || failure === undefined) return;
      const known = { ...failure, sources };
      this.#new.delete(failure);
      this.#kinds.set(key, known);
      this.#new.add(known);
    }, () => undefined);
  }

  lost(): [string, number][] {
    return [['failures beyond the bound', this.#unkept]];
  }
}

/** Whatever was thrown: also a proxy, a string, an object whose getters throw. */
export function described(error: unknown): { type: string; message: string; frames: string[] } {
  try {
    if (typeof error !== 'object' || error === null) return { type: error === null ? 'null' : typeof error, message: String(error).slice(0, MAX_MESSAGE), frames: [] };
    const { name, message, stack, code } = error as { name?: unknown; message?: unknown; stack?: unknown; code?: unknown };
    const text = typeof message === 'string' ? message : '';
    return {
      type: `${typeof name === 'string' ? name : 'Error'}${typeof code === 'string' ? ` ${code}` : ''}`.slice(0, 120),
      message: text.slice(0, MAX_MESSAGE),
      frames: typeof stack === 'string' ? framesOf(stack) : [],
    };
  } catch {
    return { type: 'unreadable', message: 'what was thrown cannot be read', frames: [] };
  }
}
