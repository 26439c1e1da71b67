// Owns the contracts of what is kept: artifacts of sessions, sessions, metric history, changes, audit.
import type { Readable, Writable } from 'node:stream';
import type { MetricId } from '../shared/metrics.ts';
import type { ArtifactKind, ArtifactRef, Change, ProcessKey, Report, Sample, Series, Session, SessionId } from '../shared/model.ts';
import type { AuditEntry } from '../shared/api.ts';

export interface Draft {
  /** A path on the local disk that a tool may write itself. */
  readonly path: string;
  stream(): Writable;
  /** Moves the whole file to its final name (hashing it) and returns what it is. `name`d files exist for readers only after this. */
  commit(extra?: { masked?: number; note?: string; kind?: ArtifactKind }): Promise<ArtifactRef>;
  /** Leaves nothing. Safe after commit (does nothing). */
  discard(): Promise<void>;
}

export interface ArtifactWriter {
  /** name: letters, digits, dot, dash, underscore; made unique within the session if taken. @throws NO_ROOM when needBytes would not fit */
  draft(kind: ArtifactKind, name: string, needBytes?: number): Promise<Draft>;
  readonly refs: readonly ArtifactRef[];
}

export interface Room { readonly usedBytes: number; readonly limitBytes: number; readonly freeBytes?: number }

export interface ArtifactStore {
  writer(id: SessionId): ArtifactWriter;
  /** Where a committed artifact lies. @throws ARTIFACT_UNKNOWN */
  path(ref: Pick<ArtifactRef, 'session' | 'instance' | 'name'>): Promise<string>;
  open(ref: Pick<ArtifactRef, 'session' | 'instance' | 'name'>, range?: { start: number; end: number }): Promise<Readable>;
  list(id: SessionId): Promise<readonly ArtifactRef[]>;
  /** Asked before anything big is started. */
  room(): Promise<Room>;
  /** @throws NO_ROOM when `needBytes` does not fit into quota or disk (a reserve stays free) */
  demand(what: string, needBytes: number): Promise<void>;
}

export interface SessionStore {
  /** A new id that no other session of this home has. */
  nextId(): Promise<SessionId>;
  save(session: Session): Promise<void>;
  get(id: SessionId): Promise<Session>;                        // @throws SESSION_UNKNOWN
  list(): Promise<{ readonly sessions: readonly Session[]; readonly unreadable: number }>;  // newest first
  /** Session record, artifacts and report. isOver: it says running, but the caller knows that this run works on it no more (its last word found a full disk). @throws SESSION_UNKNOWN, SESSION_RUNNING */
  remove(id: SessionId, isOver?: boolean): Promise<void>;
  saveReport(report: Report, html: string): Promise<void>;
  report(id: SessionId): Promise<Report>;                      // @throws SESSION_UNKNOWN, REPORT_NOT_READY
  reportPath(id: SessionId, file: 'report.json' | 'report.html'): Promise<string>;
  /** After a start: sessions of this instance that say running become interrupted, drafts are removed. Returns their ids. */
  recover(now: number): Promise<readonly SessionId[]>;
  /** Ageing: 10 sessions, 20 days, the quota; pinned ones stay, running ones too. Returns what went. */
  sweep(now: number): Promise<readonly SessionId[]>;
}

export interface History {
  /** Merges the values into the slots of this instant (also a past one) in the tier of `stepMs`. */
  write(stepMs: number, sample: Sample): void;
  /** Reads what is kept, at the finest step that covers [from, to] with at most `points` points; a longer step folds as the metric says. Gaps are null. */
  read(query: { metrics: readonly MetricId[]; from: number; to: number; points: number; process?: ProcessKey; now: number }): Promise<Series>;
  /** Processes that have history in the window. */
  tracks(from: number, to: number): Promise<readonly ProcessKey[]>;
  /** Puts what is buffered on disk; called every few seconds and at the end. */
  flush(): Promise<void>;
  /** For one that does not lead: finds the processes that the leading agent began to keep, and forgets those it gave up. */
  look(): Promise<void>;
  /** After the lead came or went: lets go of every file and finds the tracks anew. What waits is dropped: another agent may have written since. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

/** An append-only file of JSON lines with a bound: at the bound the older half is left behind. */
export interface Journal<T> {
  append(entry: T): Promise<void>;
  /** Newest first; lines that cannot be read are counted, not hidden. */
  recent(limit: number): Promise<{ readonly entries: readonly T[]; readonly unreadable: number }>;
}

export interface Store {
  readonly artifacts: ArtifactStore;
  readonly sessions: SessionStore;
  readonly history: History;
  readonly changes: Journal<Change>;
  readonly audit: Journal<AuditEntry>;
  /** What bounded files and buffers of the store could not keep, counted. */
  lost(): readonly { readonly what: string; readonly count: number }[];
  close(): Promise<void>;
}
