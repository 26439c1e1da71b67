// Owns the actions of a firing: in order, each written down before and after, so that an end of the agent in between neither repeats nor loses one.
import { sayError } from '../../shared/errors.ts';
import type { ActionResult, ActionStep, Fired, RuleEntry } from '../../shared/rules.ts';

/** One kind of action. */
export interface Hand {
  run(step: ActionStep, on: FiringContext): Promise<ActionResult>;
  /** After an end of the agent in the middle of it: what became of it, where that can be seen; undefined: it was not done, and is done now. */
  after?(step: ActionStep, on: FiringContext): Promise<ActionResult | undefined>;
}
export type Hands = Readonly<Record<ActionStep['type'], Hand>>;

export interface FiringContext {
  readonly fired: Fired;
  /** What the steps above came to. */
  readonly before: readonly (ActionResult & { readonly type: string })[];
  readonly signal: AbortSignal;
}

export interface FiringPorts {
  readonly hands: Hands;
  /** On disk when it resolves; what cannot be written stops nothing, but is told. */
  write(entry: RuleEntry): Promise<void>;
  now(): number;
  monotonicMs(): number;
}

/** A firing as the history left it: `ended` are the results so far, `begun` the step in whose middle the agent ended. */
export interface Unfinished { readonly fired: Fired; readonly ended: readonly (ActionResult & { readonly type: string })[]; readonly begun?: number }

/** Runs what is left of a firing, from its beginning or after an end of the agent. Never throws: what fails is a result. */
export async function runFiring({ fired, ended, begun }: Unfinished, ports: FiringPorts, signal: AbortSignal): Promise<readonly ActionResult[]> {
  const results = [...ended];
  const about = { instance: fired.instance, rule: fired.rule, firing: fired.firing };
  for (let index = results.length; index < fired.steps.length && !signal.aborted; index += 1) {
    const step = fired.steps[index] as ActionStep;
    const failed = results.some(({ result }) => result !== 'done');
    const on: FiringContext = { fired, before: [...results], signal };
    const from = ports.monotonicMs();
    let result: ActionResult;
    if (failed && step.evenIfFailed !== true) result = { result: 'skipped', says: 'a step before it was not done' };
    else {
      const found = begun === index ? await foundOf(ports.hands[step.type], step, on) : undefined;
      if (found === undefined && begun !== index) await ports.write({ ...about, at: ports.now(), did: 'begun', step: index });
      result = found ?? await acted(ports.hands[step.type], step, on);
      // We end: whether it was done is looked at by the one who goes on.
      if (signal.aborted && result.result !== 'done') return results;
      result = { ...result, tookMs: Math.round(ports.monotonicMs() - from) };
    }
    await ports.write({ ...about, at: ports.now(), did: 'ended', step: index, type: step.type, ...result });
    results.push({ ...result, type: step.type });
  }
  if (results.length === fired.steps.length) await ports.write({ ...about, at: ports.now(), did: 'closed' });
  return results;
}

/** A firing that does nothing, as its history says. */
export async function leaveFiring({ fired }: Unfinished, { write, now }: Pick<FiringPorts, 'write' | 'now'>, says: string): Promise<readonly ActionResult[]> {
  const about = { instance: fired.instance, rule: fired.rule, firing: fired.firing };
  for (const [step, { type }] of fired.steps.entries()) await write({ ...about, at: now(), did: 'ended', step, type, result: 'skipped', says });
  await write({ ...about, at: now(), did: 'closed' });
  return fired.steps.map(() => ({ result: 'skipped', says }));
}

async function acted(hand: Hand, step: ActionStep, on: FiringContext): Promise<ActionResult> {
  try {
    return await hand.run(step, on);
  } catch (error) {
    return { result: 'failed', says: sayError(error).slice(0, 2_000) };
  }
}

/** One that was begun is looked for; where nobody can look it counts as interrupted. */
async function foundOf(hand: Hand, step: ActionStep, on: FiringContext): Promise<ActionResult | undefined> {
  if (hand.after === undefined) return { result: 'interrupted', says: 'the agent ended in the middle of it; it is not done twice' };
  try {
    return await hand.after(step, on);
  } catch (error) {
    return { result: 'failed', says: sayError(error).slice(0, 2_000) };
  }
}

/** What an earlier run of the agent left, oldest first. `entries` newest first, as a journal gives them; older than `oldest` is not gone on with. */
export function unfinished(entries: readonly RuleEntry[], oldest: number): readonly Unfinished[] {
  const closed = new Set<string>();
  const ended = new Map<string, Extract<RuleEntry, { did: 'ended' }>[]>();
  const begun = new Map<string, number>();
  const left: Unfinished[] = [];
  for (const entry of entries) {
    if (entry.did === 'closed') closed.add(entry.firing);
    else if (entry.did === 'ended') ended.set(entry.firing, [entry, ...ended.get(entry.firing) ?? []]);
    else if (entry.did === 'begun') begun.set(entry.firing, Math.max(entry.step, begun.get(entry.firing) ?? 0));
    else if (entry.did === 'fired' && !closed.has(entry.firing) && entry.at >= oldest) {
      const results = ended.get(entry.firing) ?? [];
      const middle = begun.get(entry.firing);
      left.push({ fired: entry, ended: results, ...(middle !== undefined && middle >= results.length ? { begun: middle } : {}) });
    }
  }
  return left.reverse();
}
