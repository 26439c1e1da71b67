// Owns memory dumps that are asked for by address: each a job with a file of its own that can be waited for, asked again and fetched in parts, and that goes after a while.
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Operation } from '../../shared/api.ts';
import { codeOf, DiagError, sayError } from '../../shared/errors.ts';
import type { ProcessInfo } from '../../shared/model.ts';
import { bytes } from '../../shared/units.ts';
import { demandRoom } from '../../mitigate/dump-take.ts';
import type { DumpKind } from '../../platform/platform.ts';
import type { Parts } from '../agent.ts';

export interface DumpJob {
  readonly id: string;
  readonly target: ProcessInfo;
  readonly kind: DumpKind;
  readonly startedAt: number;
  state: Operation['state'];
  note: string;
  sizeBytes?: number;
  /** There when state is done. */
  readonly path: string;
  error?: unknown;
  /** Resolves when the job is over, however. */
  readonly over: Promise<void>;
}

export interface Dumps {
  /** Joins the one that is being taken of this process already. @throws TOO_MANY, NO_ROOM, CAPABILITY_MISSING, PROCESS_OURS */
  start(target: ProcessInfo, kind: DumpKind, who: string): Promise<DumpJob>;
  /** @throws OPERATION_UNKNOWN */
  get(id: string, pid: number): DumpJob;
  /** Removes what is kept. */
  close(): Promise<void>;
}

/** A dump stops its process and fills the disk: one after the other is faster than many at once. */
const MAX_AT_ONCE = 2;
/** A client that lost its connection comes back for the rest; then nobody does. */
const KEPT_MS = 30 * 60_000;
const KEPT_DUMPS = 4;
const SWEEP_EVERY_MS = 60_000;
/** The estimate is of the moment it was made; a growing process may write more. */
const MARGIN = 1.1;
const FOLDER = 'dumps-by-address';
/** Left by an agent that was killed. */
const STALE_MS = 2 * KEPT_MS;

export function createDumps(parts: Pick<Parts, 'platform' | 'audit' | 'operations' | 'operationFeed' | 'log'>, ending: AbortSignal): Dumps {
  const { platform } = parts;
  const folder = join(platform.host.folders.temp, FOLDER);
  const jobs = new Map<string, DumpJob & { endedAt?: number }>();
  const drop = async (job: DumpJob): Promise<void> => { jobs.delete(job.id); await rm(job.path, { force: true }); };
  const swept = keepTidy(parts, folder, jobs, drop, ending);
  return {
    async start(target, kind, who) {
      const same = [...jobs.values()].find((job) => job.state === 'running' && job.target.pid === target.pid && job.target.startedAt === target.startedAt && job.kind === kind);
      if (same !== undefined) return same;
      if (target.ours === true) throw new DiagError('PROCESS_OURS', { pid: target.pid });
      const possible = platform.can('memory-dump');
      if (!possible.yes) throw new DiagError('CAPABILITY_MISSING', { what: 'A memory dump', because: possible.because });
      if ([...jobs.values()].filter(({ state }) => state === 'running').length >= MAX_AT_ONCE) throw new DiagError('TOO_MANY', { what: 'memory dumps', limit: MAX_AT_ONCE });
      const job = begin(parts, folder, target, kind, ending, who);
      jobs.set(job.id, job);
      const ended = [...jobs.values()].filter(({ state }) => state !== 'running');
      for (const old of ended.slice(0, Math.max(0, ended.length - KEPT_DUMPS + 1))) await drop(old);
      return job;
    },
    get(id, pid) {
      const job = jobs.get(id);
      if (job === undefined || job.target.pid !== pid) throw new DiagError('OPERATION_UNKNOWN', { operation: id });
      return job;
    },
    async close() {
      await swept;
      for (const job of jobs.values()) { await job.over; await rm(job.path, { force: true }); }
    },
  };
}

function begin({ platform, audit, operations, operationFeed }: Pick<Parts, 'platform' | 'audit' | 'operations' | 'operationFeed'>, folder: string, target: ProcessInfo, kind: DumpKind, ending: AbortSignal, who: string): DumpJob & { endedAt?: number } {
  const stop = new AbortController();
  const id = `dump-${randomBytes(12).toString('hex')}`;         // whoever knows it can fetch the file, with the token
  const what = `process ${target.pid} (${target.name}), ${kind}`;
  let settle: () => void = () => undefined;
  const job: DumpJob & { endedAt?: number } = { id, target, kind, startedAt: platform.clock.now(), state: 'running', note: 'measures', path: join(folder, `${id}.dmp`), over: new Promise((resolve) => { settle = resolve; }) };
  const operation = (): Operation => ({ id, kind: 'dump', title: `Memory dump of ${what}`, state: job.state, note: job.note, startedAt: job.startedAt });
  operations.add({ operation, cancel: () => { stop.abort(); }, enough: () => { stop.abort(); } });
  operationFeed.publish(operation());
  void taken().finally(() => { operationFeed.publish(operation()); settle(); });
  return job;

  async function taken(): Promise<void> {
    const signal = AbortSignal.any([stop.signal, ending]);
    const key = { pid: target.pid, startedAt: target.startedAt };
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await demandRoom(folder, 'A memory dump', Math.ceil(await platform.dumpEstimate(key, signal, kind) * MARGIN));
      const made = await platform.dump(key, job.path, signal, kind, (done, of) => { job.note = `${bytes(done)} of about ${bytes(Math.max(done, of))} written`; });
      Object.assign(job, { state: 'done', note: `${bytes(made.bytes)} by ${made.engine}${made.note === undefined ? '' : `; ${made.note}`}`, sizeBytes: made.bytes });
    } catch (error) {
      Object.assign(job, { state: codeOf(error) === 'CANCELLED' ? 'cancelled' : 'failed', note: sayError(error), error });
    } finally {
      job.endedAt = platform.clock.now();
    }
    await audit(who, 'dump', what, `${job.state}: ${job.note}`);
  }
}

/** What a killed agent left, at the start; then what is old, each minute. */
async function keepTidy({ platform: { clock }, log }: Pick<Parts, 'platform' | 'log'>, folder: string, jobs: ReadonlyMap<string, DumpJob & { endedAt?: number }>, drop: (job: DumpJob) => Promise<void>, ending: AbortSignal): Promise<void> {
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') log.error('old dumps could not be removed', { folder }, error);
    }
  };
  await attempt(async () => {
    for (const name of await readdir(folder)) if (clock.now() - (await stat(join(folder, name))).mtimeMs > STALE_MS) await rm(join(folder, name), { force: true });
  });
  for await (const _ of clock.every(SWEEP_EVERY_MS, ending)) {
    void _;
    for (const job of jobs.values()) if (job.endedAt !== undefined && clock.now() - job.endedAt > KEPT_MS) await attempt(() => drop(job));
  }
}
