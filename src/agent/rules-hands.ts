// Owns the hands of the rules: each kind of action bound to the agent's own ways, with the agent's audit.
import type { ProcessInfo, ProcessKey, Session } from '../shared/model.ts';
import { endHand, recycleHand, type ProcessPorts } from '../mitigate/hands/process.ts';
import { programHand } from '../mitigate/hands/program.ts';
import { scaleHand } from '../mitigate/hands/scale.ts';
import type { Management } from '../mitigate/management/management.ts';
import { sessionHand, type SessionChoice } from '../mitigate/hands/session.ts';
import type { Alerts } from '../mitigate/alerts/alerts.ts';
import type { Hands } from '../mitigate/rules/firing.ts';
import type { Parts } from './agent.ts';
import type { Env } from './config.ts';
import { diagnoseWith } from './diagnose.ts';
import { restartWith } from './restart.ts';

export interface HandsGiven {
  readonly parts: Parts;
  readonly alerts: Alerts;
  readonly env: Env;
  readonly management: Management;
  mask(text: string): string;
  /** Told before a process is ended. */
  asked(target: ProcessKey): void;
}

export function handsOf({ parts, alerts, env, management, mask, asked }: HandsGiven): Hands {
  const { platform, store } = parts;
  const processes = (signal: AbortSignal): Promise<readonly ProcessInfo[]> => platform.processes(signal);
  const session = sessionHand({
    clock: platform.clock, diagnose: (choice, who) => diagnosed(parts, choice, who),
    sessions: async () => (await store.sessions.list()).sessions,
    isThere: async (target, signal) => (await processes(signal)).some(({ pid, startedAt }) => pid === target.pid && startedAt === target.startedAt),
  });
  const ending: ProcessPorts = { clock: platform.clock, processes, overlapped: () => platform.can('overlapped-restart'), restart: (target, reason, who, how) => { asked(target); return restartWith(parts, { ...target, reason }, who, how); } };
  return {
    diagnose: session, collect: session, recycle: recycleHand(ending), 'end-process': endHand(ending),
    run: programHand({ env, folder: platform.host.folders.home, mask }), notify: alerts.hand(), 
    scale: scaleHand({ scaleBy: (by, most, signal) => management.scaleBy(by, most, signal), audit: (who, what, result) => parts.audit(who, 'scale', what, result) }),
  };
}

/** A session from its start to its end. */
async function diagnosed(parts: Parts, choice: SessionChoice, who: string): Promise<Session> {
  const { session: id } = await diagnoseWith(parts, { reason: choice.reason, target: choice.target, diagnosers: choice.diagnosers && [...choice.diagnosers] }, who);
  const active = parts.sessions.active();
  if (active?.session.id === id) return active.done;
  return parts.store.sessions.get(id);
}
