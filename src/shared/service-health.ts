// Owns the words of the platform's own health: what its status feed says, and when it was read.
import { z } from 'zod';
import { route, type Route } from './route.ts';

const Text = z.string().max(500);
export const StatusItem = z.object({ title: Text, text: z.string().max(2_000).optional(), at: z.number().optional(), link: z.string().max(500).optional() });
export type StatusItem = z.infer<typeof StatusItem>;

/** off: by a setting · unknown: it was never read · known: as of `readAt` */
export const ServiceHealth = z.object({
  state: z.enum(['off', 'unknown', 'known']),
  /** One line, with the number in it. */
  says: z.string(),
  source: z.string().optional(),
  readAt: z.number().optional(), triedAt: z.number().optional(), failed: Text.optional(),
  items: z.array(StatusItem).max(20),
});
export type ServiceHealth = z.infer<typeof ServiceHealth>;

export const serviceHealthRoutes = {
  serviceHealth: route({ method: 'GET', path: '/api/service-health', summary: 'What the platform\'s own status feed says, as of its last successful read; it is read at most every five minutes, while somebody asks', answers: { 200: ServiceHealth } }),
} as const satisfies Record<string, Route>;
