// Owns the contract of the diagnostic dump: which providers there are, what is asked for, and the manifest that says what is in it.
import { z } from 'zod';
import { AppInfo, At } from './model.ts';
import { instant, list, number, route, type Route } from './route.ts';

export const LogProviderId = z.enum(['http-log', 'event-log', 'failed-request-traces', 'detailed-errors', 'application-log', 'php-log', 'container-log', 'kudu-log', 'deployments', 'npm-log', 'other-log']);
export type LogProviderId = z.infer<typeof LogProviderId>;

export const LogBundleQuery = z.object({
  providers: list(LogProviderId).optional().describe('such as http-log,deployments; all when absent'),
  from: instant.optional().describe('epoch milliseconds: logs with times begin here, files that were last written before are left out'),
  to: instant.optional().describe('epoch milliseconds'),
  maxBytes: number.int().min(65_536).max(64 * 1024 ** 3).optional().describe('of all files before they are packed; the newest are kept'),
});
export type LogBundleQuery = z.infer<typeof LogBundleQuery>;

export const LogProvider = z.object({ id: LogProviderId, title: z.string(), files: z.number().int(), bytes: z.number().int(), newestAt: At.optional() });

/** `manifest.json`, the last entry of the zip. */
export const LogBundleManifest = z.object({
  version: z.literal(1),
  tool: z.object({ name: z.string(), version: z.string() }),
  app: AppInfo,
  madeAt: At,
  askedBy: z.string(),
  asked: z.object({ providers: z.array(LogProviderId), from: At.optional(), to: At.optional(), maxBytes: z.number().int().optional() }),
  files: z.array(z.object({ path: z.string(), provider: LogProviderId, bytes: z.number().int(), ofBytes: z.number().int().describe('size of the file on disk'), changedAt: At, sha256: z.string(), masked: z.number().int().describe('secrets that were masked'), note: z.string().optional() })),
  leftOut: z.array(z.object({ path: z.string(), provider: LogProviderId, bytes: z.number().int(), why: z.string() })),
  leftOutMore: z.number().int().describe('files left out that are not named'),
  masked: z.number().int(),
});
export type LogBundleManifest = z.infer<typeof LogBundleManifest>;

export const logBundleRoutes = {
  logProviders: route({ method: 'GET', path: '/api/log-bundle/providers', summary: 'What the diagnostic dump can hold: each provider with its files and bytes now', answers: { 200: z.object({ providers: z.array(LogProvider), more: z.number().int().describe('files beyond what was looked at') }) } }),
  logBundle: route({ method: 'GET', path: '/api/log-bundle', summary: 'The diagnostic dump: logs, failed request traces and deployments as a zip with a manifest, secrets masked; scoped by provider, time and size', query: LogBundleQuery, answers: { 200: 'application/zip' } }),
} as const satisfies Record<string, Route>;
