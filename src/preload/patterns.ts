// Owns the patterns of Fastify 3 and 4, which tell no request's: heard as they are registered, and found by the path; where it is not certain which one it was, none.
import { listen } from './channels.ts';
import { guarded } from './guarded.ts';
import { fold } from './paths.ts';

/** From here on Fastify tells each request's by a channel of its own. */
const TELLS_ITSELF = 5;
const MAX_APPS = 8;
/** Beyond them nothing is certain: paths stay paths. */
const MAX_PATTERNS = 500;
const ANY = '*';

interface Fastify { readonly version?: unknown; addHook(name: 'onRoute', hook: (route: Registered) => void): void }
interface Registered { readonly method?: unknown; readonly url?: unknown }
/** One that may leave out what the router sees (an expression, two names in one part, a number that paths are folded by) is not certain. */
interface Pattern { readonly text: string; readonly parts: readonly string[]; readonly certain: boolean }

export class Patterns {
  readonly #apps: Map<string, Pattern[]>[] = [];
  #count = 0;

  /** From the start: routes are registered before anybody listens. */
  attach(): void {
    listen({ 'fastify.initialization': (message) => { this.#opened((message as { fastify: Fastify }).fastify); } });
  }

  #opened(fastify: Fastify): void {
    if (!(Number.parseInt(String(fastify.version), 10) < TELLS_ITSELF) || this.#apps.length > MAX_APPS) return;
    const byMethod = new Map<string, Pattern[]>();
    this.#apps.push(byMethod);
    fastify.addHook('onRoute', guarded(({ method, url }: Registered) => {
      if (typeof url !== 'string') return;
      for (const one of Array.isArray(method) ? method : [method]) this.#add(byMethod, String(one), url);
    }));
  }

  #add(byMethod: Map<string, Pattern[]>, method: string, text: string): void {
    if (this.#count > MAX_PATTERNS) return;
    this.#count += 1;
    const parts = text.split('/');
    const certain = parts.every((part, i) => (part === ANY ? i === parts.length - 1 : /^:\w+$/.test(part) || (!/[:*(]/.test(part) && fold(part) === part)));
    const pattern = { text, parts: parts.map((part) => (part.startsWith(':') ? ':' : part)), certain };
    const known = byMethod.get(method);
    if (known === undefined) byMethod.set(method, [pattern]);
    else known.push(pattern);
  }

  /** Of a path with its ids folded: several that are folded alike are of one pattern, or of none. */
  of(method: string, folded: string): string | undefined {
    if (this.#count === 0 || this.#count > MAX_PATTERNS || this.#apps.length > MAX_APPS) return undefined;
    const parts = folded.split('/');
    let found: string | undefined;
    for (const byMethod of this.#apps) {
      const fitting = (byMethod.get(method) ?? []).filter((one) => fits(one, parts));
      if (fitting.some(({ certain }) => !certain)) return undefined;
      const [best] = fitting.sort(nearer);
      if (best === undefined) continue;
      if (found !== undefined && found !== best.text) return undefined;
      found = best.text;
    }
    return found;
  }
}

function fits({ parts, certain }: Pattern, path: readonly string[]): boolean {
  const last = parts.length - 1;
  if (parts[last] === ANY ? path.length < parts.length : path.length !== parts.length) return certain ? false : mayFit(parts, path);
  return parts.every((part, i) => (part === ANY && i === last) || part === ':' || part === path[i]) || (!certain && mayFit(parts, path));
}

/** Its plain beginning is that of the path: more is not known of it. */
function mayFit(parts: readonly string[], path: readonly string[]): boolean {
  const unclear = parts.findIndex((part) => /[:*(]/.test(part) || fold(part) !== part);
  return parts.slice(0, unclear).every((part, i) => part === path[i]);
}

/** As the router looks: what is written out before a name, a name before the rest. */
function nearer(a: Pattern, b: Pattern): number {
  for (let i = 0; i < Math.min(a.parts.length, b.parts.length); i += 1) {
    const difference = rank(a.parts[i] as string) - rank(b.parts[i] as string);
    if (difference !== 0) return difference;
  }
  return 0;
}

const rank = (part: string): number => (part === ANY ? 2 : part === ':' ? 1 : 0);
