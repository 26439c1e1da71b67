// Owns the words of restarting more than one worker: this instance, one instance after another, the whole site by the platform; and their routes.
import { z } from 'zod';
import { Offer, ProcessKey } from './model.ts';
import { Ended, route, type Route } from './route.ts';

/** instance: all workers of this instance · instances: one instance after another, with a probe and a pause between · platform: the whole site, by the management API */
export const RestartWay = z.enum(['instance', 'instances', 'platform']);
export type RestartWay = z.infer<typeof RestartWay>;

/** The next instance is touched when the one before has been well for so long: time to see in the figures what a restart did. */
export const DEFAULT_PAUSE_MS = 90_000;
const HOUR_MS = 3_600_000;
const Reason = z.string().max(500).optional();

export const SiteRestart = z.object({
  way: RestartWay,
  overlapped: z.boolean().optional().describe('the next worker answers before the old one is ended; default: where the platform can'),
  pauseMs: z.number().int().min(0).max(HOUR_MS).default(DEFAULT_PAUSE_MS).describe('between two instances'),
  path: z.string().regex(/^\/[^\s#]*$/, 'a path such as /health').max(500).default('/').describe('what is asked of an instance before the next one has its turn'),
  reason: Reason,
});
export type SiteRestart = z.infer<typeof SiteRestart>;

const Instance = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const WalkId = z.string().regex(/^[a-z0-9-]{1,40}$/);
const Text = z.string().max(1_000);

/** What lies on the shared home of a walk over the instances. Each file names its walk: what an earlier one left is not looked at. */
export const Walk = z.object({ version: z.literal(1), id: WalkId, at: z.number(), who: z.string().max(200), reason: Reason, overlapped: z.boolean(), pauseMs: z.number().min(0).max(HOUR_MS), path: z.string().max(500) });
export type Walk = z.infer<typeof Walk>;
export const WalkOrder = z.object({ walk: WalkId, instances: z.array(Instance).max(100) });
export const WalkPresence = z.object({ walk: WalkId, instance: Instance });
/** `beat` goes up while it works, so that others see a turn that has come to a stop. `targets`: what it found to restart. */
export const WalkTurn = z.object({ walk: WalkId, instance: Instance, state: z.enum(['at-work', 'probing', 'done', 'failed']), beat: z.number().int(), at: z.number(), targets: z.array(ProcessKey).max(100), says: Text.optional() });
export type WalkTurn = z.infer<typeof WalkTurn>;
export const WalkStop = z.object({ walk: WalkId, by: z.enum(['cancel', 'silence']), who: z.string().max(200), at: z.number(), says: Text });

export const WalkView = z.object({
  id: WalkId, at: z.number(), who: z.string(), reason: Reason, overlapped: z.boolean(), pauseMs: z.number(), path: z.string(),
  /** calling: the instances are asked who is there. */
  state: z.enum(['calling', 'running', 'done', 'failed', 'cancelled']),
  says: z.string(),
  instances: z.array(z.object({ instance: Instance, state: z.enum(['waiting', 'at-work', 'probing', 'done', 'failed']), at: z.number().optional(), says: Text.optional() })),
});
export type WalkView = z.infer<typeof WalkView>;

export const SiteRestartView = z.object({
  ways: z.array(z.object({ way: RestartWay, offer: Offer, says: z.string() })),
  overlapped: Offer,
  pauseMs: z.number(),
  walk: WalkView.optional().describe('the walk over the instances that runs, or ended last'),
});
export type SiteRestartView = z.infer<typeof SiteRestartView>;

/** `Operation` is given, as its schema stands beside the other routes. */
export const restartRoutes = <O extends z.ZodType>(Operation: O) => ({
  siteRestart: route({ method: 'GET', path: '/api/restart/site', summary: 'How more than one worker can be restarted, what each way does to users, and the walk over the instances that runs or ended last', answers: { 200: SiteRestartView } }),
  restartSite: route({ method: 'POST', path: '/api/restart/site', summary: 'Restart all workers of this instance, one instance after another, or the whole site by the management API; the operation tells how far it is, and can be cancelled', body: SiteRestart, answers: { 202: Operation } }),
  stopWalk: route({ method: 'DELETE', path: '/api/restart/site', summary: 'Stop the walk over the instances, from whichever of them; an instance that has begun finishes', answers: { 200: Ended } }),
}) as const satisfies Record<string, Route>;
