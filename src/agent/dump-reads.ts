// Owns the reading of a session's dumps for the page: one at a time as a long-running job, what was read kept and given.
import type { Operation } from '../shared/api.ts';
import type { DumpRead } from '../shared/dump-read.ts';
import { DiagError, sayError } from '../shared/errors.ts';
import type { ArtifactRef } from '../shared/model.ts';
import { bytes } from '../shared/units.ts';
import { readingOf } from '../analyze/dump/reading.ts';
import { within } from '../platform/clock.ts';
import { openDumpReads, readingId, type DumpReads } from '../store/dump-reads.ts';
import { createTurns, type Turns } from '../store/turns.ts';
import type { Parts } from './agent.ts';
import { VERSION } from './config.ts';

/** A core of 16 GiB takes some ten seconds; what takes longer than this is no dump but a trap. */
const LIMIT_MS = 300_000;
type Named = Pick<ArtifactRef, 'session' | 'instance' | 'name'>;

export interface ReadDumps {
  /** @throws DUMP_NOT_READ when nobody asked for its reading yet, ARTIFACT_UNKNOWN, BAD_INPUT when it is no dump */
  get(named: Named): Promise<DumpRead>;
  /** Begins the reading, or gives the one that runs; done at once where it was read before. */
  start(named: Named, who: string): Promise<Operation>;
}

export function createReadDumps(parts: Parts, thread: string | undefined): ReadDumps {
  const kept = openDumpReads(parts.platform, VERSION);
  const turns = createTurns();
  const running = new Map<string, Operation>();
  return {
    async get(named) {
      const ref = await refOf(parts, named);
      const read = await kept.get(ref);
      if (read === undefined) throw new DiagError('DUMP_NOT_READ', { name: ref.name });
      return read;
    },
    async start(named, who) {
      const ref = await refOf(parts, named);
      const id = `dump-${readingId(ref, VERSION)}`;
      const now = running.get(id);
      if (now !== undefined) return now;
      const job = createJob(id, ref, parts.platform.clock.now());
      if (await kept.get(ref) !== undefined) { job.set({ state: 'done', fraction: 1 }); return parts.operations.add(job); }
      running.set(id, job.operation());
      parts.operations.add(job);
      job.onChange((operation) => { running.set(id, operation); parts.operationFeed.publish(operation); if (operation.state !== 'running') running.delete(id); });
      void run(parts, { kept, turns, thread }, job, ref);
      await parts.audit(who, 'read dump', `${ref.session}/${ref.instance}/${ref.name}`, 'started');
      return job.operation();
    },
  };
}

async function refOf({ store }: Parts, named: Named): Promise<ArtifactRef> {
  await store.artifacts.path(named);
  const ref = (await store.artifacts.list(named.session)).find((one) => one.instance === named.instance && one.name === named.name);
  if (ref === undefined) throw new DiagError('ARTIFACT_UNKNOWN', { session: named.session, name: named.name });
  if (ref.kind !== 'core-dump' && ref.kind !== 'minidump') throw new DiagError('BAD_INPUT', { why: `${ref.name} is no memory dump` });
  return ref;
}

/** Never throws: how it ended is the operation's state. */
async function run({ store }: Parts, { kept, turns, thread }: { kept: DumpReads; turns: Turns; thread: string | undefined }, job: ReadJob, ref: ArtifactRef): Promise<void> {
  try {
    const signal = within(LIMIT_MS, job.cancelled);
    // One at a time: each may take half a GiB and a whole processor. A cancelled one does not wait for its turn.
    await Promise.race([aborted(signal), turns.take(async () => {
      signal.throwIfAborted();
      const read = await readingOf({ path: await store.artifacts.path(ref), thread, signal, progress: ({ note, fraction }) => { job.set({ note, fraction }); } });
      job.set({ note: 'keeping what was read', fraction: 1 });
      if (!await kept.put(ref, read)) throw new DiagError('DUMP_UNREADABLE', { why: 'what it tells is larger than what the page shows; diag dump-read gives all of it' });
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

function createJob(id: string, ref: ArtifactRef, startedAt: number): ReadJob {
  const end = new AbortController();
  let operation: Operation = { id, kind: 'read-dump', title: `Reading ${ref.name} (${bytes(ref.bytes)})`, state: 'running', note: 'waiting for its turn', fraction: 0, startedAt };
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
