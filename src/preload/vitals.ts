// Owns the heap: its size and spaces, garbage collection by kind, and what keeps the loop alive.
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import type { AppTick } from '../shared/app-link.ts';
import { guarded } from './guarded.ts';
import { oldLimit } from './heap-room.ts';

/** Lists of spaces and resources change slowly, and an app with 10,000 sockets pays for each look. */
const SLOW_EVERY = 10;
const GC_KINDS: Readonly<Record<number, string>> = { 1: 'scavenge', 2: 'minor mark-sweep', 4: 'mark-sweep', 8: 'incremental', 16: 'weak callbacks' };
const LARGE = 4;
const MAX_RESOURCES = 50;

export type Vitals = Pick<AppTick, 'gc' | 'heap' | 'spaces' | 'resources'>;

export class VitalSigns {
  readonly #gc = new Map<string, { count: number; ms: number }>();
  readonly #onLarge: () => void;
  #collections: PerformanceObserver | undefined;
  #turn = 0;
  /** All collections together, since the start. */
  totalMs = 0;

  /** `onLarge`: after collections that look at the whole heap. */
  constructor(onLarge: () => void) {
    this.#onLarge = onLarge;
  }

  start(): void {
    if (this.#collections !== undefined) return;
    this.#collections = new PerformanceObserver(guarded((list: { getEntries(): readonly { duration: number; detail?: unknown }[] }) => {
      for (const { duration, detail } of list.getEntries()) this.#collected((detail as { kind?: number } | undefined)?.kind ?? 0, duration);
    }));
    this.#collections.observe({ entryTypes: ['gc'] });
  }

  stop(): void {
    this.#collections?.disconnect();
    this.#collections = undefined;
    this.#gc.clear();
  }

  #collected(kind: number, ms: number): void {
    const name = GC_KINDS[kind] ?? 'other';
    this.totalMs += ms;
    if (kind === LARGE) this.#onLarge();
    const one = this.#gc.get(name);
    if (one === undefined) this.#gc.set(name, { count: 1, ms });
    else { one.count += 1; one.ms += ms; }
  }

  heapNow(): NonNullable<AppTick['heap']> { return heap(); }

  drain(): Vitals {
    const gc = [...this.#gc].map(([kind, { count, ms }]): [string, number, number] => [kind, count, ms]);
    this.#gc.clear();
    const slow = this.#turn % SLOW_EVERY === 0;
    this.#turn += 1;
    return { gc, heap: heap(), ...(slow ? { spaces: spaces(), resources: resources() } : {}) };
  }
}

function heap(): NonNullable<AppTick['heap']> {
  const { used_heap_size: used, total_heap_size: total } = getHeapStatistics();
  const { external, arrayBuffers, rss } = process.memoryUsage();
  return { used, total, limit: oldLimit(), external, arrayBuffers, rss };
}

function spaces(): [string, number, number][] {
  return getHeapSpaceStatistics().map(({ space_name, space_used_size, space_size }): [string, number, number] => [space_name.slice(0, 40), space_used_size, space_size]).slice(0, 20);
}

function resources(): [string, number][] {
  const counts = new Map<string, number>();
  for (const type of resourceTypes()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, MAX_RESOURCES).map(([type, count]) => [type.slice(0, 60), count]);
}

/** By public means since Node 17.3. */
export function resourceTypes(): readonly string[] {
  if (typeof process.getActiveResourcesInfo === 'function') return process.getActiveResourcesInfo();
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles?: () => readonly object[] };
  return handles === undefined ? [] : handles.call(process).map((one) => `${one.constructor.name}`);
}
