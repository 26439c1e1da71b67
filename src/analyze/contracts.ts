// Owns the two plugin kinds of analysis: diagnosers collect artifacts, analyzers judge them.
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Diagnosis } from '../shared/cause.ts';
import type { ArtifactKind, ArtifactRef, Finding, Offer, ProcessInfo } from '../shared/model.ts';
import type { Platform } from '../platform/platform.ts';
import type { ArtifactWriter, History } from '../store/store.ts';
import type { Observed } from '../observe/observe.ts';
import type { Masker } from './masker.ts';

/** What a diagnoser is handed. It throws to fail; it writes through `artifacts`. */
export interface Collecting<O = unknown> {
  readonly target: ProcessInfo | undefined;
  readonly options: O;
  readonly window: { readonly from: number; readonly to: number };
  readonly platform: Platform;
  readonly observed: Observed;
  readonly history: History;
  readonly artifacts: ArtifactWriter;
  readonly mask: Masker;                                       // knows the secret values of the site's processes: all text goes through it
  readonly cancel: AbortSignal;                                // stop and leave nothing
  readonly enough: AbortSignal;                                // stop and keep what there is
  demand(what: string, needBytes: number): Promise<void>;      // @throws NO_ROOM
  progress(note: string, fraction?: number): void;
}

export interface Diagnoser<O = unknown> {
  readonly id: string;                                         // = file name
  readonly title: string;
  readonly about: string;
  readonly options: z.ZodType<O>;
  readonly cost: 'free' | 'slows-app' | 'pauses-app';
  readonly costNote?: string | ((platform: Platform) => string);   // shown before the click
  readonly preselected: boolean;
  readonly produces: readonly ArtifactKind[];
  offered(target: ProcessInfo | undefined, platform: Platform): Offer;
  collect(run: Collecting<O>): Promise<void>;
}

export interface ArtifactReader {
  readonly ref: ArtifactRef;
  readonly path?: string;                                      // where it lies, for readers that jump about in it (dumps); absent: only in memory
  stream(): Readable;
  text(maxBytes: number): Promise<{ readonly text: string; readonly cut: boolean }>;
  json(): Promise<unknown>;
}

export type Given = { readonly [K in ArtifactKind]?: readonly ArtifactReader[] };

/** Pure: no clock, no platform, no network. Runs in a worker thread with a time limit. */
export interface Analyzer {
  readonly id: string;                                         // = file name
  readonly title: string;
  readonly needs: readonly ArtifactKind[];                     // all must be there, else skipped with the reason
  readonly needsOne?: readonly ArtifactKind[];                 // at least one of them must be there; name them in `uses` too
  readonly uses?: readonly ArtifactKind[];                     // handed over where there
  analyze(given: Given, about: { readonly window: { readonly from: number; readonly to: number } }, cancel: AbortSignal): Promise<readonly Finding[]>;
  /** Of the one that names causes. */
  diagnose?(given: Given, about: { readonly window: { readonly from: number; readonly to: number } }, cancel: AbortSignal): Promise<Diagnosis>;
}
