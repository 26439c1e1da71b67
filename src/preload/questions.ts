// Owns the questions of the agent: which are understood, one at a time, and how each is answered.
import type { AppFlight, AppWanted } from '../shared/app-link.ts';
import { Gone, type Answer } from './answer.ts';
import { cpuProfile, heapProfile, heapSnapshot, report } from './artifacts.ts';
import { epoch } from './time.ts';

const MAX_FLIGHTS = 500;

export interface QuestionsOptions {
  follow(forMs: number, withFrames: boolean): void;
  unfollow(): void;
  flights(limit: number): { inFlight: number; flights: AppFlight[] };
  /** 0: no more. */
  catchFor(forMs: number): void;
  watch(artifact: Extract<AppWanted, { what: 'watch' }>['artifact'], atShare: number): void;
}

export class Questions {
  readonly #options: QuestionsOptions;
  #busy = false;

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  /** Never rejects: what fails is said. */
  async answer(asked: unknown, answer: Answer): Promise<void> {
    const wanted = understood(asked);
    if (wanted === undefined) { answer.failed('this question is not understood'); return; }
    if (this.#busy) { answer.failed('busy: another question is being answered'); return; }
    this.#busy = true;
    try {
      await this.#do(wanted, answer);
      answer.done();
    } catch (error) {
      if (!(error instanceof Gone)) answer.failed(error instanceof Error ? error.message : 'unknown');
    } finally {
      this.#busy = false;
    }
  }

  async #do(wanted: AppWanted, answer: Answer): Promise<void> {
    const { follow, unfollow, catchFor, watch } = this.#options;
    switch (wanted.what) {
      case 'heap-snapshot': return heapSnapshot(answer);
      case 'cpu-profile': return cpuProfile(answer, wanted.forS, wanted.intervalUs);
      case 'heap-profile': return heapProfile(answer, wanted.forS, wanted.intervalBytes);
      case 'report': return report(answer);
      case 'flights': return this.#flights(answer, wanted.forS);
      case 'follow': if (wanted.forS === 0) unfollow(); else follow(wanted.forS * 1_000, false); break;
      case 'exceptions': catchFor(wanted.forS * 1_000); break;
      case 'watch': watch(wanted.artifact, wanted.atShare); break;
    }
    answer.begin();
  }

  async #flights(answer: Answer, forS: number): Promise<void> {
    this.#options.follow((forS + 1) * 1_000, true);
    answer.begin();
    await answer.wait(forS * 1_000);
    await answer.send(Buffer.from(JSON.stringify({ version: 1, at: epoch(), ...this.#options.flights(MAX_FLIGHTS) })));
  }
}

const ARTIFACTS = ['heap-snapshot', 'heap-profile', 'report', 'none'] as const;

/** What comes is looked at as closely as what a stranger sends. */
export function understood(asked: unknown): AppWanted | undefined {
  if (typeof asked !== 'object' || asked === null) return undefined;
  const { what, forS, intervalUs, intervalBytes, artifact, atShare } = asked as Readonly<Record<string, unknown>>;
  const within = (value: unknown, low: number, high: number): value is number => Number.isInteger(value) && (value as number) >= low && (value as number) <= high;
  const optional = (value: unknown, low: number, high: number): value is number | undefined => value === undefined || within(value, low, high);
  if (what === 'heap-snapshot' || what === 'report') return { what };
  if (what === 'flights' && within(forS, 1, 300)) return { what, forS };
  if ((what === 'follow' || what === 'exceptions') && within(forS, 0, 3_600)) return { what, forS };
  if (what === 'cpu-profile' && within(forS, 1, 300) && optional(intervalUs, 100, 100_000)) return { what, forS, intervalUs };
  if (what === 'heap-profile' && within(forS, 1, 300) && optional(intervalBytes, 1_024, 2 ** 24)) return { what, forS, intervalBytes };
  const chosen = ARTIFACTS.find((one) => one === artifact);
  if (what === 'watch' && chosen !== undefined && typeof atShare === 'number' && atShare >= 0.5 && atShare <= 0.98) return { what, artifact: chosen, atShare };
  return undefined;
}
