// Owns which of the requests that clients gave up were kept waiting: far longer than their route takes, by the same norm as the report's.
import type { RequestRow } from '../shared/model.ts';
import { ABSENT } from '../observe/http-log/columns.ts';
import { RouteNorms } from './events/norms.ts';
import { SLOW_LEAST_MS, isSlow } from './events/rows.ts';
import { isClientAbort } from './parse/http-facts.ts';

/** `rows`: what is normal here, in order of time; of those that were given up, the ones since `since` that were kept waiting. */
export function keptWaiting(rows: readonly RequestRow[], since: number): ReadonlySet<RequestRow> {
  const long = rows.filter((row) => row.at >= since && (row.takenMs ?? 0) > SLOW_LEAST_MS && isClientAbort(row));
  const [first] = rows, last = rows.at(-1);
  if (long.length === 0 || first === undefined || last === undefined) return new Set();
  const routes = new Set(long.map(nameOf));
  const norms = new RouteNorms({ from: first.at, to: last.at });
  for (const row of rows) {
    if (!routes.has(nameOf(row)) || isClientAbort(row)) continue;
    norms.add(norms.idOf(row.method, row.route), row.at, row.status === 101 ? ABSENT : row.takenMs ?? ABSENT, row.status >= 500);
  }
  const normal = norms.told();
  return new Set(long.filter(({ method, route, takenMs }) => isSlow({ method, route, takenMs }, normal)));
}

const nameOf = (row: RequestRow): string => `${row.method} ${row.route}`;
