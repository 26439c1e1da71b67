// Owns the making of the HTTP report from the figures.
import type { HttpReport, HttpSource } from '../../../shared/http-report.ts';
import type { RequestRow } from '../../../shared/model.ts';
import type { Columns } from '../columns.ts';
import { meaning } from '../meaning.ts';
import { requestRow } from '../rows.ts';
import { burstsOf } from './bursts.ts';
import type { Figures } from './figures.ts';
import { chosen, foremost, groupsOf, instanceGroups, methodGroups } from './groups.ts';
import { axisOf, heatOf } from './heat.ts';
import { withQuantiles } from './histograms.ts';
import { Names } from './names.ts';
import { FIRST_AT, LAST_AT, LONGEST, ROWS, STATUS, STATUS_WIDTH, SUB, WIN32, keyOf } from './status-table.ts';
import { CLIENT_ERRORS, COUNT, FAILURES, LOST, MAX, ROUTE_WIDTH, SENT, SENT_ROWS } from './text-counts.ts';
import { SLOT_LONGEST, SLOT_WIDTH } from './time-slots.ts';

/** Told one by one; the rest is summed up. */
export const ROUTES_TOLD = 1_000;
const LIMIT_ROUTES_TOLD = 20;

export function makeReport(figures: Figures, sources: readonly HttpSource[]): HttpReport {
  const { options, totals, slots, dimensions } = figures;
  const names = new Names(figures, sources);
  const axis = axisOf(figures);
  const { whole } = totals;
  const sum = (what: 'bytes' | 'lines' | 'comments' | 'malformed'): number => sources.reduce((all, source) => all + source[what], 0);
  const upstream = figures.upstreams.told();
  const row = (columns: Columns, at: number, source: number): RequestRow => rowOf(columns, at, source, names);
  return {
    version: 1, from: finite(options.from) ?? axis.first, to: finite(options.to) ?? axis.last,
    bytes: sum('bytes'), lines: sum('lines'), rows: totals.rows, comments: sum('comments'), malformed: sum('malformed'), leftOut: totals.leftOut, outside: totals.outside, filteredOut: totals.filteredOut,
    failures: totals.failures, sources: [...sources], ...statusesOf(figures), ...routesOf(figures, names), stepMs: slots.stepMs, minutes: minutesOf(figures, axis), heat: heatOf(figures, names, axis),
    methods: methodGroups(figures), instances: instanceGroups(figures, names),
    hosts: groupsOf(dimensions.hosts, (id) => names.host(id), { whole, taken: true, asIs: false }), clients: groupsOf(dimensions.clients, (id) => names.client(id), { whole, taken: false, asIs: true }),
    agents: groupsOf(dimensions.agents, (id) => names.agent(id), { whole, taken: true, asIs: true }), referrers: groupsOf(dimensions.referrers, (id) => names.referrer(id), { whole, taken: false, asIs: true }),
    total: totalOf(figures), ...(upstream === undefined ? {} : { upstream }), bursts: burstsOf(figures, names), limits: limitsOf(figures, names), slowest: figures.slowestRows.told(row), failed: figures.failedRows.told(row),
  };
}

function finite(at: number | undefined): number | undefined {
  return at !== undefined && Number.isFinite(at) ? Math.max(0, at) : undefined;
}

function rowOf(columns: Columns, at: number, source: number, names: Names): RequestRow {
  const row = requestRow(columns, at, names.source(source), names.format(source));
  const instance = names.instance(source);
  if (instance !== undefined && row.instance === undefined) row.instance = instance;
  return row;
}

type Status = HttpReport['statuses'][number];

/** Ids with one key (a log without sub-status, and what was folded into its status) are one. */
function statusesOf({ status: table, totals }: Figures): Pick<HttpReport, 'byStatus' | 'statuses'> {
  const byKey = new Map<string, number[]>();
  for (let id = 0; id < table.size; id += 1) {
    const key = keyOf(table.entries, id);
    byKey.set(key, [...byKey.get(key) ?? [], id]);
  }
  const value = (id: number, what: number): number => table.entries[id * STATUS_WIDTH + what] as number;
  const statuses = [...byKey].map(([key, ids]): Status => {
    const [first = 0] = ids;
    const status = value(first, STATUS), sub = value(first, SUB), win32 = value(first, WIN32);
    const reason = meaning(status, sub < 0 ? undefined : sub, win32 < 0 ? undefined : win32)?.says;
    const all = (what: number): number[] => ids.map((id) => value(id, what));
    return {
      key, status, ...(sub < 0 ? {} : { sub }), ...(win32 < 0 ? {} : { win32 }), count: all(ROWS).reduce((a, b) => a + b, 0), ...(reason === undefined ? {} : { reason }),
      firstAt: Math.min(...all(FIRST_AT)), lastAt: Math.max(...all(LAST_AT)), ...table.taken.quantiles(ids, Math.max(...all(LONGEST)), totals.whole),
    };
  }).sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1));
  return { byStatus: Object.fromEntries(statuses.map(({ key, count }) => [key, count])), statuses };
}

function totalOf({ status, totals }: Figures): HttpReport['total'] {
  const ids = Array.from({ length: status.size }, (_, id) => id);
  return status.taken.quantiles(ids, Math.max(0, ...ids.map((id) => status.entries[id * STATUS_WIDTH + LONGEST] as number)), totals.whole);
}

function routesOf({ routes: { counts }, totals }: Figures, names: Names): Pick<HttpReport, 'routes' | 'otherRoutes'> {
  const value = (id: number, what: number): number => counts.values[id * ROUTE_WIDTH + what] as number;
  const { ids, rest } = foremost(counts, ROUTE_WIDTH, ROUTES_TOLD);
  const { told, rest: untold } = chosen(counts.inOrder(ids), (id) => value(id, COUNT), ROUTES_TOLD);
  const routes = told.map((id) => {
    const { method, route } = names.route(id);
    // One by one: to spread a thousand small objects takes longer than to make them.
    const one: HttpReport['routes'][number] = { method, route, count: value(id, COUNT), failures: value(id, FAILURES), clientErrors: value(id, CLIENT_ERRORS) };
    if (value(id, SENT_ROWS) > 0) one.sentBytes = value(id, SENT);
    if (value(id, LOST) > 0) one.maybeMore = value(id, LOST);
    return withQuantiles(one, counts.taken.quantiles([id], value(id, MAX), totals.whole));
  });
  const { distinct, estimated } = counts.howMany();
  for (const id of untold) { rest.count += value(id, COUNT); rest.failures += value(id, FAILURES); }
  return { routes, otherRoutes: { ...rest, distinct: Math.max(counts.size - told.length, distinct - told.length), ...(estimated === undefined ? {} : { estimated }) } };
}

/** All steps of the axis, those without rows too. */
function minutesOf({ slots, totals }: Figures, axis: ReturnType<typeof axisOf>): HttpReport['minutes'] {
  return axis.steps(slots.stepMs).map((at) => {
    const id = slots.slotAt(at);
    if (id === undefined) return { at, count: 0, failures: 0 };
    const [count = 0, failures = 0] = slots.values.subarray(id * SLOT_WIDTH);
    return withQuantiles<HttpReport['minutes'][number]>({ at, count, failures }, slots.taken.quantiles([id], slots.values[id * SLOT_WIDTH + SLOT_LONGEST] as number, totals.whole));
  });
}

function limitsOf({ limits }: Figures, names: Names): HttpReport['limits'] {
  return limits.told().map(({ routes, ...limit }) => ({
    ...limit,
    routes: routes.filter(([id]) => id >= 0).map(([id, count]) => ({ ...names.route(id), count })).sort((a, b) => b.count - a.count || (a.route < b.route ? -1 : a.route > b.route ? 1 : a.method < b.method ? -1 : 1)).slice(0, LIMIT_ROUTES_TOLD),
  })).sort((a, b) => b.count - a.count || a.limitMs - b.limitMs);
}
