// Owns the routes of one process looked at closely, and of the search over all.
import type { Agent } from '../../agent/agent.ts';
import type { processRoutes as contract } from '../../shared/processes.ts';
import type { Handlers } from '../mount.ts';

export function processRoutes({ explorer }: Agent): Pick<Handlers, keyof typeof contract> {
  return {
    searchProcesses: async ({ query, signal }) => await explorer.search(query.text, query.in, query.limit, signal),
    processModules: async ({ params: { pid }, query: { startedAt, versions }, signal }) => await explorer.modules({ pid, startedAt }, versions, signal),
    processThreads: async ({ params: { pid }, query: { startedAt }, signal }) => await explorer.threads({ pid, startedAt }, signal),
    processConnections: async ({ params: { pid }, query: { startedAt }, signal }) => await explorer.connections({ pid, startedAt }, signal),
    processStack: async ({ params: { pid }, body: { startedAt }, who, signal }) => await explorer.stack({ pid, startedAt }, who, signal),
    revealVariable: async ({ params: { pid }, body: { startedAt, name }, who, signal }) => await explorer.reveal({ pid, startedAt }, name, who, signal),
    endProcess: async ({ params: { pid }, body: { startedAt, reason }, who }) => await explorer.end({ pid, startedAt }, reason, who),
  };
}
