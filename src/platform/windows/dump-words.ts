// Owns the words between the agent and its short-lived program that writes a minidump.
import type { DumpKind } from '../platform.ts';

/** One line of JSON as its only argument. */
export interface DumpOrder {
  readonly pid: number;
  /** The process it must be. */
  readonly startedAt: number;
  readonly kind: DumpKind;
  readonly file: string;
  readonly clone: boolean;
}

/** One line of JSON as its only output. */
export type DumpAnswer =
  | { readonly done: { readonly cloned: boolean; readonly why?: string; readonly pausedMs: number } }
  | { readonly failed: string; readonly gone?: boolean };
