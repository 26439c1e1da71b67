// Owns what happens, as signals for the rules: requests, errors, exits, exceptions, the event log, causes that sessions found.
import type { Change, LogLine, ProcessKey, Report, Session } from '../../shared/model.ts';
import type { Feed, Observed, RequestGlance } from '../../observe/observe.ts';
import type { LinkedApp } from '../../platform/app-link.ts';
import type { EventLogRow, Platform } from '../../platform/platform.ts';
import type { Signal } from './meter.ts';

/** An exit is told first without its code; the event log or the app's own last words add it within this. */
const CODE_WITHIN_MS = 3_000;
/** An end this long after we ended the process is that one's. */
const ASKED_MS = 120_000;
/** Ids remembered, so that nothing counts twice. */
const KEPT_IDS = 2_000;

export interface SignalsGiven {
  readonly observed: Observed;
  readonly platform: Pick<Platform, 'clock' | 'eventLog' | 'can'>;
  readonly sessions: Pick<Feed<Session>, 'follow'>;
  report(session: string): Promise<Report>;
  /** Does a rule count requests? There may be a thousand a second. */
  wantsRequests(): boolean;
  /** What failed while looking; the rest goes on. */
  failed(what: string, error: unknown): void;
}

export class Signals {
  readonly #given: SignalsGiven;
  readonly #take: (signal: Signal) => void;
  readonly #since: number;
  readonly #told = new Set<string>();
  /** Exits that wait for their code. */
  readonly #waiting = new Map<string, { readonly change: Change; readonly until: number }>();
  readonly #asked = new Map<string, number>();
  readonly #thrown = new Map<string, number>();
  #rows: readonly EventLogRow[] | undefined;

  constructor(given: SignalsGiven, take: (signal: Signal) => void) {
    this.#given = given;
    this.#take = take;
    this.#since = given.platform.clock.now();
  }

  /** We are about to end this process: its end is asked for. */
  asked({ pid }: ProcessKey): void {
    this.#asked.set(String(pid), this.#given.platform.clock.now());
    for (const [oldest] of this.#asked) { if (this.#asked.size <= KEPT_IDS) break; this.#asked.delete(oldest); }
  }

  /** Follows the feeds until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { observed, sessions } = this.#given;
    await Promise.all([
      this.#requests(signal),
      pump(observed.errors, signal, (one) => { this.#line(one); }),
      pump(observed.changes, signal, (one) => { this.#change(one); }),
      pump(sessions, signal, (one) => this.#session(one)),
    ]);
  }

  /** What is looked at once a second; `wantsEvents`: a rule asks for the event log. */
  async look(wantsEvents: boolean, signal: AbortSignal): Promise<void> {
    const now = this.#given.platform.clock.now();
    for (const [id, { change, until }] of this.#waiting) if (now >= until) { this.#waiting.delete(id); this.#exit(change); }
    this.#exceptions(this.#given.observed.inside?.apps() ?? [], now);
    if (wantsEvents && this.#given.platform.can('event-log').yes) this.#events(await this.#given.platform.eventLog(signal));
  }

  async #requests(signal: AbortSignal): Promise<void> {
    const seen = new SeenRequest();
    const take = (one: RequestGlance): void => { seen.request = one; this.#take(seen); };
    for await (const batch of this.#given.observed.requests.follow({ signal, backlog: false })) if (this.#given.wantsRequests()) batch.each(take);
  }

  #line({ at, source, text }: LogLine): void {
    this.#take({ kind: 'line', at: at ?? this.#given.platform.clock.now(), source, text });
  }

  #change(change: Change): void {
    if (change.kind !== 'exit' || change.at < this.#since || this.#told.has(change.id)) return;
    const knows = change.exitCode !== undefined || change.signal !== undefined;
    if (!knows && change.level !== 'neutral') {
      if (!this.#waiting.has(change.id)) this.#waiting.set(change.id, { change, until: this.#given.platform.clock.now() + CODE_WITHIN_MS });
      return;
    }
    this.#waiting.delete(change.id);
    this.#exit(change);
  }

  #exit(change: Change): void {
    this.#remember(change.id);
    const askedAt = this.#asked.get(String(change.pid ?? ''));
    // Told as neutral: somebody asked for it, or it ended well by itself.
    const asked = change.level === 'neutral' || (askedAt !== undefined && change.at - askedAt <= ASKED_MS);
    // Counted when it is told: the window must not have passed while its code was waited for.
    this.#take({ kind: 'exit', at: Math.max(change.at, this.#given.platform.clock.now() - CODE_WITHIN_MS), asked, ...(change.exitCode === undefined ? {} : { exitCode: change.exitCode }), ...(change.signal === undefined ? {} : { signal: change.signal }) });
  }

  async #session({ id, state, report }: Session): Promise<void> {
    if (state === 'running' || !report || this.#told.has(`session:${id}`)) return;
    this.#remember(`session:${id}`);
    try {
      const { causes } = await this.#given.report(id);
      const at = this.#given.platform.clock.now();
      for (const cause of causes) if (cause.verdict === 'found') this.#take({ kind: 'cause', at, cause: cause.id });
    } catch (error) {
      this.#given.failed(`the causes of session ${id}`, error);
    }
  }

  /** The apps count each kind of failure since their start: what came since the last look is the difference. */
  #exceptions(apps: readonly LinkedApp[], now: number): void {
    const seen = new Set<string>();
    for (const { process, failures } of apps) {
      for (const { kind, type, message, frames, count, lastAt } of failures) {
        if (kind === 'warning') continue;
        const key = `${process.pid}:${process.startedAt} ${kind} ${type} ${message} ${frames[0] ?? ''}`;
        seen.add(key);
        const before = this.#thrown.get(key) ?? (lastAt < this.#since ? count : 0);
        this.#thrown.set(key, count);
        if (count > before) this.#take({ kind: 'exception', at: Math.min(lastAt, now), text: `${type}: ${message}`, count: count - before });
      }
    }
    for (const key of this.#thrown.keys()) if (!seen.has(key)) this.#thrown.delete(key);
  }

  #events(rows: readonly EventLogRow[]): void {
    if (rows === this.#rows) return;
    this.#rows = rows;
    for (const { at, id, record, provider } of rows) {
      const key = `event:${record ?? id}:${at}`;
      if (at < this.#since || this.#told.has(key)) continue;
      this.#remember(key);
      this.#take({ kind: 'event', at, source: provider, eventId: id });
    }
  }

  #remember(id: string): void {
    this.#told.add(id);
    for (const oldest of this.#told) { if (this.#told.size <= KEPT_IDS) break; this.#told.delete(oldest); }
  }
}

/** One object for all requests: what no rule asks for is not worked out. */
class SeenRequest implements RequestGlance {
  readonly kind = 'request';
  request: RequestGlance = { at: 0, path: '', status: 0 };
  get at(): number { return this.request.at; }
  get path(): string { return this.request.path; }
  get status(): number { return this.request.status; }
  get sub(): number | undefined { return this.request.sub; }
  get win32(): number | undefined { return this.request.win32; }
  get takenMs(): number | undefined { return this.request.takenMs; }
}

/** Each item of a feed as it comes; what was published before is not news. */
async function pump<T>(feed: Pick<Feed<T>, 'follow'>, signal: AbortSignal, take: (item: T) => void | Promise<void>): Promise<void> {
  for await (const { items } of feed.follow({ signal, backlog: false })) for (const item of items) await take(item);
}
