// Owns the heap: its size and spaces, garbage collection by kind, and what keeps the loop alive.
import { PerformanceObserver, constants } from 'node:perf_hooks';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import type { AppTick } from '../shared/app-link.ts';
import { Guard, guarded } from './guarded.ts';
import { oldLimit } from './heap-room.ts';

/** Lists of spaces and resources change slowly, and an app with 10,000 sockets pays for each look. */
const SLOW_EVERY = 10;
/** The numbers of kinds are V8's: Node 16 has others than the later ones, which know one kind more. */
const { NODE_PERFORMANCE_GC_MINOR: MINOR, NODE_PERFORMANCE_GC_MAJOR: LARGE, NODE_PERFORMANCE_GC_INCREMENTAL: STEP, NODE_PERFORMANCE_GC_WEAKCB: WEAK } = constants as unknown as Readonly<Record<string, number>>;
const GC_KINDS = new Map([[2, 'minor mark-sweep'], [MINOR, 'scavenge'], [LARGE, 'mark-sweep'], [STEP, 'incremental'], [WEAK, 'weak callbacks']]);
const MAX_KINDS = 17;
const MAX_RESOURCES = 50;

export type Vitals = Pick<AppTick, 'gc' | 'heap' | 'spaces' | 'resources'>;

export class VitalSigns {
  /** By kind: how many, and how long together. */
  readonly #counts = new Float64Array(MAX_KINDS);
  readonly #ms = new Float64Array(MAX_KINDS);
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
    this.#collections = observed((kind, ms) => { this.#collected(kind, ms); });
  }

  stop(): void {
    this.#collections?.disconnect();
    this.#collections = undefined;
    this.#counts.fill(0);
    this.#ms.fill(0);
  }

  #collected(kind: number, ms: number): void {
    const at = kind < MAX_KINDS ? kind : 0;
    (this.#counts[at] as number)++;
    this.#ms[at] = (this.#ms[at] as number) + ms;
    this.totalMs += ms;
    if (kind === LARGE) this.#onLarge();
  }

  heapNow(): NonNullable<AppTick['heap']> { return heap(); }

  drain(): Vitals {
    const gc: [string, number, number][] = [];
    this.#counts.forEach((count, kind) => { if (count > 0) gc.push([GC_KINDS.get(kind) ?? 'other', count, this.#ms[kind] as number]); });
    this.#counts.fill(0);
    this.#ms.fill(0);
    const slow = this.#turn % SLOW_EVERY === 0;
    this.#turn += 1;
    return { gc, heap: heap(), ...(slow ? { spaces: spaces(), resources: resources() } : {}) };
  }
}

interface Collection { readonly entryType: string; readonly duration: number; readonly detail?: { readonly kind?: number } }

/**
 * Each collection of this thread. Node keeps an observer's entries until a later turn of the loop, sorts them and calls back: as much work again as
 * to make the entry, and one more turn of a loop that might rest. The door through which it hands them over is ours to replace on an observer
 * of our own; where there is no such door, or something else comes through it, the observer is an ordinary one.
 */
function observed(collected: (kind: number, ms: number) => void): PerformanceObserver {
  const told = ({ detail, duration }: Collection): void => { collected(detail?.kind ?? 0, duration); };
  const observer = new PerformanceObserver(guarded((list: { getEntries(): readonly unknown[] }) => { for (const entry of list.getEntries()) told(entry as Collection); }));
  const door = Object.getOwnPropertySymbols(PerformanceObserver.prototype).find(({ description }) => description === 'kMaybeBuffer');
  if (door !== undefined) {
    const guard = new Guard();
    const own = observer as unknown as Record<symbol, (entry: unknown) => void>;
    const takes = (entry: unknown): void => {
      try {
        const { entryType, duration } = entry as Collection;
        if (typeof entryType !== 'string' || typeof duration !== 'number' || guard.isOff) { delete own[door]; own[door]?.(entry); }
        else if (entryType === 'gc') told(entry as Collection);    // of all types: those that the app makes come by too
      } catch (error) {
        guard.caught(error);
      }
    };
    Object.defineProperty(observer, door, { value: takes, configurable: true });
  }
  observer.observe({ entryTypes: ['gc'] });
  return observer;
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
