// Owns the page's way to the agent: the typed API, who is signed in, what the agent said about itself, and its clock.
import { ApiProblem, address, connect } from '../shared/connect.ts';
import type { AgentInfo, Problem, RouteName } from '../shared/api.ts';
import type { Health } from '../shared/model.ts';
import { cell } from './cell.ts';
import { browserClock as clock } from './clock.ts';
import { BASE } from './router.tsx';

const ROOT = BASE.replace(/\/$/, '');
export const diag = connect(ROOT, (url, init) => fetch(url, { ...init, credentials: 'same-origin' } as RequestInit));

/** The address of a file route, for a link or a download. */
export const fileAddress = (name: RouteName, params: object, query: object = {}): string => address(ROOT, name, params, query);

export const signedIn = cell<boolean | undefined>(undefined);
export const agent = cell<AgentInfo | undefined>(undefined);
/** The newest health that anything told us: the socket's hello, Now, or the agent itself. */
export const health = cell<Health | undefined>(undefined);

const skew = cell(0);
/** Says what the agent's clock showed just now, so that "ago" is right on a page whose own clock is not. */
export const setAgentClock = (at: number): void => skew.set(at - clock.now());
/** The agent's clock. */
export const agentNow = (): number => clock.now() + skew.get();

/** Any failure as a problem with code and next step; a network error is the agent not answering. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiProblem) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return { type: 'about:blank', title: 'Unreachable', status: 0, code: 'UNREACHABLE', detail: `The agent does not answer: ${detail}.`, next: 'The page tries again by itself.' };
}

/** Runs a call; a missing token shows the sign-in page. @throws what the call throws */
export async function ask<T>(call: () => Promise<T>): Promise<T> {
  try {
    const answer = await call();
    signedIn.set(true);
    return answer;
  } catch (error) {
    if (error instanceof ApiProblem && error.code === 'TOKEN_MISSING') signedIn.set(false);
    throw error;
  }
}

const AGENT_EVERY_MS = 15_000;
/** Keeps the agent's own state fresh while the page is visible; ends with the answer. */
export function watchAgent(): () => void {
  const once = (): void => {
    ask(() => diag.agent()).then((info) => {
      setAgentClock(info.at);
      agent.set(info);
      health.set(info.health);
    }, () => { /* the live link shows that the agent is away; a missing token is shown by ask */ });
  };
  once();
  return clock.every(AGENT_EVERY_MS, () => { if (document.visibilityState === 'visible' && signedIn.get() !== false) once(); });
}
