// Owns the crashes of a scene, each once: which process ended how, of which exception, which requests it ended and which found nobody afterwards; the causes that end processes share them.
import type { CauseFact, CauseStep } from '../../shared/cause.ts';
import { duration } from '../../shared/units.ts';
import { matchExceptions } from '../crash-story.ts';
import { exceptionName } from '../crash-chain.ts';
import type { ExceptionGroup } from '../parse/exceptions.ts';
import { exitWords } from '../parse/exits.ts';
import type { ExitEvent } from '../events/event.ts';
import type { Row } from '../events/rows.ts';
import type { Sign } from '../events/signs.ts';
import type { Scene } from '../events/scene.ts';
import { clock, count, oneLine, plural, rowsFact, weightOf } from './cause.ts';

/** How a process ended, as far as it can be told from what stands beside the exit. */
export type Ending = 'heap-limit' | 'memory-kill' | 'native' | 'rejection' | 'exception' | 'starting' | 'unknown';

export interface Ended {
  readonly exit: ExitEvent;
  readonly ending: Ending;
  readonly exception: ExceptionGroup | undefined;
  readonly ended: readonly Row[];                              // in mid-request
  readonly refused: readonly Row[];                            // found nobody until the next start
  readonly livedMs: number | undefined;
  readonly nextAt: number;
}

/** A row's second is cut off, and an exit seen by sampling is seen up to two seconds late. */
const BEFORE_MS = 2_000;
const AFTER_MS = 1_200;
/** Without a start on record: back-off and start of a worker are over by then in nearly every app. */
const GAP_MS = 30_000;
const SIGN_NEAR_MS = 10_000;
const HEAP_FULL = 0.9;

const kept = new WeakMap<Scene, { crashes: readonly Ended[]; inferred: boolean }>();

export function crashesOf(scene: Scene): { readonly crashes: readonly Ended[]; readonly inferred: boolean } {
  const known = kept.get(scene);
  if (known) return known;
  const made = crashes(scene);
  kept.set(scene, made);
  return made;
}

function crashes(scene: Scene): { crashes: readonly Ended[]; inferred: boolean } {
  const seen = scene.lives.exits.filter((e) => !e.planned && !endedLate(e, scene));
  const watched = seen.length > 0 || scene.has.has('exits');
  const unplanned = watched ? seen : fromRows(scene);
  const matched = matchExceptions(unplanned, scene.logs.exceptions);
  const { of, inferred } = watched || matched.of.size > 0 ? matched : lastWords(unplanned, scene.logs.exceptions);
  const claimed = new Set<Row>();
  const take = (fits: (row: Row) => boolean): Row[] => scene.rows.failed.filter((row) => {
    if (claimed.has(row) || !fits(row)) return false;
    claimed.add(row);
    return true;
  });
  const made = unplanned.map((exit, i): Ended => {
    const nextAt = backAt(exit, scene);
    const nextExit = unplanned[i + 1]?.at ?? Infinity;
    const exception = of.get(exit);
    return {
      exit, exception, nextAt, livedMs: exit.startedAt === undefined ? undefined : Math.max(0, exit.at - exit.startedAt),
      ending: endingOf(exit, exception, scene),
      ended: take((row) => brokeOff(row) && row.until >= exit.at - BEFORE_MS && row.at <= exit.at + AFTER_MS && row.from <= exit.at + AFTER_MS),
      refused: take((row) => foundNobody(row) && row.until >= exit.at - BEFORE_MS && row.at <= Math.min(nextAt, nextExit) + AFTER_MS),
    };
  });
  return { crashes: afterStop(made, scene, take).filter(knownBad), inferred };
}

/** The platform ended it because it did not listen in time: its end is the platform's, the cause lies before. */
function endedLate(exit: ExitEvent, scene: Scene): boolean {
  return exit.starting && scene.signs('listen-late', 'start-slow').some((s) => s.times.some((at) => Math.abs(at - exit.at) <= BEFORE_MS * 2));
}

/** Where nobody watched the processes: requests that break off, and at once others that are refused, are what a process leaves that went. */
function fromRows({ rows: { failed, slots, slotMs } }: Scene): ExitEvent[] {
  const found: ExitEvent[] = [];
  const answered = (from: number, to: number): boolean => slots.some((s) => s.at > from && s.at + slotMs <= to && s.total > s.failed);
  const refused = failed.filter((r) => r.effect === 'refused');
  for (const row of failed) {
    if (row.effect !== 'broke' || found.some((e) => row.at - e.at <= GAP_MS && !answered(e.at, row.at))) continue;
    const next = refused.find((r) => r.at >= row.at - BEFORE_MS && r.at - row.at <= NEXT_MS && r.instance === row.instance);
    if (next) found.push({ at: row.until, pid: undefined, code: undefined, signal: undefined, planned: false, starting: false, startedAt: undefined, said: undefined, instance: row.instance, proof: { where: `${oneLine(row.source, 120)}, byte ${row.offset}` } });
  }
  return found;
}

/** Where nobody saw exits and the log tells no times, the one exception that a runtime died of is that of the ends that rows show. */
function lastWords(exits: readonly ExitEvent[], groups: readonly ExceptionGroup[]): ReturnType<typeof matchExceptions<ExitEvent>> {
  const fatal = groups.filter((g) => g.fatal > 0);
  const only = fatal.length === 1 ? fatal[0] : undefined;
  return { of: new Map(only === undefined ? [] : exits.map((e) => [e, only])), inferred: only !== undefined && exits.length > 0 };
}
/** A front tries the dead process again with the very next requests. */
const NEXT_MS = 5_000;

/** When somebody listens again: the next start, or never where starts are watched and none came. */
function backAt(exit: ExitEvent, { lives, window }: Scene): number {
  const told = lives.starts.some((s) => s.listening);
  const next = lives.starts.find((s) => s.at > exit.at && (s.listening || !told))?.at;
  return next ?? (told || exit.starting ? window.to : exit.at + GAP_MS);
}

/** After too many crashes the platform stops the app: what it answers from then on belongs to the last crash. */
function afterStop(made: readonly Ended[], scene: Scene, take: (fits: (row: Row) => boolean) => Row[]): Ended[] {
  const stops = scene.lives.restarts.filter((r) => r.by === 'stopped');
  return made.map((one, i) => {
    const stop = stops.find((s) => s.at >= one.exit.at - BEFORE_MS && s.at <= one.exit.at + GAP_MS);
    const next = made[i + 1]?.exit.at ?? Infinity;
    if (!stop || next <= stop.at) return one;
    const until = scene.lives.starts.find((s) => s.at > stop.at)?.at ?? Infinity;
    return { ...one, refused: [...one.refused, ...take((row) => (row.effect === 'stopped' || row.effect === 'refused' || row.effect === 'gateway') && row.until >= stop.at - BEFORE_MS && row.at <= until)] };
  });
}

const brokeOff = (row: Row): boolean => row.effect === 'broke' || (row.effect === 'gateway' && row.status === 502);
const foundNobody = (row: Row): boolean => row.effect === 'refused' || row.effect === 'stopped' || row.effect === 'unstartable' || (row.effect === 'gateway' && row.status !== 504);

/** An exit whose code nobody saw counts as a crash only when an exception or a broken request stands beside it. */
function knownBad({ exit, exception, ended }: Ended): boolean {
  return exit.code !== undefined || exit.signal !== undefined || exit.said !== undefined || exception !== undefined || ended.length > 0;
}

/** Exit codes of Windows for faults; of POSIX, 128 + the signal. */
const NATIVE_SIGNALS = /^SIG(?:SEGV|BUS|ILL|FPE|ABRT|TRAP|SYS)$|^0x[cC8]/;
const NATIVE_CODES = new Set([139, 135, 132, 136, 133]);
/** How the system ends a process whose native code faults. */
export const isFault = ({ code, signal }: Pick<ExitEvent, 'code' | 'signal'>): boolean => (signal !== undefined && NATIVE_SIGNALS.test(signal)) || (code !== undefined && (NATIVE_CODES.has(code) || (code < 0 && code !== -1) || code >= 0x8000_0000));

function endingOf(exit: ExitEvent, exception: ExceptionGroup | undefined, scene: Scene): Ending {
  const near = (...signs: readonly Sign[]): boolean => scene.signs(...signs).some((s) => (exit.pid !== undefined && s.pids.has(exit.pid)) || s.times.some((at) => Math.abs(at - exit.at) <= SIGN_NEAR_MS) || (s.untimed > 0 && s.pids.size === 0));
  const said = exit.said ?? '';
  if (near('js-heap-out') || /heap out of memory|Reached heap limit/i.test(said) || wasFull(exit, scene)) return 'heap-limit';
  if (exit.thrown === true) return 'exception';
  if (exit.starting && (exit.signal === 'SIGKILL' || exit.signal === 'SIGTERM')) return 'starting';
  if (exit.signal === 'SIGKILL' || exit.code === 137) return 'memory-kill';
  if (isFault(exit)) return 'native';
  if (exit.code === 134) return exception && exception.fatal > 0 ? 'exception' : 'native';
  if (exit.starting) return 'starting';
  if (exception) return isRejection(exception) || /Unhandled ?Promise ?Rejection|unhandled rejection/i.test(said) ? 'rejection' : 'exception';
  if (near('unhandled-rejection')) return 'rejection';
  if (/^\w*(?:Error|Exception)\b/.test(said)) return 'exception';
  return near('uncaught-exception') ? 'exception' : 'unknown';
}

/** The app's own last word: its heap stood at its limit when the process went by abort. */
function wasFull(exit: ExitEvent, scene: Scene): boolean {
  if (exit.signal !== 'SIGABRT' && exit.code !== 134 && exit.signal !== 'SIGTRAP' && exit.code !== 133) return false;
  return scene.inside.apps.some((app) => app.pid === exit.pid && app.heap !== undefined && app.heap.limit > 0 && app.heap.used / app.heap.limit >= HEAP_FULL);
}

/** Node says it in the first lines: the throw came from its promise machinery. */
export function isRejection(exception: ExceptionGroup): boolean {
  return /UnhandledPromiseRejection|ERR_UNHANDLED_REJECTION|node:internal\/process\/promises|fromPromise|Unhandled ?Rejection/i.test(`${exception.type}\n${exception.sample.text.slice(0, 2_000)}`) || ofPromise(exception.sample.text);
}

/** V8 keeps ten frames. */
const FRAMES_KEPT = 10;

/** Of a rejected Error Node prints only the error. Each callback is called by Node's own frames; what stands on no such frame, or goes on after an await, ran as a promise's job. */
function ofPromise(text: string): boolean {
  if (!/^Node\.js v\d/m.test(text)) return false;
  const frames = text.match(/^\s+at [^\n]+/gm) ?? [];
  return frames.some((f) => /^\s+at async /.test(f)) || (frames.length > 0 && frames.length < FRAMES_KEPT && !frames.some((f) => /\bnode:|<anonymous>\)?$/.test(f)));
}

/** Crashes of one ending, by what they have in common. */
export function culpritsOf(crashes: readonly Ended[]): { readonly key: string; readonly exception: ExceptionGroup | undefined; readonly crashes: readonly Ended[] }[] {
  const byKey = new Map<string, Ended[]>();
  for (const crash of crashes) { const key = crash.exception?.key ?? ''; byKey.set(key, [...byKey.get(key) ?? [], crash]); }
  return [...byKey].map(([key, list]) => ({ key, exception: list[0]?.exception, crashes: list })).sort((a, b) => b.crashes.length - a.crashes.length || (a.key < b.key ? -1 : 1));
}

export const rowsOf = (crashes: readonly Ended[]): Row[] => crashes.flatMap((c) => [...c.ended, ...c.refused]);

/** The only route that was in flight each time: one crash proves nothing, unless it ended one request alone. */
export function triggerOf(crashes: readonly Ended[]): string | undefined {
  const groups = crashes.filter((c) => c.ended.length > 0).map((c) => new Set(c.ended.map((row) => `${row.method} ${row.route}`)));
  const [first, ...rest] = groups;
  if (!first) return undefined;
  const common = [...first].filter((route) => rest.every((group) => group.has(route)));
  return common.length === 1 && (groups.length > 1 || first.size === 1) ? common[0] : undefined;
}

export function crashFacts(crashes: readonly Ended[]): CauseFact[] {
  const [first] = crashes;
  const facts = crashes.slice(0, 3).map((c): CauseFact => ({ text: `${who(c.exit)} ended with ${exitWords(c.exit)}${c.livedMs === undefined ? '' : ` after ${duration(c.livedMs)}`}`, at: c.exit.at, where: c.exit.proof.where, ...(c.exit.proof.line === undefined ? {} : { proof: c.exit.proof.line }) }));
  const ended = crashes.flatMap((c) => c.ended), refused = crashes.flatMap((c) => c.refused);
  const thrown: CauseFact[] = first?.exception === undefined ? [] : [{ text: exceptionName(first.exception, true), ...(first.exception.sample.at === undefined ? {} : { at: first.exception.sample.at }), where: oneLine(first.exception.sample.source, 120), proof: first.exception.sample.text.slice(0, 1_200) }];
  return [...thrown, ...facts, ...rowsFact(ended, 'broke off in the second in which the process ended'), ...rowsFact(refused, 'found nobody listening until the next process did')];
}

export function crashSteps(crashes: readonly Ended[], root: CauseStep[]): CauseStep[] {
  const shown = crashes.find((c) => c.ended.length > 0) ?? crashes.find((c) => c.refused.length > 0) ?? crashes[0];
  if (!shown) return root;
  return [
    ...root, { at: shown.exit.at, what: `${who(shown.exit)} ends with ${exitWords(shown.exit)}`, detail: crashes.length === 1 ? 'the only time' : `one of ${count(crashes.length)} times`, part: root.length > 0 ? 'link' : 'root' },
    ...(shown.ended.length > 0 ? [{ at: shown.ended[0]?.at ?? shown.exit.at, what: `${plural(Math.round(weightOf(shown.ended)), 'request')} in flight ${shown.ended.length === 1 ? 'breaks' : 'break'} off`, part: 'effect' as const }] : []),
    ...(shown.refused.length > 0 ? [{ at: shown.refused[0]?.at ?? shown.exit.at, what: `${plural(Math.round(weightOf(shown.refused)), 'request finds', 'requests find')} nobody listening`, detail: `until ${clock(shown.nextAt)}`, part: 'effect' as const }] : []),
  ];
}

export function who(exit: Pick<ExitEvent, 'pid'>): string {
  return exit.pid === undefined ? 'The process' : `Process ${exit.pid}`;
}
