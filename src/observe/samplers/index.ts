// Owns the running of samplers: each on its own ticks, a failure costs one gap and one count, and all of it can be seen.
import { sayError } from '../../shared/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { SamplerHealth } from '../observe.ts';

export interface Sampler {
  readonly id: string;
  readonly everyMs: number;
  /** One reading at the instant `at`. Throws freely. A sentence returned says what is waited for. */
  tick(at: number, signal: AbortSignal): Promise<string | undefined>;
}

/** A reading that takes longer hangs (a share that does not answer): its sampler is shown as failing. */
const HANGS_AFTER_MS = 15_000;

export class Run {
  readonly sampler: Sampler;
  readonly #clock: Clock;
  /** Readings that failed since the start. */
  errors = 0;
  #state: SamplerHealth['state'] = 'waiting';
  #said: string | undefined = 'no reading yet';
  #lastAt: number | undefined;
  #costMs: number | undefined;
  #unsaidMs = 0;
  #busySince: number | undefined;

  constructor(sampler: Sampler, clock: Clock) {
    this.sampler = sampler;
    this.#clock = clock;
  }

  /** Ticks until the signal aborts; never rejects. */
  async loop(signal: AbortSignal): Promise<void> {
    for await (const at of this.#clock.every(this.sampler.everyMs, signal)) await this.#once(at, signal);
  }

  health(): SamplerHealth {
    const hangs = this.#busySince !== undefined && this.#clock.monotonic() - this.#busySince > HANGS_AFTER_MS;
    const said = hangs ? `A reading has not ended for ${Math.round((this.#clock.monotonic() - (this.#busySince ?? 0)) / 1_000)} s.` : this.#said;
    return {
      id: this.sampler.id, state: hangs ? 'failing' : this.#state,
      ...(this.#lastAt === undefined ? {} : { lastAt: this.#lastAt }),
      ...(said === undefined ? {} : { error: said }),
      ...(this.#costMs === undefined ? {} : { costMs: this.#costMs }),
    };
  }

  /** How long readings took since the last call. */
  takeCost(): number {
    const cost = this.#unsaidMs;
    this.#unsaidMs = 0;
    return cost;
  }

  async #once(at: number, signal: AbortSignal): Promise<void> {
    const from = this.#clock.monotonic();
    this.#busySince = from;
    try {
      const waiting = await this.sampler.tick(at, signal);
      this.#state = waiting === undefined ? 'good' : 'waiting';
      this.#said = waiting;
      this.#lastAt = at;
    } catch (error) {
      if (!signal.aborted) {
        this.errors += 1;
        this.#state = 'failing';
        this.#said = sayError(error);
      }
    }
    this.#busySince = undefined;
    this.#costMs = this.#clock.monotonic() - from;
    this.#unsaidMs += this.#costMs;
  }
}
