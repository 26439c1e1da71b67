// Owns the routes of the agent itself: sign-in, what it is, what it can, who changed what.
import type { Agent } from '../../agent/agent.ts';
import type { Guard } from '../guard.ts';
import type { Handlers } from '../mount.ts';

type Mine = Pick<Handlers, 'login' | 'logout' | 'alive' | 'agent' | 'doctor' | 'now' | 'audit' | 'operations' | 'operation' | 'cancelOperation' | 'enoughOperation'>;

export function agentRoutes(agent: Agent, guard: Guard): Mine {
  return {
    login: async ({ body, req, res }) => {
      res.setHeader('set-cookie', guard.login(body.token, req.secure));
      return { ok: true };
    },
    logout: async ({ res }) => {
      res.setHeader('set-cookie', guard.logoutCookie());
      return { ok: true };
    },
    alive: async () => ({ name: 'diag', version: agent.version }),
    agent: async () => agent.info(),
    doctor: async () => agent.doctor(),
    now: async ({ query }) => agent.now(query.minutes),
    audit: async ({ query }) => ({ entries: [...(await agent.store.audit.recent(query.limit)).entries] }),
    operations: async () => ({ operations: [...agent.operations.list()] }),
    operation: async ({ params }) => agent.operations.get(params.operation),
    cancelOperation: async ({ params, who }) => {
      const operation = agent.operations.cancel(params.operation);
      await agent.audit(who, 'cancel', operation.title, 'asked');
      return operation;
    },
    enoughOperation: async ({ params, who }) => {
      const operation = agent.operations.enough(params.operation);
      await agent.audit(who, 'enough', operation.title, 'asked');
      return operation;
    },
  };
}
