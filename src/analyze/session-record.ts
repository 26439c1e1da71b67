// Owns the record of a running session: every change is published, and every transition is on disk soon after it happened.
import { codeOf, DiagError, sayError } from '../shared/errors.ts';
import type { Session, Step } from '../shared/model.ts';
import type { Clock } from '../platform/clock.ts';
import type { SessionStore } from '../store/store.ts';

/** Progress within a step is shown at most this often: an eye sees no more, and each one goes to every page. */
const SHOWN_EVERY_MS = 250;
/** Progress within a step is saved at most this often: the home is a network share. */
const SAVED_EVERY_MS = 5_000;

/** A diagnoser and an analyzer may have the same id. */
export type StepKey = Pick<Step, 'stage' | 'id'>;

export interface SessionRecord {
  readonly session: Session;
  change(patch: Partial<Session>): void;
  /** A new state of a step: shown and saved at once. */
  step(which: StepKey, patch: Partial<Step>): void;
  /** Progress within a step: shown and saved now and then. */
  progress(which: StepKey, note: string, fraction?: number): void;
  /** What is known now is on disk when this resolves. @throws what the store throws */
  saved(): Promise<void>;
  /** The last fault of a save that nobody waited for. */
  readonly fault: string | undefined;
}

export function createRecord(first: Session, given: { sessions: Pick<SessionStore, 'save'>; clock: Clock; show(session: Session): void }): SessionRecord {
  let session = first;
  let saving: Promise<void> | undefined;
  let dirty = false;
  let fault: string | undefined;
  let shownAt = -Infinity;
  let savedAt = -Infinity;
  const show = (): void => { shownAt = given.clock.monotonic(); given.show(session); };
  const write = async (): Promise<void> => {
    while (dirty) {
      dirty = false;
      savedAt = given.clock.monotonic();
      await given.sessions.save(session);
    }
  };
  /** One write at a time; what changed meanwhile is in the next. */
  const save = (): Promise<void> => {
    dirty = true;
    saving ??= write().finally(() => { saving = undefined; });
    return saving;
  };
  const saveSoon = (): void => { save().then(() => { fault = undefined; }, (error: unknown) => { fault = sayError(error); }); };
  const patchStep = (which: StepKey, patch: Partial<Step>): void => {
    session = { ...session, steps: session.steps.map((s) => (s.stage === which.stage && s.id === which.id ? { ...s, ...patch } : s)) };
  };
  return {
    get session() { return session; },
    get fault() { return fault; },
    change(patch) { session = { ...session, ...patch }; show(); saveSoon(); },
    step(which, patch) { patchStep(which, patch); show(); saveSoon(); },
    progress(which, note, fraction) {
      patchStep(which, { note, ...(fraction !== undefined && { fraction: Math.min(1, Math.max(0, fraction)) }) });
      const now = given.clock.monotonic();
      if (now - shownAt >= SHOWN_EVERY_MS) show();
      if (now - savedAt >= SAVED_EVERY_MS) saveSoon();
    },
    async saved() {
      await save();
      if (dirty) await save();
    },
  };
}

/** Code and sentence of an error, with the next step where the catalog has one. */
export function saidOf(error: unknown): { code: string; because: string } {
  const next = error instanceof DiagError ? error.next : undefined;
  return { code: codeOf(error), because: next === undefined ? sayError(error) : `${sayError(error)} ${next}` };
}
