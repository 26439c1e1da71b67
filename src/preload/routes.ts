// Owns what a request is called: the framework's pattern where it tells one, else its path with ids folded; a bounded table of them.
import type { AppRoute } from '../shared/app-link.ts';
import { Durations, Tally } from './latency.ts';

/** A site has dozens of routes, some have hundreds; a scanner's are without end. */
const MAX_ROUTES = 300;
/** Addresses remembered with their route: a look-up instead of folding. */
const MAX_KNOWN = 4_096;
const MAX_KNOWN_LENGTH = 256;
const MAX_PATH = 300;
const MAX_STATUSES = 40;
const OTHERS = '(other routes)';
const UNKNOWN_PATHS = '(paths not found)';

export class Route {
  readonly method: string;
  readonly path: string;
  readonly pattern: boolean;
  readonly durations = new Durations();
  readonly statuses = new Tally<number>(MAX_STATUSES, 0);
  aborted = 0;
  bytesOut = 0;

  constructor(method: string, path: string, pattern: boolean) {
    this.method = method;
    this.path = path;
    this.pattern = pattern;
  }

  /** What was counted since the last call; undefined when nothing was. */
  drain(): AppRoute | undefined {
    if (this.durations.count === 0 && this.aborted === 0) return undefined;
    const { method, path, pattern, aborted, bytesOut } = this;
    this.aborted = this.bytesOut = 0;
    return { method, path, pattern, statuses: this.statuses.drain(), aborted, bytesOut, latency: this.durations.drain() };
  }
}

/** What of a request is looked at; frameworks add to it. */
export interface Named {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly originalUrl?: unknown;
  readonly baseUrl?: unknown;
  readonly route?: unknown;
}

export class Routes {
  readonly #byName = new Map<string, Route>();
  #known = new Map<string, Map<string, Route>>();
  #knownCount = 0;
  #patterns = new WeakMap<object, Route[]>();
  /** Requests counted under no name of their own, because the table is full. */
  unnamed = 0;

  get all(): IterableIterator<Route> { return this.#byName.values(); }

  /** The route of a request that has been answered. */
  of(request: Named, status: number, told: string | undefined): Route {
    if (told !== undefined) return this.#named(request.method ?? '', told, true);
    const given = request.route;
    if (typeof given === 'object' && given !== null) return this.#ofPattern(request, given);
    const method = request.method ?? '';
    const url = pathOf(request);
    const found = this.#known.get(method)?.get(url);
    if (found !== undefined) return found;
    const path = fold(url);
    // Paths that nothing answered to are a scanner's more often than not: they must not fill the table.
    if (status === 404 && !this.#byName.has(`${method} ${path}`)) return this.#named(method, UNKNOWN_PATHS, false);
    const route = this.#named(method, path, false);
    this.#remember(method, url, route);
    return route;
  }

  #remember(method: string, url: string, route: Route): void {
    if (url.length > MAX_KNOWN_LENGTH) return;
    if (this.#knownCount >= MAX_KNOWN) {
      this.#known = new Map();
      this.#knownCount = 0;
    }
    let ofMethod = this.#known.get(method);
    if (ofMethod === undefined) this.#known.set(method, ofMethod = new Map());
    ofMethod.set(url, route);
    this.#knownCount += 1;
  }

  /** Express: `route.path` below `baseUrl`. One route object may be mounted at several places. */
  #ofPattern(request: Named, given: object): Route {
    const method = request.method ?? '';
    const below = typeof request.baseUrl === 'string' && request.baseUrl !== '' ? fold(request.baseUrl) : '';
    let made = this.#patterns.get(given);
    const path = made === undefined || below !== '' ? below + textOf((given as { path?: unknown }).path) : undefined;
    if (made === undefined) this.#patterns.set(given, made = []);
    for (const one of made) if (one.method === method && (path === undefined || one.path === path)) return one;
    const route = this.#named(method, path ?? textOf((given as { path?: unknown }).path), true);
    if (made.length < MAX_STATUSES) made.push(route);
    return route;
  }

  #named(method: string, path: string, pattern: boolean): Route {
    const name = `${method} ${path}`;
    const found = this.#byName.get(name);
    if (found !== undefined) return found;
    const isFull = this.#byName.size >= MAX_ROUTES;
    if (isFull) {
      this.unnamed += 1;
      if (path !== OTHERS && path !== UNKNOWN_PATHS) return this.#named('', OTHERS, false);
    }
    const route = new Route(method.slice(0, 20), path.slice(0, MAX_PATH), pattern);
    this.#byName.set(name, route);
    return route;
  }
}

function textOf(path: unknown): string {
  if (typeof path === 'string') return path;
  if (Array.isArray(path)) return path.map(textOf).join(' | ');
  return path instanceof RegExp ? String(path) : '(pattern)';
}

/** Without the query: it is of one request, and may hold secrets. */
export function pathOf(request: Named): string {
  const url = typeof request.originalUrl === 'string' ? request.originalUrl : request.url ?? '';
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

const DIGIT = /\d/;
const ID = /^(?:[+-]?[\d.,:-]+(?:T[\d:.]+Z?)?|(?:0x)?[0-9a-f]{12,}|\{?[0-9a-f-]{36}\}?|[A-Za-z0-9_\-+=~.]{24,})$/i;
const TAILED = /^([a-z]{1,20}[-_])(?:\d+|[0-9a-f]{12,})$/i;

/** Numbers, dates, GUIDs, hashes and long tokens become {id}. The agent folds once more, as it does the paths of the HTTP log. */
export function fold(path: string): string {
  if (!DIGIT.test(path)) return path.length > MAX_PATH ? path.slice(0, MAX_PATH) : path;
  return path.slice(0, 2 * MAX_PATH).split('/').map((part) => {
    if (!DIGIT.test(part)) return part;
    return ID.test(part) ? '{id}' : part.replace(TAILED, '$1{id}');
  }).join('/').slice(0, MAX_PATH);
}
