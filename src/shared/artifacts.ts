// Owns the form of the JSON artifacts: what a diagnoser writes is what an analyzer reads, also years later.
import { z } from 'zod';
import { AppView } from './app-view.ts';
import { AppFailure, AppFlights } from './app-link.ts';
import { At, Change, ProcessInfo, Sample, Series } from './model.ts';

// Text artifacts keep the form of their source: 'http-log' = W3C rows with their #Fields line, 'application-log' and
// 'php-log' = the bytes of the window; in all of them secrets are masked. The others are JSON:

export const EventLogFile = z.object({ version: z.literal(1), rows: z.array(z.object({ at: At, id: z.number().int(), record: z.number().int().optional(), provider: z.string(), level: z.enum(['error', 'warn', 'info']), text: z.string(), computer: z.string().optional() })) });
export type EventLogFile = z.infer<typeof EventLogFile>;

export const ProcessListFile = z.object({ version: z.literal(1), at: At, processes: z.array(z.object({ info: ProcessInfo, sample: Sample.optional() })) });
export type ProcessListFile = z.infer<typeof ProcessListFile>;

export const OpenFilesFile = z.object({ version: z.literal(1), at: At, pid: z.number().int(), files: z.array(z.string()) });
export type OpenFilesFile = z.infer<typeof OpenFilesFile>;

export const EnvironmentFile = z.object({ version: z.literal(1), at: At, pid: z.number().int().optional(), variables: z.array(z.object({ name: z.string(), value: z.string(), masked: z.boolean() })) });
export type EnvironmentFile = z.infer<typeof EnvironmentFile>;

export const Deployment = z.object({ id: z.string(), status: z.string().optional(), message: z.string().optional(), author: z.string().optional(), deployer: z.string().optional(), startedAt: At.optional(), endedAt: At.optional(), active: z.boolean().optional(), log: z.array(z.object({ at: At.optional(), text: z.string() })).optional() });
export type Deployment = z.infer<typeof Deployment>;
export const DeploymentsFile = z.object({ version: z.literal(1), deployments: z.array(Deployment), unreadable: z.array(z.string()) });
export type DeploymentsFile = z.infer<typeof DeploymentsFile>;

export const MetricsFile = z.object({ version: z.literal(1), series: Series });
export type MetricsFile = z.infer<typeof MetricsFile>;

export const ChangesFile = z.object({ version: z.literal(1), changes: z.array(Change) });
export type ChangesFile = z.infer<typeof ChangesFile>;

/** The apps that carry the preload, from inside: the last minute of each, summed up. */
export const InsideFile = z.object({ version: z.literal(1), at: At, apps: z.array(AppView) });
export type InsideFile = z.infer<typeof InsideFile>;

/** The requests that one process was serving, oldest first, with what each waits for and where that began: requests that came while it was looked at (`forMs`); of the others only their age. */
export const InFlightFile = AppFlights.extend({ pid: z.number().int(), forMs: z.number().nonnegative() });
export type InFlightFile = z.infer<typeof InFlightFile>;

/** TCP connections of the site's processes, counted by the end they lead to. */
export const ConnectionsFile = z.object({ version: z.literal(1), at: At, ends: z.array(z.object({ pid: z.number().int().optional(), local: z.string(), remote: z.string(), state: z.string(), count: z.number().int().nonnegative() })), more: z.number().int().nonnegative().default(0) });
export type ConnectionsFile = z.infer<typeof ConnectionsFile>;

/** PHP's process pools as they say themselves, and its processes. A pool that was asked and did not answer in time has all of its processes at work. */
export const PhpStatusFile = z.object({
  version: z.literal(1), at: At,
  pools: z.array(z.object({
    name: z.string(), manager: z.string().optional(), limit: z.number().int().optional(), answered: z.enum(['yes', 'waited', 'no']), why: z.string().optional(),
    status: z.object({ accepted: z.number(), queue: z.number(), maxQueue: z.number(), idle: z.number(), active: z.number(), total: z.number(), maxActive: z.number(), limitReached: z.number(), slow: z.number() }).optional(),
    workers: z.array(z.object({ pid: z.number().int(), state: z.string(), forMs: z.number().nonnegative(), requests: z.number(), method: z.string(), uri: z.string(), script: z.string() })),
  })),
  processes: z.array(z.object({ pid: z.number().int(), parent: z.number().int().optional(), startedAt: At, name: z.string(), pool: z.string().optional(), cpuMs: z.number().optional(), workingSetBytes: z.number().optional() })),
});
export type PhpStatusFile = z.infer<typeof PhpStatusFile>;

/** What went wrong inside the site's Node processes: since the start of each, as its preload told; `thrown`: what the inspector saw, handled exceptions too. */
export const ExceptionsFile = z.object({
  version: z.literal(1), at: At,
  apps: z.array(z.object({ pid: z.number().int(), startedAt: At, node: z.string(), state: z.enum(['connected', 'files', 'connecting', 'ended']), endedAt: At.optional(), ending: z.string().optional(), failures: z.array(AppFailure) })),
  thrown: z.object({ pid: z.number().int(), forMs: z.number().nonnegative(), count: z.number().int(), unkept: z.number().int(), failures: z.array(AppFailure) }).optional(),
});
export type ExceptionsFile = z.infer<typeof ExceptionsFile>;
