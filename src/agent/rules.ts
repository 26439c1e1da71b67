// Owns the rules in the running agent: their file, what they see, their ticks while this agent leads, and what is gone on with after an end of the agent.
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { DiagError, sayError } from '../shared/errors.ts';
import type { ProcessKey } from '../shared/model.ts';
import type { Rule, RuleEntry, RulesView, TrialView } from '../shared/rules.ts';
import { within } from '../platform/clock.ts';
import { placesOf } from '../store/places.ts';
import { Alerts } from '../mitigate/alerts/alerts.ts';
import type { Management } from '../mitigate/management/management.ts';
import { RULES_FILE, RuleBook } from '../mitigate/rules/book.ts';
import { Chronicle } from '../mitigate/rules/chronicle.ts';
import { LogSignals, lineMatchers } from '../mitigate/rules/log-signals.ts';
import { leftOf } from '../mitigate/rules/left.ts';
import { pastOf } from '../mitigate/rules/past.ts';
import { Probes } from '../mitigate/rules/probes.ts';
import { parseRules, withRule } from '../mitigate/rules/set.ts';
import { Senses } from '../mitigate/rules/senses.ts';
import { Signals } from '../mitigate/rules/signals.ts';
import { tryRule } from '../mitigate/rules/trial.ts';
import { RuleWatch, type RulesPorts } from '../mitigate/rules/watch.ts';
import type { Parts } from './agent.ts';
import type { Config } from './config.ts';
import { handsOf } from './rules-hands.ts';
import { livingView, writtenView } from './rules-view.ts';

const TICK_MS = 1_000;
/** The file of rules, the settings of alerts, and other instances' firings lie on the share: each look is a few small reads. */
const LOOK_EVERY_MS = 2_000;
/** A small write to the share is over by then; two clocks of one region differ by less. */
const SETTLE_MS = 2_000;
const TRY_LIMIT_MS = 60_000;
const IDLE_MS = 5_000;
const VIEW_ENTRIES = 2_000;

export interface Rules {
  readonly alerts: Alerts;
  /** Of the text as it is known now. */
  readonly version: string;
  list(): Promise<RulesView>;
  /** @throws RULES_CHANGED, BAD_INPUT */
  put(text: string, version: string, who: string): Promise<RulesView>;
  /** One rule of the text, or none any more. @throws RULES_CHANGED, RULE_UNKNOWN, BAD_INPUT */
  putOne(id: string, rule: Rule | undefined, version: string, who: string): Promise<RulesView>;
  /** `rule` absent: the one of this id as it is kept. @throws RULE_UNKNOWN */
  trial(id: string, rule: Rule | undefined, hours: number): Promise<TrialView>;
  history(limit: number): Promise<{ entries: RuleEntry[]; unreadable: number }>;
  /** Somebody is about to end this process: its exit is asked for. */
  asked(target: ProcessKey): void;
  lost(): readonly { readonly what: string; readonly count: number }[];
  stop(): void;
  readonly stopped: Promise<void>;
}

export async function startRules(parts: Parts, config: Config, mask: (text: string) => string, management: Management): Promise<Rules> {
  const living = new LivingRules(parts, config, mask, management);
  await living.begin();
  return living;
}

interface Leading { readonly watch: RuleWatch; readonly ending: AbortController }

class LivingRules implements Rules {
  readonly alerts: Alerts;
  readonly stopped: Promise<void>;
  readonly #parts: Parts;
  readonly #mask: (text: string) => string;
  readonly #book: RuleBook;
  readonly #chronicle: Chronicle;
  readonly #senses: Senses;
  readonly #signals: Signals;
  readonly #logs: LogSignals;
  readonly #probes: Probes;
  readonly #ending = new AbortController();
  readonly #run = randomBytes(4).toString('hex');
  readonly #ports: RulesPorts;
  readonly #faults = new Map<string, string>();
  #leading: Leading | undefined;
  #lookedAt = -Infinity;
  #end: () => void = () => undefined;

  constructor(parts: Parts, config: Config, mask: (text: string) => string, management: Management) {
    const { platform, observed, lead } = parts;
    const { app, folders } = platform.host;
    const places = placesOf(platform);
    const policy = { allowLoopback: config.allowLoopback };
    const now = (): number => platform.clock.now();
    this.#parts = parts;
    this.#mask = mask;
    this.#book = new RuleBook(join(folders.own, RULES_FILE));
    this.#chronicle = new Chronicle(places, () => lead.leads());
    this.#senses = new Senses(parts);
    this.#signals = new Signals({ observed, platform, sessions: parts.sessionFeed, report: (session) => parts.store.sessions.report(session), failed: (what, error) => { this.#failed(what, error); }, wantsRequests: () => this.#leading?.watch.wants('request') ?? false }, (signal) => this.#leading?.watch.take(signal));
    this.#logs = new LogSignals(observed.logs, platform.clock, (signal) => this.#leading?.watch.take(signal));
    this.#probes = new Probes({ origin: config.siteUrl ?? (app.hostName === undefined ? undefined : `https://${app.hostName}`), policy, clock: platform.clock, take: (rule, signal) => this.#leading?.watch.take(signal, rule) });
    this.alerts = new Alerts({ own: folders.own, queue: join(folders.own, 'alerts', places.instance), site: app.site, instance: app.instance, page: pageOf(app.hostName, config.base), policy, now, mask }, this.#ending.signal);
    this.#ports = {
      instance: app.instance, now, monotonicMs: () => platform.clock.monotonic(), matchers: lineMatchers,
      hands: handsOf({ parts, alerts: this.alerts, env: config.env, mask, management, asked: (target) => { this.asked(target); } }),
      moment: () => ({ at: now(), monotonicMs: platform.clock.monotonic(), run: this.#run }),
      present: () => this.#senses.present(), processOf: (subject) => this.#senses.processOf(subject),
      elsewhere: (rule) => this.#chronicle.elsewhere(rule, now()), write: (entry) => this.#write(entry),
      others: (rule, signal) => this.#others(rule, signal),
    };
    this.stopped = new Promise((resolve) => { this.#end = resolve; });
  }

  async begin(): Promise<void> {
    const { signal } = this.#ending;
    await this.#tried('rules.json', () => this.#book.look());
    await this.#tried('the alerts that wait', () => this.alerts.load());
    const samples = async (): Promise<void> => { for await (const { items } of this.#parts.observed.samples.follow({ signal, backlog: false })) for (const one of items) this.#senses.take(one); };
    void Promise.all([samples(), this.#signals.follow(signal), this.#loop(signal)]).catch((error: unknown) => { this.#failed('the rules', error); }).finally(() => { void this.#finish().finally(this.#end); });
  }

  get version(): string { return this.#book.state.version; }

  async list(): Promise<RulesView> {
    const { text, version, rules, refused } = this.#book.state;
    const now = this.#parts.platform.clock.now();
    const leading = this.#leading?.watch.list();
    const written = leading === undefined ? (await this.#chronicle.all(VIEW_ENTRIES, now)).entries : [];
    const faults = [...this.#faults.values(), this.alerts.fault(), this.#chronicle.fault()].filter((one) => one !== undefined).map((one) => this.#mask(one));
    return {
      text, version, leads: this.#parts.lead.leads(), faults,
      rules: rules.map((rule) => { const one = leading?.find((other) => other.rule.id === rule.id); return one === undefined ? writtenView(rule, written, now) : livingView(one, now, this.#probes.lastOf(rule.id), this.#mask); }),
      refused: refused.map(({ index, id, line, why }) => ({ index, line, why, ...(id === undefined ? {} : { id }) })),
    };
  }

  async put(text: string, version: string, who: string): Promise<RulesView> {
    const before = this.#book.state;
    const after = await this.#book.write(text, version);
    this.#leading?.watch.set(after.rules);
    await this.#parts.audit(who, 'change rules', `${before.version} to ${after.version}`, `${after.rules.length} rules, ${after.refused.length} refused`);
    return this.list();
  }

  async putOne(id: string, rule: Rule | undefined, version: string, who: string): Promise<RulesView> {
    const { text, rules, refused } = this.#book.state;
    if (rule === undefined && !rules.some((one) => one.id === id) && !refused.some((one) => one.id === id)) throw new DiagError('RULE_UNKNOWN', { rule: id });
    const next = withRule(text, id, rule);
    const why = parseRules(next).refused.find((one) => one.id === id)?.why;
    if (rule !== undefined && why !== undefined) throw new DiagError('BAD_INPUT', { why });
    return this.put(next, version, who);
  }

  async trial(id: string, given: Rule | undefined, hours: number): Promise<TrialView> {
    const rule = given ?? this.#book.state.rules.find((one) => one.id === id);
    if (rule === undefined) throw new DiagError('RULE_UNKNOWN', { rule: id });
    const to = this.#parts.platform.clock.now();
    return tryRule(rule, pastOf(this.#parts, within(TRY_LIMIT_MS, this.#ending.signal)), to - hours * 3_600_000, to);
  }

  async history(limit: number): Promise<{ entries: RuleEntry[]; unreadable: number }> {
    const { entries, unreadable } = await this.#chronicle.all(limit, this.#parts.platform.clock.now());
    return { entries: entries.map((one) => masked(one, this.#mask)), unreadable };
  }

  asked(target: ProcessKey): void { this.#signals.asked(target); }
  lost(): ReturnType<Rules['lost']> { return [...this.#chronicle.lost(), ...this.alerts.lost()]; }
  stop(): void {
    this.#ending.abort();
    this.#leading?.ending.abort();
  }

  async #loop(signal: AbortSignal): Promise<void> {
    for await (const _ of this.#parts.platform.clock.every(TICK_MS, signal)) {
      void _;
      await this.#tried('a tick of the rules', () => this.#tick(signal));
    }
  }

  async #tick(signal: AbortSignal): Promise<void> {
    const { platform, lead } = this.#parts;
    if (platform.clock.monotonic() - this.#lookedAt >= LOOK_EVERY_MS) {
      this.#lookedAt = platform.clock.monotonic();
      if (await this.#tried('rules.json', () => this.#book.look()) === true) this.#leading?.watch.set(this.#book.state.rules);
      await this.#tried('alerts.json', () => this.alerts.look());
      if (lead.leads()) await this.#tried('the firings of other instances', () => this.#chronicle.lookElsewhere());
    }
    if (!lead.leads()) { this.#leave(); return; }
    this.#leading ??= await this.#takeOver();
    const { rules } = this.#book.state;
    await this.#tried('the event log', () => this.#signals.look(rules.some(({ enabled, when }) => enabled && when.type === 'event'), signal));
    await this.#tried('the logs that rules name', () => this.#logs.look(rules, signal));
    this.#probes.look(rules, signal);
    await this.#leading.watch.tick();
    await this.#tried('the alerts', () => this.alerts.flush());
  }

  /** What the history says of the rules comes first, then what was left unfinished goes on. */
  async #takeOver(): Promise<Leading> {
    const ending = new AbortController();
    const watch = new RuleWatch(this.#ports, ending.signal);
    const entries = await this.#chronicle.acts();
    watch.set(this.#book.state.rules, leftOf(entries, this.#ports.instance));
    for (const { fired, begun } of watch.resume(entries)) this.#parts.log.warn('a firing of an earlier run is gone on with', { rule: fired.rule, firing: fired.firing, step: begun });
    return { watch, ending };
  }

  /** Another agent of the instance acts now: what still runs here is its to finish. */
  #leave(): void {
    this.#leading?.ending.abort();
    this.#leading = undefined;
  }

  async #write(entry: RuleEntry): Promise<void> {
    await this.#chronicle.write(entry);
    const rule = this.#book.state.rules.find(({ id }) => id === entry.rule);
    if (entry.did === 'fired') this.#parts.observed.publish({ id: `rule:${entry.firing}`, at: entry.at, kind: 'rule', level: 'warning', title: `Rule ${rule?.title ?? entry.rule} fired`, detail: entry.condition });
    const told = rule?.do.filter((one) => one.type === 'notify') ?? [];
    if (entry.did !== 'over' || told.length === 0) return;
    const channels = told.some((one) => one.type === 'notify' && one.channels === undefined) ? undefined : told.flatMap((one) => (one.type === 'notify' ? one.channels ?? [] : []));
    await this.#tried('a recovery message', () => this.alerts.over(entry, rule?.title ?? entry.rule, channels));
  }

  /** What the others fired, once each of them had the time to write it down. */
  async #others(rule: string, signal: AbortSignal): ReturnType<NonNullable<RulesPorts['others']>> {
    const { clock } = this.#parts.platform;
    return await this.#tried('the firings of other instances', async () => {
      await this.#chronicle.lookElsewhere();
      if (this.#chronicle.others(rule, clock.now()) === undefined) return undefined;
      await clock.wait(SETTLE_MS, signal);
      await this.#chronicle.lookElsewhere();
      return this.#chronicle.others(rule, clock.now());
    });
  }

  /** What fails is shown, logged once, and the rest goes on. */
  async #tried<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const done = await work();
      this.#faults.delete(what);
      return done;
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#failed(what, error);
      return undefined;
    }
  }

  #failed(what: string, error: unknown): void {
    const says = `${what}: ${sayError(error)}`;
    if (this.#faults.get(what) !== says) this.#parts.log.error('the rules could not do all they should', { what }, error);
    this.#faults.set(what, says);
  }

  async #finish(): Promise<void> {
    // A restart waits for the next worker: an end of the agent does not wait for it, the next agent looks what became of it.
    await Promise.race([this.#leading?.watch.idle(), this.#parts.platform.clock.wait(IDLE_MS, within(2 * IDLE_MS))]);
    await this.#chronicle.settled();
  }
}

function masked(entry: RuleEntry, mask: (text: string) => string): RuleEntry {
  if (entry.did === 'fired') return { ...entry, condition: mask(entry.condition) };
  return entry.did === 'ended' && entry.says !== undefined ? { ...entry, says: mask(entry.says) } : entry;
}

/** On App Service the page is below the SCM site's name; elsewhere the settings of alerts may say where. */
function pageOf(hostName: string | undefined, base: string): string | undefined {
  const [, app, zone] = /^([a-z0-9-]+)\.((?:[a-z0-9-]+\.)?azurewebsites\.net)$/i.exec(hostName ?? '') ?? [];
  return app === undefined ? undefined : `https://${app}.scm.${zone}${base}`;
}
