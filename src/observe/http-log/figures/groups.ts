// Owns the telling of what rows were counted by: the values with the most failures and the most rows, and what the rest adds up to.
import type { HttpGroups } from '../../../shared/http-report.ts';
import type { Figures } from './figures.ts';
import { Histograms, withQuantiles } from './histograms.ts';
import type { Quantiles } from './histograms.ts';
import type { Names } from './names.ts';
import { COUNT, FAILURES, LOST, MAX, METHOD, ROUTE_WIDTH, WIDTH } from './text-counts.ts';
import type { TextCounts } from './text-counts.ts';

/** Told one by one. */
export const GROUPS_TOLD = 200;

interface Entry { readonly name: string; readonly ids: number[]; count: number; failures: number; lost: number; longest: number }

/** Ids with one name are one value: `asIs` says that the name is the text as it is (hosts differ by capitals only). */
export function groupsOf(counts: TextCounts, nameOf: (id: number) => string, { whole, taken, asIs }: { whole: boolean; taken: boolean; asIs: boolean }): HttpGroups {
  const entries = new Map<string, Entry>();
  const value = (id: number, what: number): number => counts.values[id * WIDTH + what] as number;
  // Of ten thousand clients those that can be told get a name and a place; texts that are not UTF-8 may share a name with one that is.
  const { ids, rest } = asIs && counts.texts.ascii ? foremost(counts, WIDTH, GROUPS_TOLD) : foremost(counts, WIDTH, Infinity);
  for (const id of ids) gather(entries, nameOf(id), { id, count: value(id, COUNT), failures: value(id, FAILURES), lost: value(id, LOST), longest: value(id, MAX) });
  const { distinct, estimated } = counts.howMany();
  return tell([...entries.values()], (entry) => (taken ? counts.taken.quantiles(entry.ids, entry.longest, whole) : {}), {
    count: rest.count, failures: rest.failures, distinct: estimated === undefined ? entries.size + counts.size - ids.length : distinct, estimated,
  });
}

/** Ids among which are all that chosen() would tell of all ids in order, and what the others add up to, with what is not told apart. Ties stay in. */
export function foremost({ size, values, others }: TextCounts, width: number, most: number): { ids: number[]; rest: { count: number; failures: number } } {
  const rows = new Float64Array(size), failures = new Float64Array(size);
  for (let id = 0; id < size; id += 1) { rows[id] = values[id * width + COUNT] as number; failures[id] = values[id * width + FAILURES] as number; }
  const rest = { count: others[COUNT] as number, failures: others[FAILURES] as number };
  const stays = size <= most ? undefined : bounds(rows, failures, most);
  const ids: number[] = [];
  for (let id = 0; id < size; id += 1) {
    const count = rows[id] as number, failed = failures[id] as number;
    if (stays === undefined || count >= stays.rows || failed > stays.failures || (failed === stays.failures && count >= stays.rowsOfEqual)) { ids.push(id); continue; }
    rest.count += count;
    rest.failures += failed;
  }
  return { ids, rest };
}

/** What an id has at least that comes among the first half by failures and then by rows, or among `most` by rows alone. */
function bounds(rows: Float64Array, failures: Float64Array, most: number): { rows: number; failures: number; rowsOfEqual: number } {
  const least = (values: Float64Array, place: number): number => values.slice().sort()[values.length - place] as number;
  const leastFailures = least(failures, most / 2);
  const equal = rows.filter((_, id) => failures[id] === leastFailures), above = failures.reduce((sum, failed) => sum + Number(failed > leastFailures), 0);
  return { rows: least(rows, most), failures: leastFailures, rowsOfEqual: least(equal, most / 2 - above) };
}

/** Of files whose name tells the instance; the rows of others stand in `others`. */
export function instanceGroups({ dimensions, totals }: Figures, names: Names): HttpGroups {
  const entries = new Map<string, Entry>();
  const others = { count: 0, failures: 0 };
  for (const [id, { rows, failures, longest }] of [...dimensions.sources].sort((a, b) => a[0] - b[0])) {
    const name = names.instance(id);
    if (name === undefined) { others.count += rows; others.failures += failures; } else gather(entries, name, { id, count: rows, failures, lost: 0, longest });
  }
  return tell([...entries.values()], ({ ids, longest }) => dimensions.sourcesTaken.quantiles(ids, longest, totals.whole), { ...others, distinct: entries.size, estimated: undefined });
}

/** From the routes: each has one method. */
export function methodGroups({ routes, totals }: Figures): HttpGroups {
  const { counts, letGo, letGoTaken } = routes;
  const entries = new Map<string, Entry>();
  const nameOf = routes.methodIds().map((method) => routes.methodName(method));
  const value = (id: number, what: number): number => counts.values[id * ROUTE_WIDTH + what] as number;
  for (let id = 0; id < counts.size; id += 1) {
    const method = value(id, METHOD);
    gather(entries, nameOf[method < routes.methods.size ? method : nameOf.length - 1] as string, { id, count: value(id, COUNT), failures: value(id, FAILURES), lost: 0, longest: value(id, MAX) });
  }
  const gone = new Map<string, number>();
  for (const method of routes.methodIds()) {
    const [count = 0, failures = 0, longest = 0] = letGo.subarray(method * 3);
    if (count === 0) continue;
    gone.set(routes.methodName(method), method);
    gather(entries, routes.methodName(method), { id: -1, count, failures, lost: 0, longest });
  }
  const quantiles = ({ name, ids, longest }: Entry): Quantiles => {
    const method = gone.get(name);
    if (method === undefined) return counts.taken.quantiles(ids, longest, totals.whole);
    const together = new Histograms();
    together.reserve(1);
    for (const id of ids) if (id >= 0) together.mergeFrom(counts.taken, id, 0);
    together.mergeFrom(letGoTaken, method, 0);
    return together.quantiles([0], longest, totals.whole);
  };
  return tell([...entries.values()], quantiles, { count: 0, failures: 0, distinct: entries.size, estimated: undefined });
}

/** Of ids in order of failures: the first half by failures, the other half by rows, told in the order given. */
export function chosen(inOrder: readonly number[], count: (id: number) => number, most: number): { told: number[]; rest: number[] } {
  if (inOrder.length <= most) return { told: [...inOrder], rest: [] };
  const byRows = inOrder.slice(most / 2).map((id, place) => ({ id, place, rows: count(id) })).sort((a, b) => b.rows - a.rows || a.place - b.place);
  const stay = new Set([...inOrder.slice(0, most / 2), ...byRows.slice(0, most / 2).map(({ id }) => id)]);
  return { told: inOrder.filter((id) => stay.has(id)), rest: inOrder.filter((id) => !stay.has(id)) };
}

function gather(entries: Map<string, Entry>, name: string, { id, count, failures, lost, longest }: Omit<Entry, 'ids' | 'name'> & { id: number }): void {
  const known = entries.get(name);
  if (known === undefined) { entries.set(name, { name, ids: [id], count, failures, lost, longest }); return; }
  known.ids.push(id);
  known.count += count;
  known.failures += failures;
  known.lost += lost;
  known.longest = Math.max(known.longest, longest);
}

function tell(entries: Entry[], quantiles: (entry: Entry) => Quantiles, rest: { count: number; failures: number; distinct: number; estimated: number | undefined }): HttpGroups {
  entries.sort((a, b) => b.failures - a.failures || b.count - a.count || (a.name < b.name ? -1 : 1));
  const order = entries.map((_, i) => i);
  const { told, rest: untold } = chosen(order, (i) => entries[i]?.count ?? 0, GROUPS_TOLD);
  const others = { count: rest.count, failures: rest.failures };
  for (const i of untold) { others.count += entries[i]?.count ?? 0; others.failures += entries[i]?.failures ?? 0; }
  const top = told.flatMap((i) => {
    const entry = entries[i];
    if (entry === undefined) return [];
    const { name, count, failures, lost } = entry;
    const one: HttpGroups['top'][number] = { name, count, failures };
    if (lost > 0) one.maybeMore = lost;
    return [withQuantiles(one, quantiles(entry))];
  });
  return { top, others, distinct: rest.distinct, ...(rest.estimated === undefined ? {} : { estimated: rest.estimated }) };
}
