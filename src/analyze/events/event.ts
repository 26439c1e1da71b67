// Owns what may have happened: events with their place, interval and proof, as readers find them; a cause is named from these and from rows alone.
import type { AppFlight } from '../../shared/app-link.ts';
import type { ProcessEnd } from '../parse/exits.ts';
import type { Sign } from './signs.ts';

export interface Proof { readonly where: string; readonly line?: string | undefined }

/** The end of a process of the site; the reason of one that was asked for is a Restart nearby. */
export interface ExitEvent extends ProcessEnd {
  readonly startedAt: number | undefined;
  /** What the observer or the runtime said about it. */
  readonly said: string | undefined;
  readonly instance: string | undefined;
  /** A dump or report of its end holds the exception that it died of. */
  readonly thrown?: boolean;
  readonly proof: Proof;
}

export interface StartEvent { readonly at: number; readonly pid: number | undefined; readonly listening: boolean; readonly port: number | undefined; readonly proof: Proof }

/** The app was replaced or stopped by someone. */
export interface RestartEvent { readonly at: number; readonly by: 'user' | 'rule' | 'platform' | 'stopped'; readonly said: string; readonly proof: Proof }

/** Something of the site was changed from outside. */
export interface ChangeEvent { readonly at: number; readonly kind: 'deployment' | 'configuration'; readonly said: string; readonly failed: boolean; readonly proof: Proof }

/** One thing that logs say, again and again: grouped by what it is and whom it names. */
export interface SignEvent {
  readonly sign: Sign;
  readonly key: string;
  /** "db.internal:5432", "/home/site/wwwroot/x.php:12", "8080": what the line names, if it does. */
  readonly named: string | undefined;
  count: number;
  untimed: number;
  /** Ascending; at most KEPT_TIMES, the rest is counted. */
  readonly times: number[];
  readonly pids: Set<number>;
  /** Requests that its lines name, and in how many of them: "GET /orders". */
  readonly routes: Map<string, number>;
  readonly proof: Proof;
  readonly text: string;                                       // the first line, on one line
}

/** A span in which something was measured beyond a level. */
export interface LevelEvent { readonly measure: 'host-cpu' | 'core' | 'memory' | 'heap' | 'disk' | 'loop' | 'connections' | 'handles'; readonly at: number; readonly until: number; readonly peak: number; readonly limit: number | undefined; readonly pid: number | undefined; readonly proof: Proof }

/** Memory of one process over its life. */
export interface GrowthEvent { readonly of: 'heap' | 'private'; readonly at: number; readonly until: number; readonly from: number; readonly to: number; readonly steady: boolean; readonly pid: number | undefined; readonly proof: Proof }

/** The event loop stood still, as the app itself measured. */
export interface StallEvent { readonly at: number; readonly forMs: number; readonly frames: readonly string[]; readonly pid: number | undefined; readonly proof: Proof }

/** What the app waits for, as it measured itself. */
export interface DependencyEvent { readonly host: string; readonly service: string | undefined; readonly calls: number; readonly failed: number; readonly errors: readonly (readonly [string, number])[]; readonly p50Ms: number | undefined; readonly p95Ms: number | undefined; readonly maxMs: number | undefined; readonly inFlight: number; readonly oldestMs: number | undefined; readonly open: number | undefined; readonly silent: number; readonly silentMs: number | undefined; readonly pid: number; readonly proof: Proof }

/** Collections of garbage as a share of the time. */
export interface CollectionEvent { readonly at: number; readonly forMs: number; readonly share: number; readonly heapShare: number | undefined; readonly proof: Proof }

/** Threads of a process at one instant. */
export interface ThreadsEvent {
  readonly at: number | undefined; readonly total: number;
  readonly deadlock: readonly string[];                        // names of the threads that wait for each other
  readonly waiting: readonly { readonly place: string; readonly threads: number; readonly kind: 'lock' | 'network' | 'pool' | 'task' | 'other' }[];
  readonly busyWorkers: { readonly busy: number; readonly total: number } | undefined;
  readonly stack: readonly string[];
  readonly proof: Proof;
}

/** Outbound connections by remote end. `waiting`: of no use any more or not yet; `opening` of them: asked for and not answered; `left`: closed by the other end and kept here. */
export interface RemoteEnd { readonly remote: string; readonly count: number; readonly waiting: number; readonly opening: number; readonly left: number; readonly open: number }
export interface ConnectionsEvent { readonly at: number; readonly total: number; readonly byRemote: readonly RemoteEnd[]; readonly proof: Proof }

/** What a dying process left of itself: a dump, a report. */
export interface DeathEvent { readonly pid: number | undefined; readonly at: number | undefined; readonly signal: string | undefined; readonly said: string | undefined; readonly thrown: boolean; readonly proof: Proof }

/** What a profile shows of the thread of JavaScript: its longest stretch without anything else. */
export interface StretchEvent { readonly forMs: number; readonly frames: readonly string[]; readonly proof: Proof }

/** A request under way in the app, and what it waits for. */
export interface FlightEvent { readonly method: string; readonly route: string; readonly ageMs: number; readonly waitsFor: NonNullable<AppFlight['waits']>[number]['for']; readonly on: string | undefined; readonly waitedMs: number; readonly pid: number }
