// Owns the dump that hardly stops its process: memory is copied while it runs, the kernel tells what was written meanwhile, and the process stands still for the last of it alone.
import { closeSync, openSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { memoryOf, refuseUnfit } from './facts.ts';
import { stepper } from './faults.ts';
import type { Writing } from './faults.ts';
import type { CorePlan } from './core-file.ts';
import type { Libc } from './libc.ts';
import { notesOf } from './notes.ts';
import type { ProcessFacts } from './notes.ts';
import { orPutBack, putBack } from './put-back.ts';
import type { Target } from './put-back.ts';
import { parseMaps } from './ranges.ts';
import type { KnownLines, Mapping, Range } from './ranges.ts';
import { Refused } from './refused.ts';
import { PAUSE_LIMIT_BYTES, demandTrackingRoom } from './room.ts';
import { say } from './say.ts';
import { demandSame, withTarget } from './target.ts';
import { Threads } from './threads.ts';
import type { Thread } from './threads.ts';
import { TrackedCore } from './tracked-core.ts';
import { missingOf, paced } from './write-core.ts';
import type { Pace } from './write-core.ts';
import { STAYS_OPEN, WrittenPages } from './written-pages.ts';
import type { Run } from './written-pages.ts';

/** So little is left for the pause without another round. */
const FEW_BYTES = 16 * 1024 * 1024;
/** A round that copies more than this share of the one before brings no gain: the process writes as fast as we copy. */
const GAIN_SHARE = 0.7;
const ROUNDS = 6;
/** Pauses in which more was to be read than may be. */
const TRIES = 3;
const REHEARSALS = 2;

interface Work {
  readonly libc: Libc;
  readonly order: Writing;
  readonly record: WrittenPages;
  readonly core: TrackedCore;
  readonly facts: ProcessFacts;
  readonly pace: Pace;
}

/** @throws Refused where the kernel has no such record, or the process writes too much; then another way is taken */
export async function trackAndWrite(libc: Libc, order: Writing, stopped: () => void): Promise<void> {
  const { pid } = order;
  const step = stepper(order);
  refuseUnfit(pid);
  demandTrackingRoom(pid);
  await withTarget(libc, order, step, async ({ facts, before, target }) => {
    stopped();
    const { record, left } = await orPutBack(target, () => recordOf(target));
    const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
    let isWhole = false;
    let core: TrackedCore | undefined;
    try {
      core = new TrackedCore({ libc, pid, mem: target.mem, pagemap, file: order.file }, record, before, new Threads(libc, pid).everyone().length);
      const pace = { ofBytes: Math.max(1, memoryOf(pid).residentBytes), watch: pid, stopped, step };
      const { plan, pausedMs } = await copied({ libc, order, record, core, facts, pace });
      isWhole = true;
      say({ say: 'done', bytes: plan.sizeBytes, pausedMs, missing: missingOf(plan), left });
    } finally {
      core?.close(isWhole);
      record.close();
      closeSync(pagemap);
    }
  });
}

/** Nothing of ours is in the target when this is done: neither a descriptor nor code. */
async function recordOf(target: Target): Promise<{ readonly record: WrittenPages; readonly left: readonly string[] }> {
  const record = await WrittenPages.open(target);
  const left = await putBack(target, []);
  return { record, left: record.staysOpen ? [...left, STAYS_OPEN] : left };
}

async function copied(work: Work): Promise<{ readonly plan: CorePlan; readonly pausedMs: number }> {
  const { core, facts, pace, record, order: { pid } } = work;
  let pausedMs = 0;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const rest = await rounds(work);
    if (rest > PAUSE_LIMIT_BYTES) break;
    core.prepare(Math.min(PAUSE_LIMIT_BYTES, rest * 2 + FEW_BYTES));
    const moment = pause(work);
    pausedMs = Math.max(pausedMs, moment.pausedMs);
    if (moment.last === undefined) continue;
    // The record is done; what the app writes from now on costs it nothing any more.
    record.close();
    pace.step('record closed');
    await paced(core.putLast(moment.last, moment.runs, moment.mappings), pace, pace.ofBytes);
    const plan = core.finish(moment.mappings, notesOf(facts, moment.threads, moment.mappings));
    pace.step('core written');
    return { plan, pausedMs };
  }
  throw new Refused('busy', `process ${pid} writes memory faster than it can be copied`);
}

/** Copies until little is left. Bytes of the last round: about what is written in the time of one. */
async function rounds({ core, pace, order: { pid } }: Work): Promise<number> {
  const lines: KnownLines = new Map();
  let last = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const size = await paced(core.round(mappingsOf(pid, lines)), pace);
    pace.step('round copied');
    if (size <= FEW_BYTES || size > last * GAIN_SHARE) return size;
    last = size;
  }
  return last;
}

interface Moment {
  readonly pausedMs: number;
  readonly threads: readonly Thread[];
  readonly mappings: readonly Mapping[];
  readonly runs: readonly Run[];
  /** What was read in the pause; undefined: more was to be read than the process may stand still for. */
  readonly last: readonly Range[] | undefined;
}

function pause({ libc, order, record, core, pace: { step } }: Work): Moment {
  const { pid } = order;
  const threads = new Threads(libc, pid);
  const lines: KnownLines = new Map();
  for (let i = 0; i < REHEARSALS; i += 1) core.wanted(record.all(), mappingsOf(pid, lines));
  globalThis.gc?.();
  try {
    threads.seize();
    step('seized');
    const began = performance.now();
    threads.stop();
    demandSame(order);
    step('stopped');
    threads.look();
    step('registers read');
    const mappings = mappingsOf(pid, lines);
    const runs = record.all();
    const wanted = core.wanted(runs, mappings);
    step('changes listed');
    const isMuch = wanted.reduce((sum, { from, to }) => sum + to - from, 0) > core.preparedBytes;
    if (!isMuch) core.read(wanted);
    step('changes read');
    const all = threads.stopped;
    threads.letGo(pid);
    const pausedMs = performance.now() - began;
    step('main thread let go');
    threads.letAllGo();
    return { pausedMs, threads: all, mappings, runs, last: isMuch ? undefined : wanted };
  } finally {
    threads.letAllGo();
    step('all let go');
  }
}

function mappingsOf(pid: number, lines: KnownLines): Mapping[] {
  const mappings = parseMaps(readFileSync(`/proc/${pid}/maps`, 'latin1'), lines);
  if (mappings.length === 0) throw new Refused('gone', 'the process ended while it was copied');
  return mappings;
}
