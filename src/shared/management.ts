// Owns the words of the management API: the plan and a change of it, auto-heal as the platform keeps it; and their routes.
import { z } from 'zod';
import { Offer } from './model.ts';
import { route, type Route } from './route.ts';

export const Sku = z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,19}$/, 'a SKU such as S1 or P1v3');
/** Out and in by `instances`, up and down by `sku`. */
export const ScaleChange = z.object({ instances: z.number().int().min(1).max(1_000).optional(), sku: Sku.optional() }).refine(({ instances, sku }) => instances !== undefined || sku !== undefined, 'instances or sku');
export type ScaleChange = z.infer<typeof ScaleChange>;

export const ScaleView = z.object({
  plan: z.string(), sku: z.string(), instances: z.number().int(),
  sites: z.number().int().describe('apps that share the plan: a change is theirs too'),
  least: z.number().int(), most: z.number().int().describe('what anything here may ask for'),
  planMost: z.number().int().optional().describe('what the SKU has at most'),
  skus: z.array(z.string()),
  to: z.object({ sku: z.string(), instances: z.number().int() }).optional(),
  cost: z.string().optional(),
});
export type ScaleView = z.infer<typeof ScaleView>;

/** `rules` in the management API's own form: autoHealRules. */
export const AutoHealState = z.object({ enabled: z.boolean(), rules: z.record(z.string(), z.unknown()).optional() });
export type AutoHealState = z.infer<typeof AutoHealState>;

export const managementRoutes = <O extends z.ZodType>(Operation: O) => ({
  management: route({ method: 'GET', path: '/api/management', summary: 'Whether the management API is configured, and the plan of the site as it is; it is asked at each call', answers: { 200: z.object({ offer: Offer, plan: ScaleView.optional(), missing: z.string().optional() }) } }),
  judgeScale: route({ method: 'POST', path: '/api/management/scale/check', summary: 'What a change of the plan would do and cost; nothing is changed', body: ScaleChange, answers: { 200: ScaleView } }),
  scale: route({ method: 'POST', path: '/api/management/scale', summary: 'Scale the plan out, in, up or down, within the limits of the settings and the plan', body: z.object({ change: ScaleChange, reason: z.string().max(500).optional() }), answers: { 202: Operation } }),
}) as const satisfies Record<string, Route>;
