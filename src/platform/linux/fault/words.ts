// Owns what the agent and the process that waits for a fault say to each other: one order as an argument, JSON lines back.
import type { Ended as DumpEnded } from '../dump/own-writer.ts';
import type { Word as DumpWord } from '../dump/helper-words.ts';

export interface FaultCommand {
  readonly pid: number;
  /** Start time in ticks: with the pid, its identity. */
  readonly ticks: string;
  readonly file: string;
  /** Signals whose delivery makes a dump: always, or only when nothing in the process catches them. */
  readonly always: readonly number[];
  readonly unhandled: readonly number[];
  /** A dump in the last moment of the process, whatever ends it. */
  readonly exit: boolean;
}

export type FaultWord =
  | { readonly say: 'watching' }
  | { readonly say: 'fault'; readonly signal?: number; readonly exitStatus?: number; readonly tid: number }
  | { readonly say: 'gone' }
  | Extract<DumpWord, { say: 'progress' }>
  | Exclude<DumpEnded, { say: 'cancelled' }>;

export const OUTPUT_LIMIT_BYTES = 4 * 1024 * 1024;
