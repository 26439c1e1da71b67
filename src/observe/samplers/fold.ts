// Owns the folding of one-second samples into longer steps of the history, as each metric says.
import { metrics } from '../../shared/metrics.ts';
import type { MetricId, Scope } from '../../shared/metrics.ts';
import type { ProcessKey, Sample } from '../../shared/model.ts';
import type { History } from '../../store/store.ts';
import type { Values } from './process.ts';

interface Column { readonly id: MetricId; readonly fold: 'mean' | 'sum' | 'max' }
/** The columns that fold by themselves. http.* is written in each step by its producer, whose rows come late. */
function columnsOf(scope: Scope): readonly Column[] {
  return metrics.filter((row) => row.scope === scope && row.fold !== 'own' && !row.id.startsWith('http.')).map((row) => ({ id: row.id as MetricId, fold: row.fold as Column['fold'] }));
}
const COLUMNS: Readonly<Record<Scope, readonly Column[]>> = { site: columnsOf('site'), process: columnsOf('process') };

interface Track { readonly process: ProcessKey | undefined; readonly columns: readonly Column[]; readonly folded: Float64Array; readonly counts: Uint32Array; used: boolean }

/** Folds into steps of one length. Samples of one process must carry the same key object each time. */
export class Fold {
  readonly #stepMs: number;
  readonly #history: Pick<History, 'write'>;
  readonly #tracks = new Map<ProcessKey | undefined, Track>();
  #slot = -1;

  constructor(stepMs: number, history: Pick<History, 'write'>) {
    this.#stepMs = stepMs;
    this.#history = history;
  }

  /** Processes (and the site) remembered: those seen in the step before or this one. */
  get size(): number { return this.#tracks.size; }

  /** Call with the instant of the samples before they are added: writes the step that has ended. */
  turn(at: number): void {
    const slot = Math.floor(at / this.#stepMs) * this.#stepMs;
    if (slot === this.#slot) return;
    this.flush();
    for (const [key, track] of this.#tracks) { if (track.used) clear(track); else this.#tracks.delete(key); }
    this.#slot = slot;
  }

  add(sample: Sample): void {
    let track = this.#tracks.get(sample.process);
    if (track === undefined) {
      const columns = COLUMNS[sample.process === undefined ? 'site' : 'process'];
      track = { process: sample.process, columns, folded: new Float64Array(columns.length), counts: new Uint32Array(columns.length), used: false };
      this.#tracks.set(sample.process, track);
    }
    track.used = true;
    for (let i = 0; i < track.columns.length; i += 1) {
      const column = track.columns[i] as Column;
      const value = (sample.values as Values)[column.id];
      if (value === undefined) continue;
      const before = track.folded[i] as number;
      track.folded[i] = column.fold === 'max' && (track.counts[i] as number) > 0 ? Math.max(before, value) : column.fold === 'max' ? value : before + value;
      track.counts[i] = (track.counts[i] as number) + 1;
    }
  }

  /** Writes what the running step has so far; more samples may follow. */
  flush(): void {
    if (this.#slot < 0) return;
    for (const track of this.#tracks.values()) {
      if (!track.used) continue;
      const values: Values = {};
      track.columns.forEach((column, i) => {
        const count = track.counts[i] as number;
        if (count > 0) values[column.id] = column.fold === 'mean' ? (track.folded[i] as number) / count : track.folded[i] as number;
      });
      this.#history.write(this.#stepMs, { at: this.#slot, ...(track.process === undefined ? {} : { process: track.process }), values });
    }
  }
}

function clear(track: Track): void {
  track.folded.fill(0);
  track.counts.fill(0);
  track.used = false;
}
