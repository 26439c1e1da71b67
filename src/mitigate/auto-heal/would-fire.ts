// Owns when auto-heal would have fired over what is recorded: its counters as documented, with the age of the process and what a recycle sets back.
import { plainRules, type AutoHealRules, type WouldFire } from '../../shared/auto-heal.ts';
import { seconds, statusKey } from '../../shared/auto-heal-bounds.ts';
import { Rule } from '../../shared/rules.ts';
import { duration } from '../../shared/units.ts';
import { selectorOf, type Signal } from '../rules/meter.ts';
import { lineMatchers } from '../rules/log-signals.ts';
import { tryRule, type Past } from '../rules/trial.ts';

type Told = WouldFire['triggers'][number];
type Request = Extract<Signal, { kind: 'request' }>;
interface Counting { readonly on: string; readonly says: string; readonly count: number; readonly withinMs: number; readonly path?: string | undefined; isCounted(one: Request): boolean }
interface Acting { readonly leastMs: number; readonly recycles: boolean }

/** Firings that are listed; the count is whole. */
const LISTED = 200;
const MIN_COOLDOWN_MS = 60_000;
const PATHS = 'A path counts all that begins with it; how the platform compares is not documented.';

export async function wouldFire(given: AutoHealRules, past: Past, from: number, to: number): Promise<WouldFire> {
  const { triggers, actions } = plainRules(given);
  if (triggers === undefined || actions === undefined) return { from, to, triggers: [] };
  const acting: Acting = { leastMs: 1_000 * (seconds(actions.minProcessExecutionTime) ?? 0), recycles: actions.actionType === 'Recycle' };
  const told: Told[] = [];
  const counting = countingOf(triggers);
  if (counting.length > 0) told.push(...await overRequests(counting, acting, past, from, to));
  if (triggers.privateBytesInKB !== undefined) told.push(await overMemory(triggers.privateBytesInKB, acting, past, from, to));
  return { from, to, triggers: told };
}

function countingOf({ requests, statusCodes = [], statusCodesRange = [], slowRequests, slowRequestsWithPath = [] }: NonNullable<AutoHealRules['triggers']>): Counting[] {
  const within = (timeInterval: string): number => 1_000 * (seconds(timeInterval) ?? 0);
  const counted = (on: string, what: string, { count, timeInterval, path }: { count: number; timeInterval: string; path?: string | undefined }, isCounted: Counting['isCounted']): Counting => ({ on, says: `${count} ${what} within ${duration(within(timeInterval))}`, count, withinMs: within(timeInterval), path, isCounted });
  return [
    ...(requests ? [counted('requests', 'requests', requests, () => true)] : []),
    ...statusCodes.map((one, i) => { const select = selectorOf({ type: 'status', status: statusKey({ ...one, path: undefined }), count: one.count, withinMs: within(one.timeInterval) }, lineMatchers); return counted(`statusCodes.${i}`, `answers ${statusKey(one)}`, one, (row) => select.counts(row) > 0); }),
    ...statusCodesRange.map((one, i) => { const [least = 0, most = least] = one.statusCodes.split('-').map(Number); return counted(`statusCodesRange.${i}`, `answers ${one.statusCodes}${one.path ? ` on ${one.path}` : ''}`, one, ({ status }) => status >= least && status <= most); }),
    ...[...(slowRequests ? [['slowRequests', slowRequests] as const] : []), ...slowRequestsWithPath.map((one, i) => [`slowRequestsWithPath.${i}`, one] as const)].map(([on, one]) => counted(on, `requests over ${duration(within(one.timeTaken))}${one.path ? ` on ${one.path}` : ''}`, one, ({ takenMs }) => takenMs !== undefined && takenMs >= within(one.timeTaken))),
  ];
}

async function overRequests(counting: readonly Counting[], acting: Acting, past: Past, from: number, to: number): Promise<Told[]> {
  const found = await past.requests(from, to);
  if (found === undefined) return counting.map(({ on, says }) => ({ on, says, firedCount: 0, fired: [], cannot: 'there is no HTTP log of that time' }));
  const rows = found.signals.filter((one): one is Request => one.kind === 'request').sort((a, b) => a.at - b.at);
  const starts = (await past.tracks(from, to)).map(({ startedAt }) => startedAt).sort((a, b) => a - b);
  return counting.map((one) => {
    const path = one.path?.toLowerCase();
    const times = rows.filter((row) => one.isCounted(row) && (path === undefined || row.path.toLowerCase().startsWith(path))).map(({ at }) => at);
    const { fired, tooYoung } = simulated(times, one, acting, starts);
    const notes = [
      ...(tooYoung > 0 ? [`The condition held for ${tooYoung} more ${tooYoung === 1 ? 'request' : 'requests'} while the process was younger than ${duration(acting.leastMs)}.`] : []),
      ...(starts.length === 0 && acting.leastMs > 0 ? ['Starts of the process are not recorded: only its age after a firing is known.'] : []),
      ...(found.since !== undefined && found.since > from ? ['The log is too long to be tried whole: only its newest part was.'] : []), ...(path === undefined ? [] : [PATHS]),
      ...(fired.length > 1 && acting.recycles ? ['After the first recycle the load might have gone on differently.'] : []),
    ];
    return { on: one.on, says: one.says, firedCount: fired.length, fired: fired.slice(0, LISTED).map((at) => ({ at, says: `${one.count} within ${duration(one.withinMs)}` })), ...(notes.length > 0 ? { note: notes.join(' ') } : {}) };
  });
}

/** Counters begin anew with each process and each firing. Pure; `times` and `starts` oldest first. */
export function simulated(times: readonly number[], { count, withinMs }: Pick<Counting, 'count' | 'withinMs'>, { leastMs, recycles }: Acting, starts: readonly number[]): { readonly fired: number[]; readonly tooYoung: number } {
  const fired: number[] = [];
  let begin = 0, next = 0, startedAt = -Infinity, tooYoung = 0;
  times.forEach((at, i) => {
    for (; next < starts.length && (starts[next] as number) <= at; next += 1) {
      startedAt = Math.max(startedAt, starts[next] as number);
      while (begin < i && (times[begin] as number) < startedAt) begin += 1;
    }
    while ((times[begin] as number) <= at - withinMs) begin += 1;
    if (i - begin + 1 < count) return;
    if (at - startedAt < leastMs) { tooYoung += 1; return; }
    fired.push(at);
    begin = i + 1;
    if (recycles) startedAt = at;
  });
  return { fired, tooYoung };
}

async function overMemory(limitKB: number, { leastMs }: Acting, past: Past, from: number, to: number): Promise<Told> {
  const rule = Rule.parse({ id: 'auto-heal-memory', when: { type: 'metric', metric: 'process.private-bytes', above: limitKB * 1_024 }, warmUpMs: leastMs, do: [{ type: 'notify' }], limits: { cooldownMs: Math.max(leastMs, MIN_COOLDOWN_MS) } });
  const { fired, firedCount, cannot, measured, note } = await tryRule(rule, past, from, to);
  const notes = [...(note === undefined ? [] : [note]), 'All processes of the site were looked at, children of the worker too.'];
  return { on: 'privateBytesInKB', says: `${limitKB} KB of private bytes`, firedCount, fired: fired.slice(0, LISTED), ...(cannot !== undefined ? { cannot } : measured === 0 ? { cannot: 'private bytes were not measured then' } : { note: notes.join(' ') }) };
}
