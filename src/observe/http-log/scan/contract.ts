// Owns what the scan of HTTP logs is asked and what its threads say to each other.
import type { Worker } from 'node:worker_threads';
import type { HttpReport, HttpSource } from '../../../shared/http-report.ts';
import type { ParseCounts } from '../columns.ts';
import type { Figures, FiguresState } from '../figures/figures.ts';
import type { BlockIndexState } from '../index/block-index.ts';

export const THREADS = 2;
/** What one thread reads in less time than another one takes to start, in a program that has nothing else to do: an hour of a large log. A second thread would be ready sooner by a little, for a third more work. */
export const HELP_ALONE_BELOW_BYTES = 64 * 1024 * 1024;

export interface FormatRef { readonly id: string; readonly pattern?: string }

/** One log to read. */
export interface ScanInput {
  readonly path: string;
  /** Told in the report: the catalog's id, or the file's name offline. */
  readonly source: string;
  readonly format: FormatRef;
  /** How sure the format is, 0 to 1; 1 without it. */
  readonly confidence?: number;
  readonly instance?: string;
  /** The bytes that hold what is wanted, from a line's begin to a line's begin (see seek.ts); the whole file without. */
  readonly from?: number;
  readonly to?: number;
  /** What the format must know to begin at `from`. */
  readonly head?: string;
  /** An unterminated last line is not yet whole: leave it out. */
  readonly dropPartial?: boolean;
  /** What its blocks hold is wanted too, for the index. */
  readonly learn?: boolean;
  /** What was found out about it before, told in the report. */
  readonly note?: string;
}

/** What the rows must be to count; the same for all inputs. */
export interface ScanWindow {
  readonly from?: number;
  readonly to?: number;
  /** In the filter language of shared/http-filter.ts. */
  readonly filter?: string;
  readonly keepFailed?: number;
  readonly keepSlowest?: number;
  readonly everything?: boolean;
}

export interface ScanOptions extends ScanWindow {
  readonly inputs: readonly ScanInput[];
  /** Threads that read, at most; 2 without it. */
  readonly threads?: number;
  /** The caller's thread is one of them: for a program that has nothing else to do. It answers some hundred times a second. */
  readonly help?: boolean;
  /** Threads that were started while the inputs were looked at. */
  readonly spare?: SpareThreads;
  /** Below this it is read in the caller's thread, piece by piece, because a thread costs more than it saves. */
  readonly aloneBelowBytes?: number;
  readonly signal: AbortSignal;
  progress?(readBytes: number, totalBytes: number): void;
  /** Called when all of the caller's part is counted, while the other threads still work. */
  waits?(): void;
}

/** Threads that wait for their work; ended by who made them. */
export interface SpareThreads {
  /** One of them, which is the caller's to end. */
  take(): Worker | undefined;
  end(): Promise<void>;
}

export interface Scanned {
  /** Of all inputs; to merge others into before they are told. */
  readonly figures: Figures;
  readonly sources: readonly HttpSource[];
  /** Made when it is asked for: it costs as much as some 100 MB of log. */
  readonly report: HttpReport;
  /** To merge with those of other instances. */
  readonly state: FiguresState;
  /** Of inputs that wanted it, by their place. */
  readonly learned: readonly (readonly [number, BlockIndexState])[];
}

/** Whole lines of one input that one thread reads at once. */
export interface Piece {
  readonly input: number;
  readonly from: number;
  readonly to: number;
  readonly head: string | undefined;
  /** The input's last piece: what stands there unterminated is judged. */
  readonly last: boolean;
}

export interface PieceRead {
  readonly counts: ParseCounts;
  readonly malformedAt: readonly number[];
  /** What a reader must know that goes on behind the piece. */
  readonly head: string | undefined;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly learned?: BlockIndexState;
  /** Why it was not read to its end. */
  readonly note?: string;
}

export interface ThreadGiven {
  readonly inputs: readonly ScanInput[];
  readonly window: ScanWindow;
  readonly pieces: readonly Piece[];
  /** How many of the pieces were taken: one number in memory that all threads share, so that none waits for another to hand it the next. */
  readonly taken: Int32Array;
}
export type FromThread =
  | { readonly readBytes: number }
  | { readonly id: number; readonly read: PieceRead }
  | { readonly state: FiguresState };
