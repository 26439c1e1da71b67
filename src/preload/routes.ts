// Owns what a request is called: the framework's pattern where it tells one, else its path with ids folded; a bounded table of them.
import type { AppRoute } from '../shared/app-link.ts';
import { Durations, Tally } from './latency.ts';
import { fold, hashPath, hashed, withoutQuery } from './paths.ts';
import { Patterns } from './patterns.ts';

/** A site has dozens of routes, some have hundreds; a scanner's are without end. */
const MAX_ROUTES = 300;
/** Places of the table by number: a power of two, and a third full at most. */
const PLACES = 1_024;
const MAX_PATH = 300;
const MAX_STATUSES = 40;
const OTHERS = '(other routes)';
const UNKNOWN_PATHS = '(paths not found)';

export class Route {
  readonly method: string;
  readonly path: string;
  readonly pattern: boolean;
  readonly isHttp2: boolean;
  readonly durations = new Durations();
  readonly statuses = new Tally<number>(MAX_STATUSES, 0);
  aborted = 0;
  bytesOut = 0;
  bytesIn = 0;

  constructor(method: string, path: string, pattern: boolean, isHttp2: boolean) {
    this.method = method;
    this.path = path;
    this.pattern = pattern;
    this.isHttp2 = isHttp2;
  }

  /** What was counted since the last call; undefined when nothing was. */
  drain(): AppRoute | undefined {
    if (this.durations.count === 0 && this.aborted === 0) return undefined;
    const { method, path, pattern, aborted, bytesOut, bytesIn } = this;
    this.aborted = this.bytesOut = this.bytesIn = 0;
    return { method, path, pattern, statuses: this.statuses.drain(), aborted, bytesOut, ...(bytesIn === 0 ? {} : { bytesIn }), ...(this.isHttp2 ? { protocol: 'http2' as const } : {}), latency: this.durations.drain() };
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

/** A place of the table: the numbers of a path, and its route. */
interface Place { readonly one: number; readonly two: number; readonly route: Route }

interface Mounted { readonly method: string; readonly below: string; readonly route: Route }

export class Routes {
  readonly #byName = new Map<string, Route>();
  readonly #byNumber: (Place | undefined)[] = Array.from({ length: PLACES }, () => undefined);
  #numbered = 0;
  /** By the text of the pattern, which an app has once and V8 finds by its number; those of full tables are not kept. */
  readonly #patterns = new Map<string, Mounted[]>();
  readonly patterns = new Patterns();
  /** Requests counted under no name of their own, because the table is full. */
  unnamed = 0;

  get all(): IterableIterator<Route> { return this.#byName.values(); }

  /** The route of a request that has been answered. */
  of(request: Named, status: number, told: string | undefined): Route {
    if (told !== undefined) return this.#named(request.method ?? '', told, true);
    const given = request.route;
    if (typeof given === 'object' && given !== null) return this.#ofPattern(request, given);
    const { originalUrl } = request;
    return this.ofPath(request.method ?? '', typeof originalUrl === 'string' ? originalUrl : request.url ?? '', status, false);
  }

  /** Of one that is still being served: nothing is counted, and no route is made. */
  nameOf(request: Named, told: string | undefined): string {
    const { method = '', route, baseUrl } = request;
    if (told !== undefined) return `${method} ${told}`;
    if (typeof route === 'object' && route !== null) return `${method} ${typeof baseUrl === 'string' ? fold(baseUrl) : ''}${textOf((route as { path?: unknown }).path)}`;
    const path = fold(pathOf(request));
    return `${method} ${this.patterns.of(method, path) ?? path}`;
  }

  ofPath(method: string, url: string, status: number, isHttp2: boolean): Route {
    hashPath(method, url);
    const { one, two } = hashed;
    let at = (isHttp2 ? ~one : one) & (PLACES - 1);
    for (let place = this.#byNumber[at]; place !== undefined; place = this.#byNumber[at = (at + 1) & (PLACES - 1)]) {
      if (place.one === one && place.two === two && place.route.isHttp2 === isHttp2) return place.route;
    }
    const path = fold(withoutQuery(url));
    const pattern = this.patterns.of(method, path);
    const isNew = pattern === undefined && !this.#byName.has(nameOf(method, path, isHttp2));
    // Paths that nothing answered to are a scanner's more often than not: they must not fill the table.
    const route = isNew && status === 404 ? this.#named(method, UNKNOWN_PATHS, false, isHttp2) : this.#named(method, pattern ?? path, pattern !== undefined, isHttp2);
    if (route.path !== OTHERS && route.path !== UNKNOWN_PATHS && this.#numbered < MAX_ROUTES) {
      this.#byNumber[at] = { one, two, route };
      this.#numbered += 1;
    }
    return route;
  }

  /** Express: `route.path` below `baseUrl`. One route may be mounted at several places. */
  #ofPattern(request: Named, given: object): Route {
    const { path } = given as { path?: unknown };
    const { method = '', baseUrl } = request;
    const below = typeof baseUrl === 'string' && baseUrl !== '' ? fold(baseUrl) : '';
    const text = typeof path === 'string' ? path : textOf(path);
    const made = this.#patterns.get(text);
    if (made !== undefined) for (const one of made) if (one.method === method && one.below === below) return one.route;
    const route = this.#named(method, below + text, true);
    if (route.path === OTHERS) return route;
    if (made === undefined) this.#patterns.set(text, [{ method, below, route }]);
    else if (made.length < MAX_STATUSES) made.push({ method, below, route });
    return route;
  }

  #named(method: string, path: string, pattern: boolean, isHttp2 = false): Route {
    const name = nameOf(method, path, isHttp2);
    const found = this.#byName.get(name);
    if (found !== undefined) return found;
    if (this.#byName.size >= MAX_ROUTES) {
      this.unnamed += 1;
      if (path !== OTHERS && path !== UNKNOWN_PATHS) return this.#named('', OTHERS, false);
    }
    const route = new Route(method.slice(0, 20), path.slice(0, MAX_PATH), pattern, isHttp2);
    this.#byName.set(name, route);
    return route;
  }
}

const nameOf = (method: string, path: string, isHttp2: boolean): string => `${isHttp2 ? 'h2 ' : ''}${method} ${path}`;

function textOf(path: unknown): string {
  if (typeof path === 'string') return path;
  if (Array.isArray(path)) return path.map(textOf).join(' | ');
  return path instanceof RegExp ? String(path) : '(pattern)';
}

export function pathOf({ originalUrl, url }: Named): string {
  return withoutQuery(typeof originalUrl === 'string' ? originalUrl : url ?? '');
}
