// Owns what a trigger is: it judges one reading against one condition and remembers nothing.

/** What was thrown in the process under study, as the debugger shows it. */
export interface Thrown { readonly type: string; readonly text: string; readonly caught: boolean }

/** What is known at one instant. Absent = not measured, which is never zero. */
export interface Reading {
  readonly at: number;
  /** Of one core: 200 = two cores busy. */
  readonly cpuPercent?: number;
  readonly memoryBytes?: number;
  readonly threads?: number;
  /** For how long the event loop, or the probed address, owes an answer. */
  readonly silentMs?: number;
  /** The site's metrics by their id. */
  readonly metrics?: Readonly<Record<string, number>>;
  readonly thrown?: Thrown;
}

export type Verdict = 'yes' | 'no' | 'unknown';

export interface Judgement { readonly verdict: Verdict; readonly says: string }

export interface Trigger<C> {
  readonly type: string;                                       // = file name
  judge(condition: C, reading: Reading): Judgement;
}

export const UNKNOWN: Judgement = { verdict: 'unknown', says: 'it was not measured' };

/** A limit that must be reached, or must not be: the shape of most conditions. */
export interface Limit { readonly limit: number; readonly below: boolean }

export function judgeLimit({ limit, below }: Limit, value: number | undefined, what: string, say: (value: number) => string): Judgement {
  if (value === undefined) return UNKNOWN;
  const yes = below ? value < limit : value >= limit;
  return { verdict: yes ? 'yes' : 'no', says: `${what} is ${say(value)}, ${below ? 'below' : 'at or above'} the limit of ${say(limit)}` };
}
