// Owns the sampling of the event log: new rows become changes, and those of errors the error feed.
import type { EventLogRow, Platform } from '../../platform/platform.ts';
import type { LogLine } from '../../shared/model.ts';
import type { Changes } from '../changes.ts';
import { eventLine } from '../errors.ts';
import { eventChange } from '../events.ts';
import type { Feed } from '../observe.ts';
import type { Sampler } from './index.ts';

/** Rows from before this are history, not news. */
const EVENTS_SINCE_MS = 86_400_000;

export interface EventLogOptions {
  readonly platform: Platform;
  readonly names: { of(title: string, signal: AbortSignal): Promise<string> };
  readonly told: Pick<Changes, 'event'>;
  readonly errors: Pick<Feed<LogLine>, 'publish'>;
  /** Changes are told by the agent that leads. */
  readonly leads: () => boolean;
}

export class EventLogSampler implements Sampler {
  readonly id = 'event-log';
  readonly everyMs = 1_000;
  readonly #options: EventLogOptions;
  #rows: readonly EventLogRow[] = [];
  /** Records of which the errors were published, and of which the changes were told. */
  #seen = new Set<string>();
  #told = new Set<string>();

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  /** Tells the changes of all rows once more: what another agent told already is known by its id. */
  retell(): void {
    this.#told = new Set();
    this.#rows = [];
  }

  async tick(at: number, signal: AbortSignal): Promise<string | undefined> {
    const { platform, names, leads } = this.#options;
    const offer = platform.can('event-log');
    if (!offer.yes) return offer.because ?? 'The event log cannot be read here.';
    const rows = await platform.eventLog(signal);
    if (rows === this.#rows) return undefined;
    const source = await names.of('eventlog.xml', signal);
    this.#rows = rows;
    const recent = rows.filter((row) => row.at >= at - EVENTS_SINCE_MS).map((row) => ({ row, record: `${row.record ?? row.id}:${row.at}` }));
    for (const { row, record } of recent) {
      if (leads() && !this.#told.has(record)) this.#tell(row, record);
      if (row.level === 'error' && !this.#seen.has(record)) this.#options.errors.publish(eventLine(row, source));
    }
    this.#seen = new Set(recent.map(({ record }) => record));
    this.#told = leads() ? this.#seen : new Set();
    return undefined;
  }

  #tell(row: EventLogRow, record: string): void {
    const change = eventChange(row);
    if (change !== undefined) this.#options.told.event(change, record);
  }
}
