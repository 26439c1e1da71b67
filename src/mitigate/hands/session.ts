// Owns evidence as an action: a session of chosen diagnosers, awaited, with its id and files in the result.
import { DiagError, codeOf } from '../../shared/errors.ts';
import type { DiagnoserChoice, ProcessKey, Session } from '../../shared/model.ts';
import type { ActionResult, ActionStep } from '../../shared/rules.ts';
import type { Clock } from '../../platform/clock.ts';
import type { FiringContext, Hand } from '../rules/firing.ts';

/** One session at a time: somebody else's is waited for so long. */
const BUSY_MS = 600_000;
const AGAIN_MS = 1_000;
/** A session that the agent's end interrupted is begun again so often: what ends the agent twice may be the session. */
const TRIES = 2;

export interface SessionChoice { readonly diagnosers?: readonly DiagnoserChoice[]; readonly target?: ProcessKey; readonly reason: string }

export interface SessionPorts {
  readonly clock: Pick<Clock, 'monotonic' | 'wait'>;
  /** Starts a session and answers its end. @throws OPERATION_BUSY and what a start refuses */
  diagnose(choice: SessionChoice, who: string): Promise<Session>;
  sessions(): Promise<readonly Session[]>;
  isThere(target: ProcessKey, signal: AbortSignal): Promise<boolean>;
}

export function sessionHand(ports: SessionPorts): Hand {
  return {
    async run(step, on) {
      const target = on.fired.target !== undefined && await ports.isThere(on.fired.target, on.signal) ? on.fired.target : undefined;
      const diagnosers = choicesOf(step);
      return resultOf(await patient(ports, { reason: reasonOf(on), ...(diagnosers && { diagnosers }), ...(target && { target }) }, `rule ${on.fired.rule}`, on.signal));
    },
    /** What an earlier run of the agent began carries our mark; one that it finished is not done twice. */
    async after(_step, on) {
      const mine = (await ports.sessions()).filter(({ reason }) => reason === reasonOf(on));
      const whole = mine.find(({ state }) => state === 'done' || state === 'partial' || state === 'failed');
      if (whole !== undefined) return resultOf(whole);
      return mine.length >= TRIES ? { result: 'interrupted', says: `the agent ended in the middle of it ${mine.length} times; it is not tried again` } : undefined;
    },
  };
}

/** Also the mark by which a session is found again. */
const reasonOf = ({ fired, before }: FiringContext): string => `rule ${fired.rule}: ${fired.condition.slice(0, 300)} (${fired.firing}, step ${before.length})`;

function choicesOf(step: ActionStep): readonly DiagnoserChoice[] | undefined {
  return step.type === 'diagnose' || step.type === 'collect' ? step.diagnosers : undefined;
}

async function patient(ports: SessionPorts, choice: SessionChoice, who: string, signal: AbortSignal): Promise<Session> {
  const until = ports.clock.monotonic() + BUSY_MS;
  for (;;) {
    try {
      return await ports.diagnose(choice, who);
    } catch (error) {
      if (codeOf(error) !== 'OPERATION_BUSY' || ports.clock.monotonic() > until) throw error;
    }
    await ports.clock.wait(AGAIN_MS, signal);
  }
}

function resultOf(session: Session): ActionResult {
  if (session.state === 'cancelled') throw new DiagError('CANCELLED', { what: `Session ${session.id}` });
  const failed = session.steps.filter(({ stage, state }) => stage === 'collect' && state === 'failed').map(({ id, because }) => `${id}: ${because ?? 'failed'}`);
  return {
    result: session.state === 'failed' ? 'failed' : 'done', session: session.id,
    artifacts: session.artifacts.map(({ name }) => name.slice(0, 200)).slice(0, 100),
    ...(session.headline === undefined && failed.length === 0 ? {} : { says: [session.headline, ...failed].filter((one) => one !== undefined).join('; ').slice(0, 2_000) }),
  };
}
