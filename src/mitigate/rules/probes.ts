// Owns the probes of rules: the site asked by its public name, each rule at its own pace, never two at once of one rule.
import { sayError } from '../../shared/errors.ts';
import type { Condition, Rule } from '../../shared/rules.ts';
import { askWeb, type WebPolicy } from '../web.ts';
import type { Signal } from './meter.ts';

type Probe = Extract<Condition, { type: 'probe' }>;

export interface ProbesGiven {
  /** Where the site answers for everybody: https://name. Undefined: nobody has told us its name, and nothing is asked. */
  readonly origin: string | undefined;
  readonly policy: WebPolicy;
  readonly clock: { now(): number; monotonic(): number };
  take(rule: string, signal: Signal): void;
}

interface Living { readonly condition: string; nextAtMs: number; asking: boolean; last: string | undefined }

export class Probes {
  readonly #given: ProbesGiven;
  readonly #living = new Map<string, Living>();

  constructor(given: ProbesGiven) {
    this.#given = given;
  }

  /** What the last probe of a rule came to, where it failed. */
  lastOf(rule: string): string | undefined {
    return this.#given.origin === undefined ? 'the public name of the site is not known here' : this.#living.get(rule)?.last;
  }

  /** Begins those that are due; their answers come as signals. */
  look(rules: readonly Rule[], signal: AbortSignal): void {
    const { origin, clock } = this.#given;
    const wanted = rules.flatMap(({ id, enabled, when }) => (enabled && when.type === 'probe' ? [{ id, when }] : []));
    for (const id of this.#living.keys()) if (!wanted.some((one) => one.id === id)) this.#living.delete(id);
    if (origin === undefined) return;
    for (const { id, when } of wanted) {
      const condition = JSON.stringify(when);
      let one = this.#living.get(id);
      if (one?.condition !== condition) { one = { condition, nextAtMs: -Infinity, asking: false, last: undefined }; this.#living.set(id, one); }
      if (one.asking || clock.monotonic() < one.nextAtMs) continue;
      one.asking = true;
      one.nextAtMs = clock.monotonic() + when.everyMs;
      void this.#ask(id, one, when, origin, signal);
    }
  }

  async #ask(id: string, one: Living, { path, withinMs }: Probe, origin: string, signal: AbortSignal): Promise<void> {
    let failed: string | undefined;
    try {
      const { status } = await askWeb({ method: 'GET', url: `${origin}${path}`, limitMs: withinMs }, this.#given.policy, signal);
      // A redirect is an answer of the app, and is not followed.
      if (status >= 400) failed = `${path} answered ${status}`;
    } catch (error) {
      if (signal.aborted) return;
      failed = sayError(error);
    } finally {
      one.asking = false;
    }
    one.last = failed;
    this.#given.take(id, { kind: 'probe', at: this.#given.clock.now(), good: failed === undefined });
  }
}
