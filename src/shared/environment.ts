// Owns the API of a site's environment: settings, connection strings and variables masked, limits, runtimes, and the comparison of instances and moments.
import { z } from 'zod';
import { At, ProcessKey } from './model.ts';
import { bool, Ended, route, type Route } from './route.ts';
import { HostFact, Runtime } from './surroundings.ts';

export const EntryGroup = z.enum(['setting', 'connection', 'variable']);
export type EntryGroup = z.infer<typeof EntryGroup>;

/** `name` as the portal shows it, `variable` as the process has it. */
export const EnvironmentEntry = z.object({ group: EntryGroup, name: z.string(), variable: z.string(), type: z.string().optional(), value: z.string(), masked: z.boolean() });
export type EnvironmentEntry = z.infer<typeof EnvironmentEntry>;

/** Whose environment: the app's worker, or the agent's own where that one cannot be read (`because`). */
export const EnvironmentOf = z.object({ kind: z.enum(['app', 'agent']), process: ProcessKey.extend({ name: z.string() }).optional(), because: z.string().optional() });
export type EnvironmentOf = z.infer<typeof EnvironmentOf>;

export const LimitUnit = z.enum(['bytes', 'count']);
/** near: from 80 % of the limit on. */
export const LimitView = z.object({ id: z.string(), title: z.string(), group: z.enum(['site', 'app', 'clr', 'aspnet']), value: z.number(), limit: z.number().optional(), share: z.number().optional(), near: z.boolean(), unit: LimitUnit });
export type LimitView = z.infer<typeof LimitView>;

export const EnvironmentView = z.object({
  at: At, instance: z.string(), machine: z.string(), of: EnvironmentOf, entries: z.array(EnvironmentEntry), limits: z.array(LimitView),
  repeated: z.number().int().describe('variables that only repeat a setting, left out'),
});
export type EnvironmentView = z.infer<typeof EnvironmentView>;

export const Surroundings = z.object({ at: At, runtimes: z.array(Runtime), facts: z.array(HostFact), missing: z.string().optional() });
export type Surroundings = z.infer<typeof Surroundings>;

/** "now", "instance:a1b2c3" or "moment:261121-021407-a1b2c3". */
export const SnapshotRef = z.string().regex(/^(?:now|instance:[A-Za-z0-9_-]{1,64}|moment:\d{6}-\d{6}-\d{3}-[A-Za-z0-9_-]{1,64})$/, 'now, instance:NAME or moment:ID');
export type SnapshotRef = z.infer<typeof SnapshotRef>;

export const SnapshotView = z.object({ ref: SnapshotRef, at: At, instance: z.string(), machine: z.string(), of: z.enum(['app', 'agent']), note: z.string().optional(), who: z.string().optional(), entries: z.number().int() });
export type SnapshotView = z.infer<typeof SnapshotView>;
export const Snapshots = z.object({ at: At, instances: z.array(SnapshotView), moments: z.array(SnapshotView), maxMoments: z.number().int(), unreadable: z.number().int() });
export type Snapshots = z.infer<typeof Snapshots>;

/** cannot-tell: both are hidden, and their marks were made with different keys. */
export const Difference = z.enum(['differs', 'only-left', 'only-right', 'cannot-tell', 'equal']);
export type Difference = z.infer<typeof Difference>;
const Side = z.object({ value: z.string(), masked: z.boolean() });
/** expected: it differs between instances by its nature. */
export const ComparedEntry = z.object({ group: EntryGroup, name: z.string(), difference: Difference, expected: z.boolean(), left: Side.optional(), right: Side.optional() });
export type ComparedEntry = z.infer<typeof ComparedEntry>;
export const Comparison = z.object({ left: SnapshotView, right: SnapshotView, entries: z.array(ComparedEntry), differing: z.number().int(), equal: z.number().int(), notes: z.array(z.string()) });
export type Comparison = z.infer<typeof Comparison>;

export const environmentRoutes = {
  environment: route({ method: 'GET', path: '/api/environment', summary: 'Settings, connection strings and variables (masked) of the app or of the agent, with the limits of the site', query: z.object({ of: z.enum(['app', 'agent']).default('app') }), answers: { 200: EnvironmentView } }),
  surroundings: route({ method: 'GET', path: '/api/environment/machine', summary: 'Runtimes on the PATH with their versions, and facts of the machine; gathered when asked, kept for ten minutes', query: z.object({ fresh: bool.default(false) }), answers: { 200: Surroundings } }),
  snapshots: route({ method: 'GET', path: '/api/environment/snapshots', summary: 'What the environment can be compared with: other instances and saved moments', answers: { 200: Snapshots } }),
  compareEnvironments: route({ method: 'GET', path: '/api/environment/compare', summary: 'Two environments side by side; hidden values are told equal or different, never shown', query: z.object({ left: SnapshotRef, right: SnapshotRef.default('now'), all: bool.default(false).describe('equal ones too') }), answers: { 200: Comparison } }),
  saveMoment: route({ method: 'POST', path: '/api/environment/moments', summary: 'Save the environment as it is now, masked, to compare with later', body: z.object({ note: z.string().max(200).optional() }), answers: { 200: SnapshotView } }),
  deleteMoment: route({ method: 'DELETE', path: '/api/environment/moments/:moment', summary: 'Delete a saved moment', params: z.object({ moment: z.string().regex(/^\d{6}-\d{6}-\d{3}-[A-Za-z0-9_-]{1,64}$/) }), answers: { 200: Ended } }),
} as const satisfies Record<string, Route>;

const CONNECTIONS: readonly (readonly [RegExp, string])[] = [
  [/^SQLCONNSTR_/i, 'SQL Server'], [/^SQLAZURECONNSTR_/i, 'Azure SQL'], [/^MYSQLCONNSTR_/i, 'MySQL'], [/^POSTGRESQLCONNSTR_/i, 'PostgreSQL'], [/^CUSTOMCONNSTR_/i, 'Custom'],
  [/^REDISCACHECONNSTR_/i, 'Redis'], [/^DOCDBCONNSTR_/i, 'Cosmos DB'], [/^SERVICEBUSCONNSTR_/i, 'Service Bus'], [/^EVENTHUBCONNSTR_/i, 'Event Hubs'], [/^NOTIFICATIONHUBCONNSTR_/i, 'Notification Hubs'], [/^APIHUBCONNSTR_/i, 'API Hub'],
];
const SETTING = /^APPSETTING_(?=.)/i;

interface Named { readonly name: string; readonly value: string }
export interface Grouped<V> { readonly group: EntryGroup; readonly name: string; readonly type?: string; readonly of: V }

/** Each variable in its group; one that only repeats a setting under its plain name is left out and counted. Settings, connection strings, the rest, each by name. */
export function groupVariables<V extends Named>(variables: readonly V[]): { readonly entries: readonly Grouped<V>[]; readonly repeated: number } {
  const settings = new Map(variables.filter(({ name }) => SETTING.test(name)).map((one) => [one.name.replace(SETTING, '').toUpperCase(), one.value]));
  const kept = variables.filter((one) => SETTING.test(one.name) || settings.get(one.name.toUpperCase()) !== one.value);
  const entries = kept.map((of): Grouped<V> => {
    if (SETTING.test(of.name)) return { group: 'setting', name: of.name.replace(SETTING, ''), of };
    const kind = CONNECTIONS.find(([prefix]) => prefix.test(of.name));
    return kind === undefined ? { group: 'variable', name: of.name, of } : { group: 'connection', name: of.name.replace(kind[0], ''), type: kind[1], of };
  });
  const order = (one: Grouped<V>): number => EntryGroup.options.indexOf(one.group);
  return { entries: entries.sort((a, b) => order(a) - order(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)), repeated: variables.length - kept.length };
}
