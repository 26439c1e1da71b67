// Owns the life of the rules: measures, steps, fires, and tells; all that changes something is a port, so that a test can stand in for the machine.
import { DiagError } from '../../shared/errors.ts';
import { HARMFUL, type Fired, type Rule, type RuleEntry } from '../../shared/rules.ts';
import { sayCondition, sayValue } from './describe.ts';
import { leaveFiring, runFiring, unfinished, type FiringPorts, type Unfinished } from './firing.ts';
import { meterOf, type Matchers, type Meter, type Present, type Signal } from './meter.ts';
import { outrun } from './limits.ts';
import type { Moment } from './moment.ts';
import { newState, step, type Measured, type RuleState } from './step.ts';

/** A firing that an ended agent left is gone on with when it is not older than this: what was wrong an hour ago is not what is wrong now. */
const GO_ON_WITHIN_MS = 3_600_000;

export interface RulesPorts extends FiringPorts {
  readonly instance: string;
  moment(): Moment;
  present(): Present;
  readonly matchers: Matchers;
  /** Wall times of a rule's firings on other instances in the last day. */
  elsewhere(rule: string): readonly number[];
  /** The same with their instances, read anew after everybody had the time to write; undefined where nobody else is. Never rejects. */
  others?(rule: string, signal: AbortSignal): Promise<readonly { readonly at: number; readonly instance: string }[] | undefined>;
  /** The process behind a meter's subject. */
  processOf(subject: string): { readonly pid: number; readonly startedAt: number } | undefined;
}

/** A rule as it lives: its state, and what was measured last. */
export interface LivingRule { readonly rule: Rule; readonly state: RuleState; readonly measured: readonly Measured[]; readonly error?: string }

interface Living { rule: Rule; meter: Meter; state: RuleState; measured: readonly Measured[]; error: string | undefined; acting: number; firing: string | undefined }

/** What an earlier run of the agent, or another one, left of a rule. */
export interface LeftState extends Pick<RuleState, 'fired' | 'open'> { readonly firing?: string }

export class RuleWatch {
  readonly #ports: RulesPorts;
  readonly #signal: AbortSignal;
  readonly #living = new Map<string, Living>();
  readonly #running = new Set<Promise<unknown>>();
  #count = 0;

  constructor(ports: RulesPorts, signal: AbortSignal) {
    this.#ports = ports;
    this.#signal = signal;
  }

  /** Takes over a set of rules: one that did not change goes on where it is, its limits are kept when it did. */
  set(rules: readonly Rule[], states: ReadonlyMap<string, LeftState> = new Map()): void {
    const wanted = new Set(rules.map(({ id }) => id));
    for (const id of this.#living.keys()) if (!wanted.has(id)) this.#living.delete(id);
    for (const rule of rules) {
      const known = this.#living.get(rule.id);
      if (known !== undefined && JSON.stringify(known.rule) === JSON.stringify(rule)) continue;
      const now = this.#ports.moment();
      const left = states.get(rule.id);
      const { fired = [], open } = known?.state ?? left ?? {};
      this.#living.set(rule.id, { rule, meter: meterOf(rule.when, this.#ports.matchers), state: { ...newState(now), fired, ...(open === undefined ? {} : { open: { clearMs: 0 } }) }, measured: [], error: undefined, acting: known?.acting ?? 0, firing: known?.firing ?? left?.firing });
    }
  }

  list(): readonly LivingRule[] {
    return [...this.#living.values()].map(({ rule, state, measured, error }) => ({ rule, state, measured, ...(error === undefined ? {} : { error }) }));
  }

  /** For all rules, or for one: a probe is the answer to what that rule asked. */
  take(signal: Signal, rule?: string): void {
    for (const { rule: { id }, meter } of this.#living.values()) if (rule === undefined || rule === id) meter.take(signal);
  }

  /** Does a rule count signals of this kind? One that is off measures nothing, and counts anew when it is on. */
  wants(kind: Signal['kind']): boolean {
    for (const { rule: { enabled }, meter } of this.#living.values()) if (enabled && meter.counts === kind) return true;
    return false;
  }

  /** One step of every rule. A rule that cannot be judged shows why, and the others go on. */
  async tick(): Promise<void> {
    const present = this.#ports.present();
    for (const one of this.#living.values()) {
      if (one.rule.enabled) this.#measure(one, present);
      await this.#step(one);
    }
  }

  /** Goes on with what an earlier run left. `entries` newest first. */
  resume(entries: readonly RuleEntry[]): readonly Unfinished[] {
    const left = unfinished(entries, this.#ports.now() - GO_ON_WITHIN_MS).filter(({ fired }) => fired.instance === this.#ports.instance);
    for (const one of left) this.#act(one, this.#living.get(one.fired.rule));
    return left;
  }

  /** Every action that runs has ended, or was left at our end. */
  async idle(): Promise<void> { while (this.#running.size > 0) await Promise.all(this.#running); }

  #measure(one: Living, present: Present): void {
    try {
      one.measured = one.meter.measure(present);
      one.error = undefined;
    } catch (error) {
      if (!(error instanceof DiagError)) throw error;
      one.measured = [];
      one.error = error.message;
    }
  }

  async #step(one: Living): Promise<void> {
    const now = this.#ports.moment();
    const before = one.state;
    const stepped = step(one.rule, before, one.measured, { now, elsewhere: this.#ports.elsewhere(one.rule.id), acting: one.acting > 0 });
    one.state = stepped.state;
    const about = { at: now.at, instance: this.#ports.instance, rule: one.rule.id };
    if (stepped.over) await this.#ports.write({ ...about, did: 'over', ...(one.firing === undefined ? {} : { firing: one.firing }) });
    if (stepped.fires !== undefined) { await this.#fire(one, stepped.fires, now); return; }
    if (before.phase === one.state.phase && before.heldBack?.by === one.state.heldBack?.by) return;
    const value = one.measured[0]?.value;
    await this.#ports.write({ ...about, did: 'phase', phase: one.state.phase, ...(one.state.heldBack === undefined ? {} : { heldBy: one.state.heldBack.by }), ...(value === undefined ? {} : { value }) });
  }

  async #fire(one: Living, subject: string, now: Moment): Promise<void> {
    this.#count += 1;
    const value = one.measured.find((measured) => measured.subject === subject)?.value;
    const target = this.#ports.processOf(subject);
    const fired: Fired = {
      at: now.at, instance: this.#ports.instance, rule: one.rule.id, did: 'fired', firing: `${one.rule.id}-${now.at.toString(36)}-${this.#count}`, steps: one.rule.do,
      condition: `${sayCondition(one.rule.when)}${value === undefined ? '' : `; it was ${sayValue(one.rule.when, value)}`}`,
      ...(value === undefined ? {} : { value }), ...(target === undefined ? {} : { target }),
    };
    one.firing = fired.firing;
    await this.#ports.write(fired);
    this.#act({ fired, ended: [] }, one);
  }

  /** Two instances may fire before either has heard of the other: what changes the site looks once more at what they wrote, and the later one leaves it. */
  async #held({ fired, ended, begun }: Unfinished, rule: Rule | undefined, earlier: readonly number[]): Promise<string | undefined> {
    if (rule === undefined || ended.length > 0 || begun !== undefined || !fired.steps.some(({ type }) => HARMFUL.has(type))) return undefined;
    const others = await this.#ports.others?.(fired.rule, this.#signal);
    return others === undefined ? undefined : outrun(rule, fired, earlier, others);
  }

  #act(left: Unfinished, one: Living | undefined): void {
    if (one !== undefined) one.acting += 1;
    const earlier = one?.state.fired.slice(0, -1).map(({ at }) => at) ?? [];
    const running: Promise<unknown> = this.#held(left, one?.rule, earlier).then((held) => (held === undefined ? runFiring(left, this.#ports, this.#signal) : leaveFiring(left, this.#ports, held))).finally(() => {
      if (one !== undefined) one.acting -= 1;
      this.#running.delete(running);
    });
    this.#running.add(running);
  }
}
