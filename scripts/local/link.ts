// Owns the words between the launcher and its front end process: what the one is asked and what the other reports.
import type { Limits } from './limits.ts';
import type { Site } from './site.ts';
import type { WorkerState } from './worker.ts';

/** The one argument of the front end process, as JSON. */
export interface FrontOrder {
  readonly home: string;
  readonly app: string;
  /** The app is copied into site/wwwroot, with a deployment record, and runs there; otherwise it runs where it is. */
  readonly deploy: boolean;
  readonly port: number;
  readonly site: Site;
  readonly limits: Limits;
  /** Where the agent asks for an overlapped restart: a socket's path, or a named pipe. */
  readonly restartPipe: string;
}

/** What the launcher sends. */
export type ToFront = { readonly do: 'start-worker' } | { readonly do: 'stop' };

/** What the front end sends. */
export type FromFront =
  | { readonly is: 'listening'; readonly port: number }
  | { readonly is: 'worker'; readonly state: WorkerState }
  | { readonly is: 'refused'; readonly why: string };
