// Owns the API of one process looked at closely: modules, threads, connections, its JavaScript stack, one revealed variable, its end; and the search over all.
import { z } from 'zod';
import { At, Frame, Offer, ProcessKey, Role } from './model.ts';
import { bool, instant, list, number, route, type Route } from './route.ts';
import { ThreadState } from './surroundings.ts';

/** What may be done with a process, and what ending it costs. */
export const ProcessOffers = z.object({ end: Offer, endSays: z.string(), dump: Offer, profile: Offer, stack: Offer });
export type ProcessOffers = z.infer<typeof ProcessOffers>;

export const ModuleView = z.object({ path: z.string(), address: z.string(), sizeBytes: z.number(), version: z.string().optional() });
export type ModuleView = z.infer<typeof ModuleView>;

export const ThreadView = z.object({
  id: z.number().int(), name: z.string().optional(), state: ThreadState.optional(), waitsIn: z.string().optional(), startedAt: At.optional(),
  cpuMs: z.number().optional(), userMs: z.number().optional(), kernelMs: z.number().optional(), priority: z.number().int().optional(),
});
export type ThreadView = z.infer<typeof ThreadView>;

/** by: how the name of the remote end is known. app: the app calls this name. dns: the address was looked up. machine: it is this very machine. */
export const ConnectionView = z.object({
  localHost: z.string(), localPort: z.number().int(), remoteHost: z.string(), remotePort: z.number().int(), state: z.string(),
  name: z.string().optional(), by: z.enum(['app', 'dns', 'machine']).optional(),
});
export type ConnectionView = z.infer<typeof ConnectionView>;

/** Of the main thread. No frames and `idle`: no JavaScript ran for so long. */
export const JsStack = z.object({ at: At, frames: z.array(Frame), more: z.number().int(), idle: z.boolean(), waitedMs: z.number() });
export type JsStack = z.infer<typeof JsStack>;

export const SearchKind = z.enum(['modules', 'files']);
export type SearchKind = z.infer<typeof SearchKind>;
export const ProcessFound = z.object({ pid: z.number().int(), startedAt: At, name: z.string(), role: Role, kind: SearchKind, text: z.string() });
export type ProcessFound = z.infer<typeof ProcessFound>;
/** What was not searched is told: processes that refused, kinds that this system cannot list, and where the time ended. */
export const ProcessSearch = z.object({
  at: At, found: z.array(ProcessFound), more: z.number().int(), searched: z.number().int(), of: z.number().int(), complete: z.boolean(), tookMs: z.number(),
  refused: z.array(z.object({ pid: z.number().int(), name: z.string(), why: z.string() })),
  missing: z.array(z.object({ kind: SearchKind, because: z.string() })),
});
export type ProcessSearch = z.infer<typeof ProcessSearch>;

const Pid = z.object({ pid: z.coerce.number().int().positive() });
const Meant = z.object({ startedAt: instant.optional().describe('refuses another process that has the pid by now') });
const Exactly = z.object({ startedAt: At });
const more = z.number().int().describe('how many were left out');
const Missing = z.string().optional();

export const processRoutes = {
  searchProcesses: route({ method: 'GET', path: '/api/process-search', summary: 'Search modules and open files of all processes of the site; what could not be searched is told', query: z.object({ text: z.string().min(2).max(200), in: list(SearchKind).default(['modules', 'files']), limit: number.int().min(1).max(5_000).default(500) }), answers: { 200: ProcessSearch } }),
  processModules: route({ method: 'GET', path: '/api/processes/:pid/modules', summary: 'Program files of a process, on Windows with their versions', params: Pid, query: Meant.extend({ versions: bool.default(true) }), answers: { 200: z.object({ modules: z.array(ModuleView), more, missing: Missing }) } }),
  processThreads: route({ method: 'GET', path: '/api/processes/:pid/threads', summary: 'Threads of a process with their times, states and what they wait in', params: Pid, query: Meant, answers: { 200: z.object({ threads: z.array(ThreadView), more, missing: Missing }) } }),
  processConnections: route({ method: 'GET', path: '/api/processes/:pid/connections', summary: 'TCP connections and listening ports of a process, remote ends with their names where they are known in time', params: Pid, query: Meant, answers: { 200: z.object({ connections: z.array(ConnectionView), more, unasked: z.number().int().describe('addresses that were not looked up, or not in time'), missing: Missing }) } }),
  processStack: route({ method: 'POST', path: '/api/processes/:pid/stack', summary: 'Where the JavaScript of a Node process stands now: stops it for some milliseconds; audited', params: Pid, body: Exactly, answers: { 200: JsStack } }),
  revealVariable: route({ method: 'POST', path: '/api/processes/:pid/environment/reveal', summary: 'The value of one variable, unmasked; audited before it is told', params: Pid, body: Exactly.extend({ name: z.string().min(1).max(1_000) }), answers: { 200: z.object({ name: z.string(), value: z.string() }) } }),
  endProcess: route({ method: 'POST', path: '/api/processes/:pid/end', summary: 'End this very process and its children: asked first, killed after ten seconds; never the agent\'s own; audited', params: Pid, body: Exactly.extend({ reason: z.string().max(500).optional() }), answers: { 200: z.object({ ended: ProcessKey, at: At }) } }),
} as const satisfies Record<string, Route>;
