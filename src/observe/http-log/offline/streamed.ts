// Owns the reading of logs that can only be read from their beginning (packed ones, and JSON that is one array) into figures and rows.
import type { HttpFilter } from '../../../shared/http-filter.ts';
import type { HttpSource } from '../../../shared/http-report.ts';
import type { RequestRow } from '../../../shared/model.ts';
import type { Columns, LogFormat } from '../columns.ts';
import { Figures } from '../figures/figures.ts';
import type { FiguresOptions, FiguresState } from '../figures/figures.ts';
import { KeptRows } from '../figures/kept-rows.ts';
import { compileHttpFilter } from '../filter.ts';
import type { RowTest } from '../filter.ts';
import { leftOut, requestRow } from '../rows.ts';
import type { ByteSource } from '../unpack.ts';

export interface StreamedOptions extends Omit<FiguresOptions, 'select'> {
  readonly filter: HttpFilter;
  /** Newest rows to keep; 0 for none. */
  readonly keepRows: number;
}

export class Streamed {
  readonly sources: HttpSource[] = [];
  readonly #options: StreamedOptions;
  readonly #figures: Figures;
  readonly #rows: KeptRows;
  #select: RowTest = () => true;

  constructor(options: StreamedOptions) {
    const { filter, keepRows, ...figures } = options;
    this.#options = options;
    this.#rows = new KeptRows(keepRows, 'at');
    this.#figures = new Figures({ ...figures, ...(filter.terms.length === 0 ? {} : { select: (columns, row) => this.#select(columns, row) }) });
  }

  state(): FiguresState { return this.#figures.state(); }

  rows(): readonly RequestRow[] {
    return this.#rows.told((columns, row, place) => {
      const { source, format } = this.sources[place] as HttpSource;
      return requestRow(columns, row, source, format);
    });
  }

  async add(log: ByteSource, given: { readonly name: string; readonly format: LogFormat; readonly confidence: number }, signal: AbortSignal): Promise<void> {
    const { name, format, confidence } = given;
    const place = this.sources.length;
    let firstAt = Infinity, lastAt = -Infinity;
    this.#select = compileHttpFilter(this.#options.filter, { format: format.id, source: name });
    const reader = format.reader({
      sink: (columns) => {
        for (let row = 0; row < columns.rows; row += 1) { const at = columns.at[row] as number; firstAt = Math.min(firstAt, at); lastAt = Math.max(lastAt, at); }
        this.#figures.add(columns, place);
        this.#keep(columns, place);
      },
    });
    for await (const piece of log.read(signal)) reader.write(piece);
    reader.end();
    const { bytes, lines, rows, comments, malformed } = reader.counts;
    this.sources.push({
      source: name, format: format.id, confidence, bytes, lines, rows, comments, malformed, malformedAt: [...reader.malformedAt],
      ...(firstAt <= lastAt ? { from: firstAt, to: lastAt } : {}), ...(log.cut === undefined ? {} : { note: log.cut }),
    });
  }

  #keep(columns: Columns, place: number): void {
    const { from = -Infinity, to = Infinity, everything, keepRows } = this.#options;
    if (keepRows === 0) return;
    for (let row = 0; row < columns.rows; row += 1) {
      const at = columns.at[row] as number;
      if (at < from || at > to || !this.#rows.wants(at) || !this.#select(columns, row) || (everything !== true && leftOut(columns, row))) continue;
      this.#rows.add(columns, row, place);
    }
  }
}
