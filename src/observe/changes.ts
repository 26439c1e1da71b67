// Owns what changed: starts, exits with codes, deployments and the rest, merged from several sources that arrive in any order.
import type { Change, ProcessInfo, ProcessKey, Role } from '../shared/model.ts';
import type { Journal } from '../store/store.ts';
import { sayError } from '../shared/errors.ts';
import type { Explanation } from './errors.ts';
import { exitTitle } from './events.ts';
import type { End, EventChange } from './events.ts';
import type { Feed, ProcessExit } from './observe.ts';
import { ofSite } from './samplers/process.ts';

export const CHANGES_KEPT = 1_000;
/** Changes of processes that are not worth a mark each when an app starts one per request: beyond this a minute they are only counted. */
const PROCESS_CHANGES_A_MINUTE = 60;
/** The event log's instant, our own look once a second and the start times of Linux (whole seconds of boot) differ by this much. */
const SAME_EXIT_MS = 30_000;
/** The start of a process (on Linux up to a second early) against our noticing that its predecessor with that pid has ended. */
const REUSED_MS = 2_000;
/** An exit this soon after a restart that was asked for is that restart's. */
const ASKED_MS = 60_000;
/** Errors of processes remembered to explain their exits. */
const ERRORS_KEPT = 200;
/** An error this long before the exit does not explain it. */
const EXPLAINS_MS = 60_000;

/** Roles whose starts and exits are told. Other children (shells, tools) come and go with requests. */
const TOLD: Readonly<Partial<Record<Role, string>>> = { worker: 'Worker', node: 'Node', php: 'PHP', java: 'Java', dotnet: '.NET', python: 'Python' };

interface Exit { readonly id: string; readonly key: ProcessKey; readonly name: string; readonly what: string; change: Change }

export interface ChangesOptions {
  readonly feed: Feed<Change>;
  readonly journal: Journal<Change>;
  /** As the platform says it of itself. */
  readonly startsEarlyMs?: number | undefined;
}

export class Changes {
  readonly #feed: Feed<Change>;
  readonly #journal: Journal<Change>;
  readonly #startsEarlyMs: number;
  /** The newest form of each change, oldest first. */
  readonly #known = new Map<string, Change>();
  readonly #exits = new Map<string, Exit>();
  /** Newest error of a pid, from the files that carry the pid in their names. */
  readonly #errors = new Map<number, Explanation & { readonly at: number }>();
  #living = new Map<number, ProcessInfo>();
  #list: readonly ProcessInfo[] | undefined;
  #minute = 0;
  #thisMinute = 0;
  #untold = 0;
  #unsaved = 0;
  #saveError: string | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: ChangesOptions) {
    this.#feed = options.feed;
    this.#journal = options.journal;
    this.#startsEarlyMs = options.startsEarlyMs ?? 0;
  }

  /** Brings back what earlier runs saw, or what another agent of the instance has told since. */
  async load(limit = CHANGES_KEPT): Promise<void> {
    const { entries } = await this.#journal.recent(limit);
    // Newest first: the first of an id is its last word.
    const newest = new Map<string, Change>();
    for (const change of entries) if (!newest.has(change.id)) newest.set(change.id, change);
    for (const change of [...newest.values()].reverse().sort((a, b) => a.at - b.at)) {
      const before = this.#known.get(change.id);
      if (before !== undefined && same(before, change)) continue;
      this.#remember(change);
      this.#feed.publish(change);
    }
  }

  /** A change of any source; one with a known id adds to what is known. Nothing is told twice. */
  publish(change: Change): void {
    const before = this.#known.get(change.id);
    const after = before === undefined ? change : { ...before, ...change };
    if (before !== undefined && same(before, after)) return;
    this.#remember(after);
    this.#feed.publish(after);
    this.#saving = this.#saving.then(() => this.#journal.append(after)).catch((error: unknown) => { this.notSaved(error); });
  }

  /** The processes as they are now: what is new has started, what is missing has ended. */
  processes(list: readonly ProcessInfo[], at: number): void {
    if (list === this.#list) return;
    const living = new Map(list.filter((info) => ofSite(info)).map((info) => [info.pid, info]));
    for (const [pid, before] of this.#living) if (living.get(pid)?.startedAt !== before.startedAt) this.#ended(before, at);
    for (const [pid, info] of living) if (this.#living.get(pid)?.startedAt !== info.startedAt) this.#started(info, at);
    this.#living = living;
    this.#list = list;
  }

  /** What a row of the event log said; `record` names the row. */
  event(event: EventChange, record: string): void {
    const { ends, ...change } = event;
    if (ends !== true || change.pid === undefined) {
      const near = change.kind === 'exit' && change.pid === undefined ? this.#unexplained(change.at) : undefined;
      this.publish(near === undefined ? { ...change, id: `event:${record}` } : { ...near, level: 'critical', ...(change.detail === undefined ? {} : { detail: change.detail }) });
      return;
    }
    const { pid } = change;
    const exit = this.#exitOf(pid, change.at, this.#living.get(pid)) ?? this.#exitOfLiving(pid, change.at) ?? this.#newExit({ pid, startedAt: change.at }, 'process', 'Worker', change.at);
    const detail = exit.change.detail ?? change.detail ?? this.#explanation(pid, change.at);
    const end: End = pick(change);
    this.#tell(exit, { ...exit.change, ...change, id: exit.id, title: change.title.startsWith('Worker') ? retitled(exit.what, change.title) : change.title, ...end, ...(detail === undefined ? {} : { detail }) });
  }

  /** An error entry of a process: it may explain an exit that was told before, or one to come. */
  error(pid: number, at: number, error: Explanation): void {
    const before = this.#errors.get(pid);
    // What a dying process says after its exception ("shutting down") does not explain more than the exception.
    if (before?.sure === true && !error.sure && Math.abs(at - before.at) <= EXPLAINS_MS) return;
    this.#errors.delete(pid);
    this.#errors.set(pid, { ...error, at });
    for (const oldest of this.#errors.keys()) { if (this.#errors.size <= ERRORS_KEPT) break; this.#errors.delete(oldest); }
    const exit = this.#exitOf(pid, at);
    if (exit !== undefined && exit.change.level !== 'neutral') this.#tell(exit, { ...exit.change, detail: error.detail });
  }

  exits(since: number): readonly ProcessExit[] {
    return [...this.#exits.values()].filter((exit) => exit.change.at >= since).map(({ key, name, change }) => ({
      process: key, name, at: change.at,
      ...(change.exitCode === undefined ? {} : { exitCode: change.exitCode }), ...(change.signal === undefined ? {} : { signal: change.signal }),
    }));
  }

  lost(): readonly { what: string; count: number }[] {
    return [{ what: 'starts and exits of processes beyond 60 a minute', count: this.#untold }, { what: 'changes that could not be saved', count: this.#unsaved }].filter((one) => one.count > 0);
  }

  /** Why the newest failed save failed. */
  get saveError(): string | undefined { return this.#saveError; }
  get size(): number { return this.#known.size + this.#exits.size + this.#errors.size; }
  notSaved(error: unknown): void {
    this.#unsaved += 1;
    this.#saveError = sayError(error);
  }
  /** Resolves when what was published so far is saved (or could not be). */
  saved(): Promise<void> { return this.#saving; }

  #remember(change: Change): void {
    this.#known.delete(change.id);
    this.#known.set(change.id, change);
    if (this.#known.size > CHANGES_KEPT) this.#known.delete(this.#known.keys().next().value as string);
    if (change.kind === 'exit' && change.pid !== undefined && !this.#exits.has(change.id)) this.#recall(change, change.pid);
  }

  /** An exit of an earlier run: its id holds the key. */
  #recall(change: Change, pid: number): void {
    const startedAt = Number(/^exit:\d+:(\d+)$/.exec(change.id)?.[1] ?? NaN);
    if (Number.isNaN(startedAt)) return;
    this.#keep({ id: change.id, key: { pid, startedAt }, name: 'process', what: /^\S+/.exec(change.title)?.[0] ?? 'Worker', change });
  }

  #keep(exit: Exit): void {
    this.#exits.set(exit.id, exit);
    if (this.#exits.size > CHANGES_KEPT) this.#exits.delete(this.#exits.keys().next().value as string);
  }

  #started(info: ProcessInfo, at: number): void {
    const what = TOLD[info.role];
    if (what === undefined || !this.#allowed(info.role, at)) return;
    const id = `start:${info.pid}:${info.startedAt}`;
    // The key keeps the time as the kernel tells it; the instant must stand after the exit that it follows, and as it was told before.
    this.publish({ id, at: this.#known.get(id)?.at ?? Math.min(at, info.startedAt + this.#startsEarlyMs), kind: 'start', level: 'good', title: `${what} ${info.pid} started`, pid: info.pid });
  }

  #ended(info: ProcessInfo, at: number): void {
    const what = TOLD[info.role];
    const id = exitId(info);
    const known = this.#exits.get(id);
    if (known !== undefined || what === undefined || !this.#allowed(info.role, at)) return;
    const exit = this.#newExit(info, info.name, what, at);
    const asked = this.#asked(info.pid, at);
    const detail = asked ? 'restart asked for' : this.#explanation(info.pid, at);
    this.#tell(exit, { ...exit.change, level: asked ? 'neutral' : 'warning', title: exitTitle(what, info.pid, {}), ...(detail === undefined ? {} : { detail }) });
  }

  #newExit(key: ProcessKey, name: string, what: string, at: number): Exit {
    const { pid, startedAt } = key;
    const id = exitId(key);
    return { id, key: { pid, startedAt }, name, what, change: { id, at, kind: 'exit', level: 'warning', title: exitTitle(what, pid, {}), pid } };
  }

  #tell(exit: Exit, change: Change): void {
    exit.change = change;
    this.#keep(exit);
    this.publish(change);
  }

  /** The told exit of this pid nearest to the instant; not one from before the process that has the pid now, when that may be meant. */
  #exitOf(pid: number, at: number, living?: ProcessInfo): Exit | undefined {
    let best: Exit | undefined;
    const since = living !== undefined && at > living.startedAt + REUSED_MS + 1_000 ? living.startedAt + REUSED_MS : -Infinity;
    for (const exit of this.#exits.values()) {
      const apart = Math.abs(exit.change.at - at);
      if (exit.key.pid === pid && apart <= SAME_EXIT_MS && exit.change.at >= since && (best === undefined || apart <= Math.abs(best.change.at - at))) best = exit;
    }
    return best;
  }

  /** The event log was faster than our look at the processes. */
  #exitOfLiving(pid: number, at: number): Exit | undefined {
    const info = this.#living.get(pid);
    return info === undefined || info.startedAt > at + 1_000 ? undefined : this.#newExit(info, info.name, TOLD[info.role] ?? info.name, at);
  }

  /** An exit near the instant of which nothing more is known: what a row without a pid is about. */
  #unexplained(at: number): Change | undefined {
    return [...this.#exits.values()].find((exit) => exit.change.detail === undefined && Math.abs(exit.change.at - at) <= SAME_EXIT_MS)?.change;
  }

  #explanation(pid: number, at: number): string | undefined {
    const error = this.#errors.get(pid);
    return error !== undefined && Math.abs(at - error.at) <= EXPLAINS_MS ? error.detail : undefined;
  }

  #asked(pid: number, at: number): boolean {
    for (const change of this.#known.values()) if (change.kind === 'restart' && change.pid === pid && Math.abs(at - change.at) <= ASKED_MS) return true;
    return false;
  }

  /** Workers are always told. */
  #allowed(role: Role, at: number): boolean {
    if (role === 'worker') return true;
    const minute = Math.floor(at / 60_000);
    if (minute !== this.#minute) { this.#minute = minute; this.#thisMinute = 0; }
    this.#thisMinute += 1;
    if (this.#thisMinute <= PROCESS_CHANGES_A_MINUTE) return true;
    this.#untold += 1;
    return false;
  }
}

const exitId = (key: ProcessKey): string => `exit:${key.pid}:${key.startedAt}`;

function pick(change: { readonly exitCode?: number | undefined; readonly signal?: string | undefined }): End {
  return { ...(change.exitCode === undefined ? {} : { exitCode: change.exitCode }), ...(change.signal === undefined ? {} : { signal: change.signal }) };
}

/** The event log calls every process a worker; we may know better. */
function retitled(what: string, title: string): string {
  return title.replace(/^Worker/, what);
}

function same(a: Change, b: Change): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof Change>;
  return [...keys].every((key) => a[key] === b[key]);
}
