// Owns the names of what is counted by number: routes, hosts, clients, agents, instances, status keys.
import { basename } from 'node:path';
import type { HttpBurst, HttpSource } from '../../../shared/http-report.ts';
import type { Figures } from './figures.ts';
import { printable } from './routes.ts';
import { keyOf } from './status-table.ts';

type Dimension = HttpBurst['shares'][number]['dimension'];

/** App Service names its HTTP logs by the instance's short id and the time they begin: 3f2a9c-202611210905.log */
const APP_SERVICE_LOG = /^([0-9a-f]{6,64})-\d{8,14}\.log(?:\.gz)?$/i;

/** The worker machine whose log it is, where the file's name says so. */
export function instanceOf(source: string): string | undefined {
  return APP_SERVICE_LOG.exec(basename(source.replaceAll('\\', '/')))?.[1]?.toLowerCase();
}

export class Names {
  readonly #figures: Figures;
  readonly #sources: readonly HttpSource[];
  readonly #instances = new Map<number, string | undefined>();
  readonly #told = new Map<Dimension, Map<number, string | undefined>>();

  constructor(figures: Figures, sources: readonly HttpSource[]) {
    this.#figures = figures;
    this.#sources = sources;
  }

  source(id: number): string { return this.#sources[id]?.source ?? `source ${id}`; }
  format(id: number): string | undefined { return this.#sources[id]?.format; }
  instance(id: number): string | undefined {
    if (!this.#instances.has(id)) this.#instances.set(id, this.#sources[id]?.instance ?? instanceOf(this.source(id)));
    return this.#instances.get(id);
  }

  host(id: number): string { return printable(this.#figures.dimensions.hosts.texts.bytes(id)).toLowerCase(); }
  client(id: number): string { return printable(this.#figures.dimensions.clients.texts.bytes(id)); }
  agent(id: number): string { return printable(this.#figures.dimensions.agents.texts.bytes(id)); }
  referrer(id: number): string { return printable(this.#figures.dimensions.referrers.texts.bytes(id)); }
  route(id: number): { method: string; route: string } { return this.#figures.routes.name(id); }

  /** Each number of the dimension has a name of its own. */
  apart(dimension: Dimension): boolean {
    const { routes, dimensions } = this.#figures;
    if (dimension === 'route') return routes.counts.texts.ascii;
    return (dimension === 'client' || dimension === 'agent') && dimensions[`${dimension}s`].texts.ascii;
  }

  /** Asked again and again for the same few: remembered. */
  of(dimension: Dimension, id: number): string | undefined {
    const told = this.#told.get(dimension) ?? new Map<number, string | undefined>();
    this.#told.set(dimension, told);
    if (!told.has(id)) told.set(id, this.#make(dimension, id));
    return told.get(id);
  }

  #make(dimension: Dimension, id: number): string | undefined {
    if (dimension === 'status') return keyOf(this.#figures.status.entries, id);
    if (dimension === 'method') return this.#figures.routes.methodName(id);
    if (dimension === 'instance') return this.instance(id);
    if (dimension !== 'route') return this[dimension](id);
    const { method, route } = this.route(id);
    return `${method} ${route}`;
  }
}
