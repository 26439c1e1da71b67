// Owns the claim of causes that known log lines name: which rows lived while the lines were written, and what that proves.
import type { CauseFact, CauseId, CauseStep } from '../../shared/cause.ts';
import type { Effect } from '../events/effect.ts';
import type { SignEvent } from '../events/event.ts';
import type { Row } from '../events/rows.ts';
import type { Scene } from '../events/scene.ts';
import { signOf, type Sign } from '../events/signs.ts';
import { crashesOf, rowsOf } from './crashes.ts';
import { stoppedAt } from './restarts.ts';
import { plural, rowsFact, weightOf, type Claim, type Told, type Weight } from './cause.ts';

/** A line is written within the request it is about; clocks of logs and buffers differ by this much. */
const NEAR_MS = 2_000;
/** Lines at which nothing failed speak against it from this share on. */
const IDLE_SHARE = 0.6;

export interface SignWords {
  readonly cause: CauseId;
  readonly key?: string;
  readonly signs: readonly SignEvent[];
  /** What such lines do to requests. */
  readonly effects: readonly (Effect | 'slow')[];
  /** The same where no request of these kinds is there: an error that was answered is not the reason of others' silence. */
  readonly orElse?: readonly (Effect | 'slow')[];
  /** How surely a line of this kind means this cause. */
  readonly by: number;
  readonly says: string;
  readonly what: string;                                       // the root, as a step
  readonly more?: readonly Weight[];
  readonly facts?: readonly CauseFact[];
  readonly against?: readonly CauseFact[];
  /** Further rows that are its own whatever the times say. */
  readonly rows?: readonly Row[];
  /** Crashes whose exception is such a line are its doing. */
  readonly crashBy?: readonly Sign[];
  readonly bad?: boolean;
  title(told: Told): string;
  readonly advice: readonly string[];
  readonly mitigations?: readonly string[];
}

export function signClaim(scene: Scene, words: SignWords): Claim[] {
  const times = merge(words.signs);
  const untimed = words.signs.reduce((n, s) => n + s.untimed, 0);
  const number = words.signs.reduce((n, s) => n + s.count, 0);
  const crashed = words.crashBy === undefined ? [] : rowsOf(crashesOf(scene).crashes.filter((c) => c.exception !== undefined && words.crashBy?.includes(signOf(c.exception.sample.text)?.sign ?? 'listening')));
  const ofOthers = new Set(rowsOf(crashesOf(scene).crashes));
  const nearOf = (effects: SignWords['effects']): Row[] => {
    const open = [...scene.rows.failed, ...scene.rows.slow, ...scene.rows.long].filter((row) => !ofOthers.has(row) && effects.some((e) => (e === 'slow' ? row.effect === 'fine' : row.effect === e)) && !(row.effect === 'stopped' && stoppedAt(scene, row)));
    return ofNamed(scene, words.signs, times.length > 0 ? open.filter((row) => has(times, row.from - NEAR_MS, row.until + NEAR_MS)) : untimed > 0 && crashed.length === 0 ? open.filter((row) => row.effect !== 'fine') : []);
  };
  const answering = nearOf(words.effects);
  const near = answering.length > 0 ? answering : nearOf(words.orElse ?? []);
  const rows = [...new Set([...words.rows ?? [], ...near, ...crashed])].sort((a, b) => a.at - b.at);
  if (number === 0 && rows.length === 0 && (words.facts ?? []).length === 0) return [];
  const weights: Weight[] = [...(number > 0 ? [{ by: words.by, says: words.says }] : []), ...words.more ?? []];
  if (near.length > 0 && times.length > 0) weights.push({ by: 0.5, says: `${plural(Math.round(weightOf(near)), 'request')} failed or waited while it was written` });
  if (near.length > 0 && times.length === 0) weights.push({ by: -0.2, says: 'the log has no times, so which requests it was is not seen' });
  if (crashed.length > 0) weights.push({ by: 0.5, says: 'the process died of that very error' });
  const idle = times.filter((at) => !rows.some((row) => row.from - NEAR_MS <= at && row.until + NEAR_MS >= at)).length;
  if (rows.length > 0 && times.length >= 5 && idle > times.length * IDLE_SHARE) weights.push({ by: -0.35, says: 'the same was written when nothing failed' });
  const [first] = words.signs;
  const steps: CauseStep[] = [
    { ...(times[0] === undefined ? {} : { at: times[0] }), what: words.what, ...(first === undefined ? {} : { detail: first.text }), part: 'root' },
    ...(rows[0] === undefined ? [] : [{ at: rows[0].at, what: `${plural(Math.round(weightOf(rows)), 'request')} ${rows.every((r) => r.effect === 'fine') ? 'wait for it' : 'fail with it'}`, part: 'effect' as const }]),
  ];
  return [{
    cause: words.cause, key: words.key ?? '', rows, weights, incidents: Math.max(number, words.facts?.length ?? 0), since: times[0], bad: words.bad ?? false,
    for: [...words.signs.slice(0, 3).map(factOf), ...words.facts ?? [], ...rowsFact(rows, 'failed or waited at that time')], against: words.against ?? [],
    chain: steps, title: (told) => words.title(told), advice: words.advice, mitigations: words.mitigations ?? [],
  }];
}

/** Where most lines name the request that they are about, the rows are those requests'; where they do not, requests that other known lines name are left to those. */
function ofNamed(scene: Scene, signs: readonly SignEvent[], rows: readonly Row[]): Row[] {
  const mine = namedBy(signs), theirs = namedBy(scene.logs.signs.filter((s) => !signs.includes(s)));
  const own = mine.size > 0 ? rows.filter((row) => mine.has(`${row.method} ${row.route}`)) : rows.filter((row) => !theirs.has(`${row.method} ${row.route}`));
  return own.length > 0 ? own : [...rows];
}

/** The requests that most of these lines name; none where most name none. */
function namedBy(signs: readonly SignEvent[]): ReadonlySet<string> {
  const naming = signs.reduce((n, s) => n + [...s.routes.values()].reduce((a, b) => a + b, 0), 0);
  return new Set(naming * 2 > signs.reduce((n, s) => n + s.count, 0) ? signs.flatMap((s) => [...s.routes.keys()]) : []);
}

export function factOf(sign: SignEvent): CauseFact {
  return { text: `${sign.text}${sign.count > 1 ? ` (${sign.count.toLocaleString('en-US')} times)` : ''}`, ...(sign.times[0] === undefined ? {} : { at: sign.times[0], until: sign.times.at(-1) ?? sign.times[0] }), where: sign.proof.where, ...(sign.proof.line === undefined ? {} : { proof: sign.proof.line }) };
}

/** "12 times", for a title where no row is known. */
export function timesText(signs: readonly SignEvent[]): string {
  return plural(signs.reduce((n, s) => n + s.count, 0), 'time');
}

export function merge(signs: readonly SignEvent[]): number[] {
  return signs.flatMap((s) => s.times).sort((a, b) => a - b);
}

/** Is there a time in [from, to]? `times` ascending. */
export function has(times: readonly number[], from: number, to: number): boolean {
  let low = 0, high = times.length;
  while (low < high) { const middle = (low + high) >> 1; if ((times[middle] as number) < from) low = middle + 1; else high = middle; }
  return low < times.length && (times[low] as number) <= to;
}

/** Signs by whom they name; those that name nobody join the most frequent that does. */
export function byName(signs: readonly SignEvent[]): { readonly name: string | undefined; readonly signs: readonly SignEvent[] }[] {
  const names = new Map<string, SignEvent[]>();
  const nameless: SignEvent[] = [];
  for (const sign of signs) { if (sign.named === undefined) nameless.push(sign); else names.set(sign.named, [...names.get(sign.named) ?? [], sign]); }
  const groups = [...names].map(([name, list]): { name: string | undefined; signs: readonly SignEvent[] } => ({ name, signs: list }));
  const [top] = groups;
  if (nameless.length === 0) return groups;
  return top === undefined ? [{ name: undefined, signs: nameless }] : [{ name: top.name, signs: [...top.signs, ...nameless] }, ...groups.slice(1)];
}
