// Owns one "Diagnose now" from click to report: what was asked, the steps, the end, and the record that survives a kill.
import { codeOf, DiagError } from '../shared/errors.ts';
import type { DiagnoserChoice, ProcessInfo, ProcessKey, Session, SessionState, Step } from '../shared/model.ts';
import type { Platform } from '../platform/platform.ts';
import type { Store } from '../store/store.ts';
import type { Observed } from '../observe/observe.ts';
import { choose } from './choose.ts';
import { collectAll, ENOUGH, LIMITS, type Chosen, type Limits } from './collect.ts';
import type { Analyzer, Diagnoser } from './contracts.ts';
import { givenOf, type Placed } from './readers.ts';
import { finalReport } from './final-report.ts';
import { speakEarly } from './provisional.ts';
import { reportHtml } from './report-html.ts';
import { runAnalyzers, type Judged } from './run-analyzers.ts';
import { createRecord, saidOf, type SessionRecord } from './session-record.ts';
import { meant } from './target.ts';

/** How far back a session looks when nobody says. */
const DEFAULT_MINUTES = 15;
/** Records, report and the small artifacts; what is bigger asks for itself. */
const SESSION_BYTES = 16 * 1024 * 1024;

export interface SessionsGiven {
  readonly platform: Platform;
  readonly store: Store;
  readonly observed: Observed;
  readonly diagnosers: readonly Diagnoser[];
  readonly analyzers: readonly Analyzer[];
  /** Path of the built worker entry; absent: analyzers run in this thread. */
  readonly thread?: string | undefined;
  readonly toolVersion: string;
  readonly reportCss: string;
  readonly limits?: Partial<Limits>;
}

export interface SessionChoice {
  readonly diagnosers?: readonly DiagnoserChoice[] | undefined;   // absent: the preselected ones
  readonly target?: ProcessKey | undefined;                       // absent: the site's worker, followed when it is replaced
  readonly minutes?: number | undefined;
  readonly reason?: string | undefined;
  readonly askedBy: string;
}

export interface RunningSession {
  /** The session as it is now. */
  readonly session: Session;
  /** Its end, whatever that is. Never rejects. */
  readonly done: Promise<Session>;
  /** Stop and leave nothing but the record. */
  cancel(): void;
  /** Stop collecting, keep what is there, go on to the report. */
  enough(): void;
}

export interface Sessions {
  /** @throws OPERATION_BUSY, DIAGNOSER_UNKNOWN, BAD_INPUT, PROCESS_GONE, PROCESS_REUSED, PROCESS_OURS, NO_ROOM */
  start(choice: SessionChoice): Promise<RunningSession>;
  active(): RunningSession | undefined;
  /** Called with each change of each session; returns what ends that. The listener must not throw. */
  onChange(listener: (session: Session) => void): () => void;
  /** Resolves when no session runs. */
  idle(): Promise<void>;
  /** Nobody here works on this session, whatever its record says. */
  isOver(id: string): boolean;
}

export function createSessions(given: SessionsGiven): Sessions {
  const listeners = new Set<(session: Session) => void>();
  let active: RunningSession | undefined;
  let starting = false;
  const begin = async (choice: SessionChoice): Promise<RunningSession> => {
    const prepared = await prepare(given, choice);
    const record = createRecord(prepared.session, { sessions: given.store.sessions, clock: given.platform.clock, show: (session) => { for (const listener of listeners) listener(session); } });
    await record.saved();
    record.change({});                                         // shown first when it is on disk
    const running = run(given, prepared, record);
    active = running;
    void running.done.finally(() => { active = undefined; });
    return running;
  };
  return {
    async start(choice) {
      if (starting || active) throw new DiagError('OPERATION_BUSY', { what: 'A session', operation: active?.session.id ?? 'starting' });
      starting = true;
      try {
        return await begin(choice);
      } finally {
        starting = false;
      }
    },
    active: () => active,
    onChange(listener) { listeners.add(listener); return () => { listeners.delete(listener); }; },
    async idle() { await active?.done; },
    isOver: (id) => !starting && active?.session.id !== id,
  };
}

interface Prepared { readonly session: Session; readonly chosen: readonly Chosen[]; readonly asked: readonly string[]; readonly target: ProcessInfo | undefined; readonly window: { readonly from: number; readonly to: number } }

async function prepare(given: SessionsGiven, choice: SessionChoice): Promise<Prepared> {
  const { chosen, asked } = choose(given.diagnosers, choice.diagnosers);
  const signal = AbortSignal.timeout(LIMITS.graceMs);
  const target = choice.target ? meant(await given.platform.processes(signal), choice.target) : undefined;
  await given.store.artifacts.demand('A session', SESSION_BYTES);
  const id = await given.store.sessions.nextId();
  const madeAt = given.platform.clock.now();
  const session: Session = {
    version: 1, id, madeAt, state: 'running', askedBy: choice.askedBy, ...(choice.reason !== undefined && { reason: choice.reason }),
    instance: given.platform.host.app.instance, ...(target && { target: { pid: target.pid, startedAt: target.startedAt } }),
    diagnosers: chosen.map(({ diagnoser, given: options }) => ({ id: diagnoser.id, ...(options && { options }) })),
    steps: [...chosen.map(({ diagnoser }) => waiting('collect', diagnoser)), ...given.analyzers.map((analyzer) => waiting('analyze', analyzer))],
    artifacts: [], pinned: false, report: false,
  };
  return { session, chosen, asked, target, window: { from: madeAt - (choice.minutes ?? DEFAULT_MINUTES) * 60_000, to: madeAt } };
}

function waiting(stage: Step['stage'], of: { readonly id: string; readonly title: string }): Step {
  return { id: of.id, stage, title: of.title, state: 'waiting' };
}

function run(given: SessionsGiven, prepared: Prepared, record: SessionRecord): RunningSession {
  const cancel = new AbortController();
  const enough = new AbortController();
  const cancelled = new DiagError('CANCELLED', { what: 'The session' });
  return {
    get session() { return record.session; },
    done: walk(given, prepared, record, cancel.signal, enough.signal),
    cancel() { cancel.abort(cancelled); },
    enough() { enough.abort(new DiagError('CANCELLED', { what: 'Collecting' })); },
  };
}

/** Collect, judge, report. Whatever fails, the record ends in a state that says so. */
async function walk(given: SessionsGiven, prepared: Prepared, record: SessionRecord, cancel: AbortSignal, enough: AbortSignal): Promise<Session> {
  const limits = { ...LIMITS, ...given.limits };
  try {
    const last = await collected(given, prepared, record, { limits, cancel, enough });
    const placed = await placedOf(given.store, record.session);
    const step = (id: string, patch: Partial<Step>): void => { record.step({ stage: 'analyze', id }, patch); };
    const { findings, diagnosis, http } = await runAnalyzers({ analyzers: given.analyzers, artifacts: placed, window: prepared.window, thread: given.thread, clock: given.platform.clock, limitMs: limits.analyzerMs, cancel, step });
    cancel.throwIfAborted();
    await report(given, prepared, record, { findings, diagnosis, http, placed, target: last });
    await record.saved();
  } catch (error) {
    await (cancel.aborted ? leaveNothing(given, record) : fail(given, record, error));
  }
  return record.session;
}

/** Collects; meanwhile the causes are judged once over what is there, so that a first word comes soon. */
async function collected(given: SessionsGiven, prepared: Prepared, record: SessionRecord, how: { limits: Limits; cancel: AbortSignal; enough: AbortSignal }): Promise<ProcessInfo | undefined> {
  const over = new AbortController();
  const early = speakEarly({ ...given, record, window: prepared.window, placed: () => placedOf(given.store, record.session), signal: AbortSignal.any([over.signal, how.cancel]) });
  try {
    return await collectAll({ ...given, ...prepared, asked: prepared.target, record, ...how });
  } finally {
    over.abort(new DiagError('CANCELLED', { what: 'The first word' }));
    await early;
  }
}

async function placedOf(store: Store, session: Session): Promise<readonly Placed[]> {
  return Promise.all(session.artifacts.map(async (ref) => ({ ref, path: await store.artifacts.path(ref) })));
}

async function report(given: SessionsGiven, prepared: Prepared, record: SessionRecord, what: Judged & { placed: readonly Placed[]; target: ProcessInfo | undefined }): Promise<void> {
  const session: Session = { ...record.session, state: stateOf(record.session, prepared.asked), endedAt: given.platform.clock.now(), report: true };
  const made = await finalReport({
    session, app: given.platform.host.app, toolVersion: given.toolVersion, ...(what.target && { target: what.target }),
    window: prepared.window, findings: what.findings, diagnosis: what.diagnosis, http: what.http, readers: givenOf(what.placed),
  });
  await given.store.sessions.saveReport(made, reportHtml(made, given.reportCss));
  record.change({ state: session.state, ...(session.endedAt !== undefined && { endedAt: session.endedAt }), report: true, headline: made.headline.text });
}

/** Judged by what was asked for: what is always collected and free would make every session look successful. */
export function stateOf(session: Session, asked: readonly string[]): SessionState {
  const steps = session.steps.filter((s) => s.stage === 'collect' && asked.includes(s.id));
  const failed = steps.filter((s) => s.state === 'failed').length;
  const done = steps.filter((s) => s.state === 'done').length;
  const stopped = steps.some((s) => s.state === 'cancelled' || (s.state === 'skipped' && s.because === ENOUGH));
  if (done === 0 && !stopped) return 'failed';
  const unjudged = session.steps.some((s) => s.stage === 'analyze' && s.state === 'failed');
  return failed > 0 || unjudged ? 'partial' : 'done';
}

/** Only the record is left, and it says cancelled. */
async function leaveNothing(given: SessionsGiven, record: SessionRecord): Promise<void> {
  const steps = record.session.steps.map((s): Step => (s.state === 'waiting' || s.state === 'running' ? { ...s, state: 'cancelled', because: 'cancelled' } : s));
  record.change({ state: 'cancelled', endedAt: given.platform.clock.now(), steps, artifacts: [] });
  await settle(given, record, async () => {
    await record.saved();
    await given.store.sessions.remove(record.session.id);
    await record.saved();
  });
}

/** The report itself could not be made, or the disk is full: said in the record as far as it can still be written. */
async function fail(given: SessionsGiven, record: SessionRecord, error: unknown): Promise<void> {
  const { code, because } = saidOf(error);
  const step: Step = { id: 'report', stage: 'analyze', title: 'Report', state: 'failed', code, because };
  record.change({ state: 'failed', endedAt: given.platform.clock.now(), steps: [...record.session.steps, step], headline: `The session failed: ${because}` });
  await settle(given, record, () => record.saved());
}

/** How soon a record that the disk did not take is offered again. */
const AGAIN_MS = 10_000;

/** A record that cannot be written keeps its state in memory and is written as soon as it can be; if we end before, it counts as interrupted. */
async function settle(given: SessionsGiven, record: SessionRecord, write: () => Promise<void>): Promise<void> {
  const [written] = await Promise.allSettled([write()]);
  if (written.status === 'fulfilled') return;
  const { headline } = record.session;
  record.change({ headline: `The record of this session could not be written: ${saidOf(written.reason).because}` });
  void writeLater(given, record, headline);
}

async function writeLater({ platform, store }: SessionsGiven, record: SessionRecord, headline: string | undefined): Promise<void> {
  for await (const _ of platform.clock.every(AGAIN_MS, NEVER)) {
    void _;
    const [there] = await Promise.allSettled([store.sessions.get(record.session.id)]);
    if (there.status === 'rejected' && codeOf(there.reason) === 'SESSION_UNKNOWN') return;   // deleted meanwhile
    const [written] = await Promise.allSettled([record.saved()]);
    if (written.status === 'rejected') continue;
    record.change({ headline });
    return;
  }
}

/** Such a timer keeps no process alive. */
const NEVER = new AbortController().signal;
