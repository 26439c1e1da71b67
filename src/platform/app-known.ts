// Owns what the agent knows of one app with the preload: how it was announced, its last minute of ticks, its failures, and how it ended.
import type { Socket } from 'node:net';
import { AppFrame, MAX_FRAME_BYTES, RAW_FRAME, type Announcement, type AppCrash, type AppFailure, type AppState, type AppTick } from '../shared/app-link.ts';
import type { ProcessKey } from '../shared/model.ts';

/** A minute of ticks, and no more than this of them in memory. */
const TICKS_KEPT = 60;
const KEPT_BYTES = 4 * 2 ** 20;
/** Long enough that a small collection between two looks does not hide the growth. */
const GROWTH_TICKS = 6;
/** Kinds of failures of one process: those that came least lately leave, and are counted. */
const FAILURES_KEPT = 200;

/** How an app ended. A process that ended well leaves nothing, and has none of the last three. */
export interface AppEnd {
  readonly process: ProcessKey;
  readonly at: number;                                         // when it was missed, or its note was written
  readonly crash?: AppCrash;
  readonly state?: AppState;                                   // how it stood a few seconds before, where it could write no note
  readonly tick?: AppTick;                                     // the last that came
  readonly heapGrowth?: number;                                // bytes a second, over the last seconds that were told
}

export interface LinkedApp {
  /** As the platform lists the process: its start time too. */
  readonly process: ProcessKey;
  readonly node: string;
  readonly preload: string;
  readonly state: 'connected' | 'files' | 'connecting' | 'ended';
  readonly ticks: readonly AppTick[];                          // oldest first
  readonly failures: readonly AppFailure[];                    // since its start, the newest last
  readonly missed: number;                                     // ticks that were sent and did not come
  readonly forgotten: number;                                  // kinds of failures beyond the bound
  readonly answersAsks: boolean;
  readonly end?: AppEnd;
}

export class Known {
  readonly announced: Announcement;
  readonly process: ProcessKey;
  /** The platform has listed it; one in another container never is. */
  listed: boolean;
  socket: Socket | undefined;
  state: 'connected' | 'files' | 'connecting' = 'connecting';
  triedAt = -Infinity;
  end: AppEnd | undefined;
  readonly #ticks: { readonly tick: AppTick; readonly bytes: number }[] = [];
  readonly #failures = new Map<string, AppFailure>();
  #missed = 0;
  #forgotten = 0;
  #bytes = 0;
  #seq = -1;
  #rest: Buffer = Buffer.alloc(0);

  constructor(announced: Announcement, process: ProcessKey, listed: boolean) {
    this.announced = announced;
    this.process = process;
    this.listed = listed;
  }

  get newest(): AppTick | undefined { return this.#ticks.at(-1)?.tick; }

  /** How its last seconds were, for its end. */
  get last(): Pick<AppEnd, 'tick' | 'heapGrowth'> {
    const heaps = this.#ticks.slice(-GROWTH_TICKS).flatMap(({ tick: { at, heap } }) => (heap === undefined ? [] : [{ at, used: heap.used }]));
    const [first, newest] = [heaps[0], heaps.at(-1)];
    const forMs = first === undefined || newest === undefined ? 0 : newest.at - first.at;
    return { ...(this.newest === undefined ? {} : { tick: this.newest }), ...(forMs <= 0 || first === undefined || newest === undefined ? {} : { heapGrowth: ((newest.used - first.used) * 1_000) / forMs }) };
  }

  get view(): LinkedApp {
    const { process, announced, state, end } = this;
    return {
      process, node: announced.node, preload: announced.preload, state: end === undefined ? state : 'ended', ticks: this.#ticks.map(({ tick }) => tick),
      failures: [...this.#failures.values()], missed: this.#missed, forgotten: this.#forgotten, answersAsks: announced.key !== undefined && end === undefined, ...(end === undefined ? {} : { end }),
    };
  }

  /** Bytes as they come; false when they are no frames of ours. */
  take(bytes: Buffer): boolean {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 4) {
      const size = this.#rest.readUInt32LE(0);
      if (size >= RAW_FRAME || size > MAX_FRAME_BYTES) return false;
      if (this.#rest.length < 4 + size) return true;
      const frame = parsed(AppFrame, this.#rest.subarray(4, 4 + size).toString('utf8'));
      this.#rest = this.#rest.subarray(4 + size);
      if (frame === undefined) return false;
      if (frame.type === 'tick') this.add(frame, size);
    }
    return true;
  }

  add(tick: AppTick, bytes: number): void {
    if (tick.seq <= this.#seq) return;
    if (this.#seq >= 0) this.#missed += tick.seq - this.#seq - 1;
    this.#seq = tick.seq;
    this.#ticks.push({ tick, bytes });
    this.#bytes += bytes;
    while (this.#ticks.length > TICKS_KEPT || this.#bytes > KEPT_BYTES) this.#bytes -= this.#ticks.shift()?.bytes ?? 0;
    for (const failure of tick.failures) this.#failed(failure);
  }

  /** A failure comes with its whole count each time: the last word counts. */
  #failed(failure: AppFailure): void {
    const key = failureKey(failure);
    this.#failures.delete(key);
    this.#failures.set(key, failure);
    if (this.#failures.size <= FAILURES_KEPT) return;
    this.#failures.delete(this.#failures.keys().next().value as string);
    this.#forgotten += 1;
  }

  close(): void {
    this.socket?.destroy();
    this.socket = undefined;
    this.#rest = Buffer.alloc(0);
  }
}

/** Numbers in a message make no other failure. */
export function failureKey({ kind, type, message, frames }: AppFailure): string {
  return `${kind} ${type} ${message.replace(/\d+/g, '#')} ${frames[0] ?? ''}`;
}

export function parsed<T>(schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } }, text: string): T | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const read = schema.safeParse(value);
  return read.success ? read.data : undefined;
}
