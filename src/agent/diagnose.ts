// Owns the start of a session as a long-running operation: its record, its progress for followers, its audit.
import type { z } from 'zod';
import type { Operation, SessionAccepted, StartSession } from '../shared/api.ts';
import type { Session, SessionState } from '../shared/model.ts';
import type { RunningSession } from '../analyze/session.ts';
import type { Parts } from './agent.ts';

export async function diagnoseWith(parts: Parts, choice: z.infer<typeof StartSession>, who: string): Promise<z.infer<typeof SessionAccepted>> {
  const { sessions, operations, sessionFeed, operationFeed, audit } = parts;
  const running = await sessions.start({ ...choice, askedBy: who });
  const { id } = running.session;
  const leave = sessions.onChange((session) => {
    if (session.id !== id) return;
    sessionFeed.publish(session);
    operationFeed.publish(operationOf(session));
  });
  const operation = operations.add({ operation: () => operationOf(running.session), cancel: () => { running.cancel(); }, enough: () => { running.enough(); } });
  operationFeed.publish(operation);
  publishStart(parts, running.session);
  void follow(parts, running, leave);
  await audit(who, 'diagnose', id, 'started');
  return { session: id, operation: operation.id };
}

/** Session ids hold an underscore; operation ids are letters, digits and dashes. */
function operationOf(session: Session): Operation {
  const step = session.steps.find((s) => s.state === 'running');
  const ended = session.steps.filter((s) => s.state !== 'waiting' && s.state !== 'running').length;
  return {
    id: `session-${session.id.replace('_', '-')}`,
    kind: 'session',
    title: `Diagnose now, session ${session.id}`,
    state: STATES[session.state],
    ...(step ? { note: step.note ? `${step.title}: ${step.note}` : step.title } : {}),
    ...(session.steps.length > 0 ? { fraction: (ended + (step?.fraction ?? 0)) / session.steps.length } : {}),
    session: session.id,
    startedAt: session.madeAt,
  };
}

const STATES: Readonly<Record<SessionState, Operation['state']>> = { running: 'running', done: 'done', partial: 'done', failed: 'failed', cancelled: 'cancelled', interrupted: 'failed' };

function publishStart({ observed }: Parts, session: Session): void {
  observed.publish({ id: `session:${session.id}`, at: session.madeAt, kind: 'session', level: 'neutral', title: `Diagnose now by ${session.askedBy}`, ...(session.reason ? { detail: session.reason } : {}) });
}

async function follow({ sessionFeed, operationFeed, audit, store, platform, log }: Parts, running: RunningSession, leave: () => void): Promise<void> {
  const session = await running.done;
  leave();
  sessionFeed.publish(session);
  operationFeed.publish(operationOf(session));
  await audit(session.askedBy, 'diagnose', session.id, session.state);
  try {
    await store.sessions.sweep(platform.clock.now());
  } catch (error) {
    log.error('the sweep of old sessions failed', {}, error);
  }
}
