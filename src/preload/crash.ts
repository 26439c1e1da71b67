// Owns the note that a dying process leaves: one small file, written synchronously, with the exception, the requests in flight and the heap.
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import type { AppCrash, AppFailure, AppFlight } from '../shared/app-link.ts';
import { oldLimit } from './heap-room.ts';
import { epoch } from './time.ts';
import type { Places } from './places.ts';

/** An exception this long before the end may be its reason: handlers log and then exit. */
const REASON_MS = 5_000;
/** An app that dies in a loop fills no disk: beyond this many notes nobody has read, no more are written. */
const MAX_NOTES = 50;
const MODE = 0o640;

export interface CrashOptions {
  readonly places: Places;
  /** This process serves, or at least is no child of one that does. */
  isTheApp(): boolean;
  /** Undefined: nobody was counting. */
  inFlight(): number | undefined;
  oldest(): AppFlight[];
  last(): AppFailure | undefined;
}

export class Crash {
  readonly #options: CrashOptions;
  #written = false;

  constructor(options: CrashOptions) {
    this.#options = options;
  }

  /** The exception that nobody caught. */
  fatal(failure: AppFailure): void {
    this.#write({ failure });
  }

  /** The end by code; only one that is no success leaves a note. */
  exit(exitCode: number): void {
    const last = this.#options.last();
    const failure = last !== undefined && epoch() - last.lastAt < REASON_MS ? last : undefined;
    if (exitCode !== 0) this.#write({ exitCode, ...(failure === undefined ? {} : { failure }) });
  }

  #write(what: Pick<AppCrash, 'exitCode' | 'failure'>): void {
    const { places, isTheApp, inFlight, oldest } = this.#options;
    if (!isTheApp() || (this.#written && what.exitCode === undefined)) return;
    const { used_heap_size: used } = getHeapStatistics();
    const flights = inFlight();
    const note: AppCrash = { version: 1, pid: process.pid, startedAt: places.startedAt, at: epoch(), ...what, ...(flights === undefined ? {} : { inFlight: flights }), oldest: oldest(), heap: { used, limit: oldLimit() } };
    if (!this.#written) {
      mkdirSync(places.folder, { recursive: true });
      if (readdirSync(places.folder).filter((name) => name.endsWith('.crash')).length >= MAX_NOTES) return;
    }
    writeFileSync(`${places.crash}.tmp`, JSON.stringify(note), { mode: MODE });
    renameSync(`${places.crash}.tmp`, places.crash);
    this.#written = true;
  }
}

/** Whether the parent has announced itself as an app: then this process is a tool of it. */
export function isChildOfApp(places: Places): boolean {
  if (!existsSync(places.folder)) return false;
  return readdirSync(places.folder).some((name) => name.startsWith(`${process.ppid}-`) && name.endsWith('.json'));
}
