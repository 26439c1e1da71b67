// Owns the reading of a session's large artifacts for the page (dumps, profiles, heaps): one at a time as a long-running job, what was read kept and given.
import type { z } from 'zod';
import type { Operation } from '../shared/api.ts';
import { DiagError, sayError, type ErrorCode } from '../shared/errors.ts';
import type { ArtifactRef } from '../shared/model.ts';
import { bytes } from '../shared/units.ts';
import { within } from '../platform/clock.ts';
import { openReadings, readingId, type Readings } from '../store/readings.ts';
import { createTurns, type Turns } from '../store/turns.ts';
import type { Parts } from './agent.ts';
import { VERSION } from './config.ts';

/** A core of 16 GiB takes some ten seconds; what takes longer than this is no such file but a trap. */
const LIMIT_MS = 300_000;
export type Named = Pick<ArtifactRef, 'session' | 'instance' | 'name'>;

/** What differs between kinds of files. */
export interface ReadKind<T> {
  readonly operation: 'read-dump' | 'read-profile' | 'read-heap';
  readonly artifacts: readonly ArtifactRef['kind'][];
  /** "memory dump" */
  readonly word: string;
  readonly form: z.ZodType<T>;
  readonly notRead: ErrorCode;
  readonly unreadable: ErrorCode;
  /** Where all of it is told when it is too large to be kept. */
  readonly command: string;
  read(paths: readonly string[], signal: AbortSignal, progress: (note: string, fraction: number) => void): Promise<T>;
}

export interface ArtifactReads<T> {
  /** `base`: another of the same session to compare with. @throws the kind's "not read" when nobody asked for its reading yet, ARTIFACT_UNKNOWN, BAD_INPUT when it is of another kind */
  get(named: Named, base?: Named): Promise<T>;
  /** Begins the reading, or gives the one that runs; done at once where it was read before. */
  start(named: Named, who: string, base?: Named): Promise<Operation>;
}

/** One at a time of all kinds: each may take a GiB and a whole processor. */
export function createReadTurns(): Turns { return createTurns(); }

export function createArtifactReads<T>(parts: Parts, turns: Turns, kind: ReadKind<T>): ArtifactReads<T> {
  const kept = openReadings(parts.platform, `${kind.operation.slice('read-'.length)}-reads`, kind.form);
  const running = new Map<string, Operation>();
  const refsOf = async (named: Named, base: Named | undefined): Promise<ArtifactRef[]> => [await refOf(parts, named, kind), ...(base === undefined ? [] : [await refOf(parts, base, kind)])];
  return {
    async get(named, base) {
      const refs = await refsOf(named, base);
      const read = await kept.get(readingId(refs, VERSION));
      if (read === undefined) throw new DiagError(kind.notRead, { name: named.name });
      return read;
    },
    async start(named, who, base) {
      const refs = await refsOf(named, base);
      const key = readingId(refs, VERSION);
      const id = `${kind.operation.slice('read-'.length)}-${key}`;
      const now = running.get(id);
      if (now !== undefined) return now;
      const job = createJob(id, kind.operation, refs[0] as ArtifactRef, parts.platform.clock.now());
      if (await kept.get(key) !== undefined) { job.set({ state: 'done', fraction: 1 }); return parts.operations.add(job); }
      running.set(id, job.operation());
      parts.operations.add(job);
      job.onChange((operation) => { running.set(id, operation); parts.operationFeed.publish(operation); if (operation.state !== 'running') running.delete(id); });
      void run(parts, { kept, turns, kind }, job, refs);
      await parts.audit(who, kind.operation.replace('-', ' '), `${named.session}/${named.instance}/${named.name}`, 'started');
      return job.operation();
    },
  };
}

async function refOf<T>({ store }: Parts, named: Named, kind: ReadKind<T>): Promise<ArtifactRef> {
  await store.artifacts.path(named);
  const ref = (await store.artifacts.list(named.session)).find((one) => one.instance === named.instance && one.name === named.name);
  if (ref === undefined) throw new DiagError('ARTIFACT_UNKNOWN', { session: named.session, name: named.name });
  if (!kind.artifacts.includes(ref.kind)) throw new DiagError('BAD_INPUT', { why: `${ref.name} is no ${kind.word}` });
  return ref;
}

/** Never throws: how it ended is the operation's state. */
async function run<T>({ store }: Parts, { kept, turns, kind }: { kept: Readings<T>; turns: Turns; kind: ReadKind<T> }, job: ReadJob, refs: readonly ArtifactRef[]): Promise<void> {
  try {
    const signal = within(LIMIT_MS, job.cancelled);
    // A cancelled one does not wait for its turn.
    await Promise.race([aborted(signal), turns.take(async () => {
      signal.throwIfAborted();
      const paths: string[] = [];
      for (const ref of refs) paths.push(await store.artifacts.path(ref));
      const read = await kind.read(paths, signal, (note, fraction) => { job.set({ note, fraction }); });
      job.set({ note: 'keeping what was read', fraction: 1 });
      if (!await kept.put(readingId(refs, VERSION), read)) throw new DiagError(kind.unreadable, { why: `what it tells is larger than what the page shows; ${kind.command} gives all of it` });
    })]);
    job.set({ state: 'done', note: undefined, fraction: 1 });
  } catch (error) {
    job.set(job.cancelled.aborted ? { state: 'cancelled', note: undefined } : { state: 'failed', note: sayError(error) });
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, fail) => { signal.addEventListener('abort', () => { fail(signal.reason as Error); }, { once: true }); });
}

interface ReadJob {
  readonly cancelled: AbortSignal;
  operation(): Operation;
  cancel(): void;
  enough(): void;
  set(patch: { state?: Operation['state']; note?: string | undefined; fraction?: number }): void;
  onChange(run: (operation: Operation) => void): void;
}

function createJob(id: string, kind: Operation['kind'], ref: ArtifactRef, startedAt: number): ReadJob {
  const end = new AbortController();
  let operation: Operation = { id, kind, title: `Reading ${ref.name} (${bytes(ref.bytes)})`, state: 'running', note: 'waiting for its turn', fraction: 0, startedAt };
  let told: (operation: Operation) => void = () => undefined;
  return {
    cancelled: end.signal,
    operation: () => operation,
    cancel: () => { end.abort(); },
    enough: () => { end.abort(); },                            // half a reading is none
    set({ note, ...patch }) {
      if (operation.state !== 'running') return;
      const { note: before, ...rest } = operation;
      const next = patch.state === undefined ? note ?? before : note;
      operation = { ...rest, ...patch, ...(next === undefined ? {} : { note: next }) };
      told(operation);
    },
    onChange(run) { told = run; },
  };
}
