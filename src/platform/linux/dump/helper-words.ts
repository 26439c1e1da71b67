// Owns what the agent and the dump writer's own process say to each other: one order as an argument, JSON lines back.
import type { Reason } from './refused.ts';

/** For tests: at this step, by its number or its word, the writer, its target, or the copy of the target is killed. */
export interface Fault { readonly step: number | string; readonly kills: 'writer' | 'target' | 'copy' }

/** What the process is to do. `had`: descriptors of the target that are its own, also where they look like ours. `ticks` (start time) makes sure that the pid still means the same process. */
export type Order =
  | { readonly mode: 'track' | 'fork' | 'stop'; readonly pid: number; readonly ticks: string; readonly file: string; readonly fault?: Fault }
  | { readonly mode: 'recover'; readonly pid: number; readonly ticks: string; readonly stubAt: number; readonly original: string; readonly sinceTicks: number; readonly had: readonly number[] };

export type Word =
  /** Before the target is touched: what to put back if this process does not live to do it. */
  | { readonly say: 'journal'; readonly stubAt: number; readonly original: string; readonly sinceTicks: number; readonly had: readonly number[] }
  | { readonly say: 'progress'; readonly bytes: number; readonly ofBytes: number }
  | { readonly say: 'done'; readonly bytes: number; readonly pausedMs: number; readonly missing: readonly string[]; readonly left: readonly string[] }
  | { readonly say: 'refused'; readonly reason: Reason; readonly why: string }
  | { readonly say: 'cancelled' }
  | { readonly say: 'failed'; readonly why: string };

/** More words than this are a fault of the process. */
export const OUTPUT_LIMIT_BYTES = 4 * 1024 * 1024;
