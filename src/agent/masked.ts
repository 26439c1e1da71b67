// Owns which texts of a request, and of the report on HTTP logs, are masked before they leave.
import type { HttpGroups, HttpReport } from '../shared/http-report.ts';
import type { RequestRow } from '../shared/model.ts';

type Mask = (text: string) => string;

/** A path may hold a token, and what the site keeps secret may stand anywhere in a request. */
export function maskedRow(row: RequestRow, mask: Mask): RequestRow {
  const masked = { ...row };
  masked.path = mask(row.path);
  masked.route = mask(row.route);
  if (row.query !== undefined) masked.query = mask(row.query);
  if (row.userAgent !== undefined) masked.userAgent = mask(row.userAgent);
  if (row.referrer !== undefined) masked.referrer = mask(row.referrer);
  if (row.host !== undefined) masked.host = mask(row.host);
  return masked;
}

/** Every text of the report that a request brought along. */
export function maskedReport(report: HttpReport, maskOne: Mask): HttpReport {
  // The same routes, hosts and agents stand in hundreds of rows.
  const known = new Map<string, string>();
  const mask = (text: string): string => {
    let masked = known.get(text);
    if (masked === undefined) { masked = maskOne(text); known.set(text, masked); }
    return masked;
  };
  // Nearly all stay as they are.
  const routed = <R extends { route: string }>(one: R): R => {
    const route = mask(one.route);
    return route === one.route ? one : { ...one, route };
  };
  const named = (groups: HttpGroups): HttpGroups => ({ ...groups, top: groups.top.map((one) => ({ ...one, name: mask(one.name) })) });
  const rows = (some: readonly RequestRow[]): RequestRow[] => some.map((row) => maskedRow(row, mask));
  const { heat, methods, hosts, clients, agents, referrers } = report;
  return {
    ...report,
    routes: report.routes.map(routed), heat: { ...heat, rows: heat.rows.map(routed) },
    methods: named(methods), hosts: named(hosts), clients: named(clients), agents: named(agents), referrers: named(referrers),
    bursts: report.bursts.map((burst) => ({ ...burst, shares: burst.shares.map((one) => ({ ...one, value: mask(one.value) })) })),
    limits: report.limits.map((one) => ({ ...one, routes: one.routes.map(routed) })),
    slowest: rows(report.slowest), failed: rows(report.failed),
  };
}
