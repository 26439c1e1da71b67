// Owns the collecting half of a session: one diagnoser after the other, each within its time, none able to end the session.
import { codeOf } from '../shared/errors.ts';
import type { ProcessInfo, Session, Step } from '../shared/model.ts';
import { duration } from '../shared/units.ts';
import type { Platform, Variable } from '../platform/platform.ts';
import type { ArtifactWriter, Store } from '../store/store.ts';
import type { Observed } from '../observe/observe.ts';
import type { Collecting, Diagnoser } from './contracts.ts';
import { deadline, orAbandoned } from './deadline.ts';
import { makeMasker, type Masker } from './masker.ts';
import { saidOf, type SessionRecord, type StepKey } from './session-record.ts';
import { stepWriter } from './step-writer.ts';
import { workerOf } from './target.ts';

export interface Limits {
  /** One diagnoser; one that pauses the app (a dump of many GiB) has its own. */
  readonly stepMs: number;
  readonly pausingStepMs: number;
  /** All diagnosers together, as DaaS had it. */
  readonly sessionMs: number;
  readonly analyzerMs: number;
  /** How long a diagnoser may take to stop when it was told to. */
  readonly graceMs: number;
}
export const LIMITS: Limits = { stepMs: 300_000, pausingStepMs: 600_000, sessionMs: 3_600_000, analyzerMs: 120_000, graceMs: 5_000 };

/** options: parsed; given: as asked, for the record. */
export interface Chosen { readonly diagnoser: Diagnoser; readonly options: unknown; readonly given?: Record<string, unknown> }

export const ENOUGH = 'you said that there is enough';
export interface Collection {
  readonly platform: Platform;
  readonly store: Store;
  readonly observed: Observed;
  readonly record: SessionRecord;
  readonly chosen: readonly Chosen[];
  readonly asked: ProcessInfo | undefined;
  readonly window: { readonly from: number; readonly to: number };
  readonly limits: Limits;
  readonly cancel: AbortSignal;
  readonly enough: AbortSignal;
}

/** Other processes whose secrets are looked up beside the target's: they share its settings, and one of them always lives in a crash loop. */
const MAX_ENVIRONMENTS = 8;

/** Runs all chosen diagnosers. Returns the target of the last that had one, masked. @throws only when cancelled */
export async function collectAll(given: Collection): Promise<ProcessInfo | undefined> {
  const { clock } = given.platform;
  const whole = deadline(clock, 'The session', given.limits.sessionMs, given.cancel);
  const targets = follower(given);
  const masks = maskFollower(given);
  const writer = given.store.artifacts.writer(given.record.session.id);
  try {
    for (const { diagnoser, options } of given.chosen) {
      given.cancel.throwIfAborted();
      const unable = given.enough.aborted ? ENOUGH : whole.expired ? `the session's limit of ${duration(given.limits.sessionMs)} was reached` : undefined;
      if (unable !== undefined) { given.record.step(keyOf(diagnoser), { state: 'skipped', because: unable }); continue; }
      const target = await targets.now();
      const mask = await masks.of(target, targets.processes);
      given.cancel.throwIfAborted();
      await collectOne(given, { diagnoser, options, target, mask, writer, outer: whole.signal });
      given.record.change({ artifacts: [...writer.refs] });
    }
  } finally {
    whole.end();
  }
  given.cancel.throwIfAborted();
  const studied = targets.last ?? given.asked;
  return studied && shown(studied, await masks.of(studied, targets.processes));
}

/** As it may stand in a report: the platform masks a command line by its form only. */
function shown(info: ProcessInfo, mask: Masker): ProcessInfo {
  return info.commandLine === undefined ? info : { ...info, commandLine: mask.text(info.commandLine).text };
}

interface One { readonly diagnoser: Diagnoser; readonly options: unknown; readonly target: ProcessInfo | undefined; readonly mask: Masker; readonly writer: ArtifactWriter; readonly outer: AbortSignal }

async function collectOne(given: Collection, one: One): Promise<void> {
  const { record, platform } = given;
  const step = keyOf(one.diagnoser);
  const offer = one.diagnoser.offered(one.target, platform);
  if (!offer.yes) { record.step(step, { state: 'skipped', because: offer.because ?? 'it is not possible here' }); return; }
  const startedAt = platform.clock.now();
  const began = platform.clock.monotonic();
  const took = (): number => Math.round(platform.clock.monotonic() - began);
  record.step(step, { state: 'running', startedAt });
  const limitMs = one.diagnoser.cost === 'pauses-app' ? given.limits.pausingStepMs : given.limits.stepMs;
  const limit = deadline(platform.clock, one.diagnoser.title, limitMs, one.outer);
  const artifacts = stepWriter(one.writer);
  try {
    const work = one.diagnoser.collect(running(given, one, artifacts, limit.signal));
    await orAbandoned(platform.clock, work, limit.signal, given.limits.graceMs);
    record.step(step, { state: 'done', fraction: 1, tookMs: took() });
  } catch (error) {
    if (given.cancel.aborted) { record.step(step, { state: 'cancelled', because: 'cancelled', tookMs: took() }); throw error; }
    record.step(step, { ...ending(error, given.enough, limit.signal), tookMs: took() });
  } finally {
    limit.end();
    await artifacts.close();
  }
}

function running(given: Collection, one: One, artifacts: Collecting['artifacts'], cancel: AbortSignal): Collecting {
  return {
    target: one.target, options: one.options, window: given.window, platform: given.platform, observed: given.observed, history: given.store.history,
    artifacts, mask: one.mask, cancel, enough: given.enough,
    demand: (what, needBytes) => given.store.artifacts.demand(what, needBytes),
    progress: (note, fraction) => { if (!cancel.aborted) given.record.progress(keyOf(one.diagnoser), note, fraction); },
  };
}

/** How a step that threw has ended: told it was enough, out of time, or failed with its own reason and remedy. */
function ending(error: unknown, enough: AbortSignal, limit: AbortSignal): Partial<Step> {
  const reason: unknown = limit.aborted ? limit.reason : error;
  if (!limit.aborted && enough.aborted && codeOf(error) === 'CANCELLED') return { state: 'cancelled', because: 'you said that there is enough before it was whole' };
  return { state: 'failed', ...saidOf(reason) };
}

/** Follows the worker: a crash loop replaces it in mid-session. A process that was asked for by pid and start is never replaced. */
function follower(given: Collection): { now(): Promise<ProcessInfo | undefined>; readonly last: ProcessInfo | undefined; readonly processes: readonly ProcessInfo[] } {
  let target: ProcessInfo | undefined;
  let processes: readonly ProcessInfo[] = [];
  return {
    get last() { return target; },
    get processes() { return processes; },
    async now() {
      processes = await processesNow(given);
      if (given.asked) { target = given.asked; return target; }
      const alive = target && processes.some((p) => p.pid === target?.pid && p.startedAt === target.startedAt);
      const next = alive ? target : workerOf(processes);
      if (next && next !== target) given.record.change(firstTarget(given.record.session, next));
      target = next ?? target;
      return next;
    },
  };
}

/** The session's target is the first process it studied. */
function firstTarget(session: Session, target: ProcessInfo): Partial<Session> {
  return session.target ? {} : { target: { pid: target.pid, startedAt: target.startedAt } };
}

const keyOf = (diagnoser: Diagnoser): StepKey => ({ stage: 'collect', id: diagnoser.id });

/** None when they cannot be read: the process list's own step says why. */
async function processesNow(given: Collection): Promise<readonly ProcessInfo[]> {
  if (!given.platform.can('processes').yes) return [];
  const [read] = await Promise.allSettled([given.platform.processes(given.cancel)]);
  given.cancel.throwIfAborted();
  return read.status === 'fulfilled' ? read.value : [];
}

/** The masker of the session: learns the secrets of each new worker, and forgets none. */
function maskFollower(given: Collection): { of(target: ProcessInfo | undefined, processes: readonly ProcessInfo[]): Promise<Masker> } {
  const known = new Map<string, Variable>();
  let mask: Masker | undefined;
  let learnedFrom: ProcessInfo | undefined;
  return {
    async of(target, processes) {
      if (mask && (target === undefined || target === learnedFrom)) return mask;
      learnedFrom = target;
      for (const variable of await variablesOf(given, target, processes)) known.set(`${variable.name}=${variable.value}`, variable);
      mask = makeMasker([...known.values()]);
      return mask;
    },
  };
}

/** The environments of the site's processes that let us read them, the target's first. */
async function variablesOf(given: Collection, target: ProcessInfo | undefined, processes: readonly ProcessInfo[]): Promise<readonly Variable[]> {
  if (!given.platform.can('environment').yes) return [];
  const site = processes.filter((p) => p.ours !== true);
  const first = target ? [target] : [];
  const pids = [...new Set([...first, ...site].map((p) => p.pid))].slice(0, MAX_ENVIRONMENTS);
  const settled = await Promise.allSettled(pids.map(async (pid) => given.platform.environment(pid, given.cancel)));   // a process that went, or does not let us: the patterns still mask
  return settled.flatMap((s) => (s.status === 'fulfilled' ? s.value : []));
}
