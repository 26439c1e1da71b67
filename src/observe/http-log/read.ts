// Owns the questions about this instance's HTTP log: the report and the rows of a window, from all files of the folder, rotated ones too, without reading what lies outside.
import { open } from 'node:fs/promises';
import { parseHttpFilter, printHttpFilter } from '../../shared/http-filter.ts';
import type { HttpFilter } from '../../shared/http-filter.ts';
import type { HttpReport } from '../../shared/http-report.ts';
import type { RequestRow } from '../../shared/model.ts';
import type { Shelf } from '../../store/shelf.ts';
import { httpLogNames, isGone, lookAt } from './files.ts';
import type { LogFile } from './files.ts';
import { Gate } from './gate.ts';
import type { BlockIndexState } from './index/block-index.ts';
import { LEAST_NEW, keepBlocks } from './index/kept.ts';
import type { IndexShelf } from './index/kept.ts';
import { plainFile } from './plain-file.ts';
import type { ScanInput } from './scan/contract.ts';
import { scan } from './scan/scan.ts';
import { cursorOf, placeOf, searchRows } from './search.ts';
import { spanOf } from './seek.ts';
import { iisW3c } from './w3c.ts';

export interface HttpQuery { readonly from: number; readonly to: number; readonly filter?: string }

export interface RowQuery extends HttpQuery {
  /** Only rows behind this cursor. */
  readonly after?: string;
  readonly limit: number;
}

export interface FoundPage {
  readonly rows: readonly RequestRow[];
  /** There are others behind them. */
  readonly more: boolean;
  /** The cursor of the next page, when there is more. */
  readonly next?: string;
}

export interface HttpLog {
  /** The figures of [from, to]. @throws HTTP_FILTER_BAD, TOO_MANY */
  report(query: HttpQuery, signal: AbortSignal): Promise<HttpReport>;
  /** Rows of [from, to], newest first. @throws HTTP_FILTER_BAD, CURSOR_BAD, TOO_MANY */
  rows(query: RowQuery, signal: AbortSignal): Promise<FoundPage>;
  /** Indexes that could not be kept. */
  readonly unkept: number;
}

export interface HttpLogOptions {
  readonly folder: string;
  readonly instance: string;
  readonly now: () => number;
  /** Where the indexes are kept; without it each search begins anew. */
  readonly shelf?: Shelf;
  /** The catalog's id of a file of the folder. */
  sourceOf(name: string, signal: AbortSignal): Promise<string>;
}

/** Reports use all cores there are; searches mostly wait for the disk. */
const REPORTS = { what: 'questions to the HTTP log', atOnce: 1, waiting: 8, freshMs: 3_000, kept: 4 };
const SEARCHES = { what: 'searches in the HTTP log', atOnce: 2, waiting: 16, freshMs: 2_000, kept: 4 };

export function httpLog(options: HttpLogOptions): HttpLog {
  const reports = new Gate<HttpReport>(REPORTS, options.now);
  const searches = new Gate<FoundPage>(SEARCHES, options.now);
  let unkept = 0;
  return {
    get unkept() { return unkept; },
    async report(query, signal) {
      const { filter, word } = filterOf(query.filter);
      const window = { from: query.from, to: query.to, ...(filter.terms.length === 0 ? {} : { filter: word }) };
      return reports.ask(JSON.stringify(window), signal, async (stop) => {
        const inputs = await inputsOf(options, window, stop);
        const { report, learned } = await scan({ inputs, ...window, signal: stop });
        if (options.shelf !== undefined) await keepLearned({ ...options.shelf, unkept: () => { unkept += 1; } }, inputs, learned);
        return report;
      });
    },
    async rows(query, signal) {
      const { filter, word } = filterOf(query.filter);
      const after = query.after === undefined ? {} : { after: placeOf(query.after) };
      const { from, to, limit } = query;
      return searches.ask(JSON.stringify([from, to, word, limit, query.after ?? '']), signal, async (stop) => {
        const files = await filesOf(options, () => { unkept += 1; }, stop);
        const { rows, more } = await searchRows(files, { from, to, filter, limit, ...after }, stop);
        const last = rows.at(-1);
        return { rows, more, ...(more && last !== undefined ? { next: cursorOf(last) } : {}) };
      });
    },
  };
}

function filterOf(text: string | undefined): { readonly filter: HttpFilter; readonly word: string } {
  const filter = parseHttpFilter(text ?? '');
  return { filter, word: printHttpFilter(filter) };
}

async function* present(options: HttpLogOptions, signal: AbortSignal): AsyncGenerator<LogFile & { readonly source: string }> {
  for (const name of await httpLogNames(options.folder, options.instance)) {
    signal.throwIfAborted();
    const seen = await lookAt(options.folder, name);
    if (seen !== undefined && seen.sizeBytes > 0) yield { ...seen, source: await options.sourceOf(name, signal) };
  }
}

interface OwnInput extends ScanInput { readonly ino: number }

/** The spans of the files that can hold rows of the window. */
async function inputsOf(options: HttpLogOptions, window: { from: number; to: number }, signal: AbortSignal): Promise<readonly OwnInput[]> {
  const inputs: OwnInput[] = [];
  for await (const { path, sizeBytes, ino, source } of present(options, signal)) {
    const span = await spanIn(path, sizeBytes, window, signal);
    if (span === undefined) continue;
    const { start, end, head } = span;
    // An unterminated last line is a row that IIS has not flushed to its end.
    inputs.push({ path, ino, source, format: { id: iisW3c.id }, from: start, to: end, dropPartial: true, ...(head === undefined ? {} : { head }), ...(options.shelf === undefined ? {} : { learn: true }), ...(options.instance === '' ? {} : { instance: options.instance }) });
  }
  return inputs;
}

async function spanIn(path: string, sizeBytes: number, { from, to }: { from: number; to: number }, signal: AbortSignal): ReturnType<typeof spanOf> {
  try {
    const file = await open(path, 'r');
    try {
      return await spanOf(file, sizeBytes, iisW3c, from, to, signal);
    } finally {
      await file.close();
    }
  } catch (error) {
    // Rotated away between the listing and the reading.
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** What a report's reading taught about blocks serves the searches that follow it. */
async function keepLearned(shelf: IndexShelf, inputs: readonly OwnInput[], learned: readonly (readonly [number, BlockIndexState])[]): Promise<void> {
  for (const [place, input] of inputs.entries()) {
    const states = learned.flatMap(([of, state]) => (of === place ? [state] : []));
    const blocks = states.reduce((sum, { first, blocks: end }) => sum + end - first, 0);
    if (blocks >= LEAST_NEW) await keepBlocks(shelf, { path: input.path, ino: input.ino, format: input.format.id }, states);
  }
}

async function filesOf(options: HttpLogOptions, unkept: () => void, signal: AbortSignal): Promise<ReturnType<typeof plainFile>[]> {
  const files: ReturnType<typeof plainFile>[] = [];
  const { shelf, instance } = options;
  for await (const { path, source } of present(options, signal)) {
    files.push(plainFile({ path, source, format: iisW3c, whole: false, ...(instance === '' ? {} : { instance }), ...(shelf === undefined ? {} : { shelf: { ...shelf, unkept } }) }));
  }
  return files;
}
