// Owns what is written down of each dump, beside its file: what made it, by which way, what it cost, and what is missing in it.
import type { ProcessInfo } from '../shared/model.ts';
import type { SnapshotPrediction } from '../analyze/heap-guard.ts';
import { writeAtomic } from '../store/atomic.ts';

export type TakenKind = 'core-dump' | 'minidump' | 'heap-snapshot' | 'heap-profile' | 'cpu-profile' | 'node-report';

/** One file and how it came about; as JSON in `<file>.json`. */
export interface DumpRecord {
  readonly version: 1;
  readonly at: number;
  readonly file: string;
  readonly kind: TakenKind;
  readonly bytes: number;
  readonly engine: string;
  readonly pausedMs?: number;
  readonly predictedPauseMs?: number;
  readonly trigger: string;
  readonly reason: string;
  readonly comment?: string;
  /** What is not in the file though it was asked for. */
  readonly missing: readonly string[];
  /** Why not another way, and what else is worth knowing. */
  readonly notes: readonly string[];
  readonly snapshot?: { readonly predicted: SnapshotPrediction; readonly actual: { readonly stopMs: number; readonly peakBytes?: number }; readonly nodes: number };
  readonly target: Pick<ProcessInfo, 'pid' | 'startedAt' | 'name' | 'commandLine'>;
}

const LEFT_OUT = 'left out: ';

/** Notes of a dump, and in them what was left out. */
export function notesOf(note: string | undefined): Pick<DumpRecord, 'missing' | 'notes'> {
  const all = note === undefined ? [] : note.split('; ');
  return {
    missing: all.filter((one) => one.startsWith(LEFT_OUT)).map((one) => one.slice(LEFT_OUT.length)),
    notes: all.filter((one) => !one.startsWith(LEFT_OUT)),
  };
}

export async function keepRecord(path: string, record: DumpRecord): Promise<void> {
  await writeAtomic(`${path}.json`, `${JSON.stringify(record, undefined, 1)}\n`);
}
