// Owns auto-heal on the wire: the management API's autoHealRules as one model for web.config too, and the routes that read, check, write and restore it.
import { z } from 'zod';
import { Offer } from './model.ts';
import { number, route, type Route } from './route.ts';
import { Rule } from './rules.ts';

/** Absent, null and 0 say the same in the management API's answers. */
const absent = <T extends z.ZodType>(item: T) => z.preprocess((v) => (v === null ? undefined : v), item.optional());
const many = <T extends z.ZodType>(item: T) => absent(z.array(item).max(50));
/** A time span of .NET: 00:05:00, or with days 1.00:00:00. */
export const TimeSpan = z.string().regex(/^(\d{1,4}\.)?\d{1,2}:[0-5]?\d:[0-5]?\d$/, 'a time as 00:05:00');
const Count = z.int().min(0).max(2_147_483_647);
const Path = absent(z.string().max(500).regex(/^[^\u0000-\u001f]*$/, 'no control characters'));
const counted = { count: Count, timeInterval: TimeSpan };

const Requests = z.strictObject(counted);
const SlowRequests = z.strictObject({ timeTaken: TimeSpan, ...counted, path: Path });
const StatusCode = z.strictObject({ status: z.int().min(0).max(999), subStatus: absent(Count), win32Status: absent(z.int().min(0).max(4_294_967_295)), ...counted, path: Path });
const StatusRange = z.strictObject({ statusCodes: z.string().regex(/^\d{3}(-\d{3})?$/, 'a range as 500-503'), ...counted, path: Path });
export type StatusTrigger = z.infer<typeof StatusCode>;
export type SlowTrigger = z.infer<typeof SlowRequests>;

export const AutoHealTriggers = z.strictObject({
  requests: absent(Requests), privateBytesInKB: absent(Count), statusCodes: many(StatusCode),
  slowRequests: absent(SlowRequests), slowRequestsWithPath: many(SlowRequests), statusCodesRange: many(StatusRange),
});
export type AutoHealTriggers = z.infer<typeof AutoHealTriggers>;

export const ACTION_TYPES = ['Recycle', 'LogEvent', 'CustomAction'] as const;
const Program = z.string().max(2_000).regex(/^[^\u0000-\u001f]*$/, 'no control characters');
export const AutoHealActions = z.strictObject({
  actionType: z.enum(ACTION_TYPES),
  customAction: absent(z.strictObject({ exe: Program, parameters: absent(Program) })),
  minProcessExecutionTime: absent(TimeSpan),
});
export type AutoHealActions = z.infer<typeof AutoHealActions>;

/** `siteConfig.autoHealRules`. Neither triggers nor actions: auto-heal is off. */
export const AutoHealRules = z.strictObject({ triggers: absent(AutoHealTriggers), actions: absent(AutoHealActions) });
export type AutoHealRules = z.infer<typeof AutoHealRules>;

/** What is sent: the rules alone, or something that holds them as the management API answers: `autoHealEnabled: false` is off, whatever the rules say. */
export const AutoHealSent = z.preprocess(rulesIn, AutoHealRules);

/** Of a site's configuration, whole or its `properties`, the rules; any other value as it is. */
function rulesIn(given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given;
  const object = given as Readonly<Record<string, unknown>>;
  const inner = object['properties'];
  if (typeof inner === 'object' && inner !== null && !('triggers' in object)) return rulesIn(inner);
  if (!('autoHealRules' in object) && !('autoHealEnabled' in object)) return given;
  return object['autoHealEnabled'] === false ? {} : object['autoHealRules'] ?? {};
}

/** The same rules in one spelling: nothing that says nothing, no empty lists, slow requests with a path where they belong. */
export function plainRules({ triggers, actions }: AutoHealRules): AutoHealRules {
  const { requests, privateBytesInKB, statusCodes, slowRequests, slowRequestsWithPath, statusCodesRange } = triggers ?? {};
  const withPath = [...(slowRequests?.path ? [slowRequests] : []), ...(slowRequestsWithPath ?? [])].map(said);
  const plain = said({
    requests: requests && said(requests),
    privateBytesInKB: privateBytesInKB === 0 ? undefined : privateBytesInKB,
    statusCodes: filled(statusCodes?.map(({ subStatus, win32Status, ...one }) => said({ ...one, subStatus: subStatus === 0 ? undefined : subStatus, win32Status: win32Status === 0 ? undefined : win32Status }))),
    slowRequests: slowRequests === undefined || slowRequests.path ? undefined : said(slowRequests),
    slowRequestsWithPath: filled(withPath),
    statusCodesRange: filled(statusCodesRange?.map(said)),
  });
  const custom = actions?.actionType === 'CustomAction' ? actions.customAction : undefined;
  return said({ triggers: Object.keys(plain).length === 0 ? undefined : plain, actions: actions && said({ ...actions, customAction: custom && said(custom) }) });
}

const filled = <T>(items: readonly T[] | undefined): T[] | undefined => (items === undefined || items.length === 0 ? undefined : [...items]);
const said = <T extends object>(value: T): T => Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined && one !== '')) as T;

/** Whether two say the same. */
export function sameRules(a: AutoHealRules, b: AutoHealRules): boolean {
  return JSON.stringify(sorted(plainRules(a))) === JSON.stringify(sorted(plainRules(b)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, sorted(one)]));
}

/** Something to know about a rule or the file. error: it is refused or does not work; `source`: who says so. */
export const AutoHealNote = z.object({ level: z.enum(['error', 'warning', 'note']), on: z.string(), says: z.string(), source: z.string().optional() });
export type AutoHealNote = z.infer<typeof AutoHealNote>;

export const DiffLine = z.object({ kind: z.enum([' ', '+', '-']), text: z.string() });
export const DiffView = z.object({
  added: z.int(), removed: z.int(),
  hunks: z.array(z.object({ fromLine: z.int(), toLine: z.int(), lines: z.array(DiffLine) })).max(500),
  /** Lines of a very large difference that are not shown. */
  left: z.int(),
});
export type DiffView = z.infer<typeof DiffView>;

export const BackupId = z.string().regex(/^\d{8}T\d{9}-[0-9a-f]{8}$/);
/** `existed` false: there was no file, and restoring takes it away again. */
export const BackupView = z.object({ id: BackupId, at: z.number(), file: z.string(), sha256: z.string(), bytes: z.int(), existed: z.boolean(), why: z.string() });
export type BackupView = z.infer<typeof BackupView>;

export const AutoHealView = z.object({
  file: z.string(),
  /** Of the file as it was read; 'none': there is none. */
  etag: z.string(),
  exists: z.boolean(), encoding: z.string().optional(),
  /** Why it cannot be written here; absent: it can. */
  refused: z.string().optional(),
  /** Why it cannot be read: then there are no rules. */
  unreadable: z.string().optional(),
  enabled: z.boolean(), rules: AutoHealRules,
  notes: z.array(AutoHealNote), backups: z.array(BackupView),
});
export type AutoHealView = z.infer<typeof AutoHealView>;

/** What a change would do. `unsaid`: what web.config has no words for, each as a sentence; `refused`: what of it is not left out unless asked for. */
export const AutoHealCheck = z.object({ etag: z.string(), rules: AutoHealRules, changes: z.boolean(), notes: z.array(AutoHealNote), unsaid: z.array(z.string()), refused: z.array(z.string()), diff: DiffView });
export type AutoHealCheck = z.infer<typeof AutoHealCheck>;
/** `left`: what was not written, since web.config has no words for it. */
export const AutoHealWritten = z.object({ changed: z.boolean(), backup: BackupView.optional(), diff: DiffView, left: z.array(z.string()), view: AutoHealView });

export const WouldFire = z.object({
  from: z.number(), to: z.number(),
  triggers: z.array(z.object({ on: z.string(), says: z.string(), firedCount: z.int(), fired: z.array(z.object({ at: z.number(), says: z.string() })).max(200), cannot: z.string().optional(), note: z.string().optional() })),
});
export type WouldFire = z.infer<typeof WouldFire>;

/** `lost`: what the other form has no words for, each as a sentence: nothing is dropped in silence. */
export const ConvertedView = z.object({ rules: z.array(Rule).optional(), autoHeal: AutoHealRules.optional(), bicep: z.string().optional(), lost: z.array(z.string()) });
export type ConvertedView = z.infer<typeof ConvertedView>;

/** Auto-heal as the management API has it. `offer`: whether the management API is set up here; without it, or where it does not answer in our form (`unreadable`), there are no rules. */
export const PlatformHealView = z.object({ offer: Offer, enabled: z.boolean().optional(), rules: AutoHealRules.optional(), etag: z.string().optional(), notes: z.array(AutoHealNote), unreadable: z.string().optional() });
export type PlatformHealView = z.infer<typeof PlatformHealView>;
export const PlatformHealCheck = z.object({ etag: z.string(), changes: z.boolean(), notes: z.array(AutoHealNote), diff: DiffView });
export type PlatformHealCheck = z.infer<typeof PlatformHealCheck>;
/** `before`: what stood there, to be sent again as the way back. */
export const PlatformHealWritten = z.object({ changed: z.boolean(), before: AutoHealRules, diff: DiffView, view: PlatformHealView });
export type PlatformHealWritten = z.infer<typeof PlatformHealWritten>;

/** `leaveOut`: write without the triggers that web.config has no words for; otherwise they are refused. */
const change = { rules: AutoHealSent, leaveOut: z.boolean().default(false) };
const etag = { etag: z.string().max(64) };

export const autoHealRoutes = {
  autoHeal: route({ method: 'GET', path: '/api/auto-heal', summary: 'Auto-heal of the site\'s web.config: rules, what each cannot see, whether it can be changed here, backups', answers: { 200: AutoHealView } }),
  checkAutoHeal: route({ method: 'POST', path: '/api/auto-heal/check', summary: 'What rules would change in web.config, with their bounds and what it cannot say; nothing is written', body: z.object(change), answers: { 200: AutoHealCheck } }),
  putAutoHeal: route({ method: 'PUT', path: '/api/auto-heal', summary: 'Write the rules into web.config after a backup; everything else in the file stays byte for byte; the app restarts', body: z.object({ ...change, ...etag }), answers: { 200: AutoHealWritten } }),
  autoHealBackup: route({ method: 'GET', path: '/api/auto-heal/backups/:backup', summary: 'What restoring a backup would change', params: z.object({ backup: BackupId }), answers: { 200: z.object({ backup: BackupView, etag: z.string(), diff: DiffView }) } }),
  restoreAutoHeal: route({ method: 'POST', path: '/api/auto-heal/restore', summary: 'Bring web.config back as a backup has it, byte for byte; the app restarts', body: z.object({ backup: BackupId.optional().describe('default: the newest'), ...etag }), answers: { 200: AutoHealWritten } }),
  tryAutoHeal: route({ method: 'POST', path: '/api/auto-heal/try', summary: 'When these rules, or those of web.config, would have fired over what is recorded', body: z.object({ rules: AutoHealSent.optional(), hours: number.min(0.1).max(120).default(24) }), answers: { 200: WouldFire } }),
  platformAutoHeal: route({ method: 'GET', path: '/api/auto-heal/platform', summary: 'Auto-heal as the management API has it, with what each trigger cannot see', answers: { 200: PlatformHealView } }),
  checkPlatformAutoHeal: route({ method: 'POST', path: '/api/auto-heal/platform/check', summary: 'What rules would change there; nothing is written', body: z.object({ rules: AutoHealSent }), answers: { 200: PlatformHealCheck } }),
  putPlatformAutoHeal: route({ method: 'PUT', path: '/api/auto-heal/platform', summary: 'Write the rules by the management API; etag is that of what was read, another one is a conflict; the app restarts', body: z.object({ rules: AutoHealSent, ...etag }), answers: { 200: PlatformHealWritten } }),
  convertAutoHeal: route({ method: 'POST', path: '/api/auto-heal/convert', summary: 'Auto-heal as our rules and as Bicep, or our rules as auto-heal; what cannot be said is listed', body: z.union([z.strictObject({ autoHeal: AutoHealSent }), z.strictObject({ rules: z.array(Rule).min(1).max(50) })]), answers: { 200: ConvertedView } }),
} as const satisfies Record<string, Route>;
