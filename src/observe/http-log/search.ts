// Owns the search for rows: the newest that a filter lets through, read backwards block by block, leaving out blocks that cannot hold one.
import type { HttpFilter } from '../../shared/http-filter.ts';
import type { RequestRow } from '../../shared/model.ts';
import { DiagError } from '../../shared/errors.ts';
import type { Columns } from './columns.ts';
import { KeptRows } from './figures/kept-rows.ts';
import { compileHttpFilter } from './filter.ts';
import type { Wanted } from './index/needs.ts';
import { leftOut, requestRow } from './rows.ts';

/** A place in the order of answers: newest first, then by source, then the later in its file first. */
export interface RowPlace { readonly at: number; readonly source: string; readonly offset: number }

export interface RowSearch {
  /** Both included, epoch ms. */
  readonly from: number;
  readonly to: number;
  readonly filter: HttpFilter;
  readonly limit: number;
  /** Only rows behind this one. */
  readonly after?: RowPlace;
  /** With the SCM site's own rows and our own requests. */
  readonly all?: boolean;
}

export interface FoundRows {
  readonly rows: readonly RequestRow[];
  /** There are others behind the last one. */
  readonly more: boolean;
  readonly readBytes: number;
}

/** A way through one file: `bound` is how new the rows may be that are still unread, -Infinity without any. */
export interface Walk {
  readonly bound: number;
  readonly readBytes: number;
  begin(signal: AbortSignal): Promise<void>;
  step(signal: AbortSignal): Promise<void>;
  end(): Promise<void>;
}

/** A file to search: walk() is called once, and the walk's end() once. */
export interface SearchedFile {
  readonly source: string;
  readonly instance?: string;
  /** Id of its format. */
  readonly format: string;
  walk(wanted: Wanted, onRows: (columns: Columns) => void, signal: AbortSignal): Promise<Walk>;
}

/** Memory is bounded by the limit. Each file has a source of its own. */
export async function searchRows(files: readonly SearchedFile[], search: RowSearch, signal: AbortSignal): Promise<FoundRows> {
  const ordered = [...files].sort((a, b) => (a.source < b.source ? -1 : 1));
  const kept = new KeptRows(search.limit + 1, 'at');
  const wanted = { filter: search.filter, from: search.from, to: Math.min(search.to, search.after?.at ?? Infinity) };
  const open = new Set<Walk>();
  let readBytes = 0;
  const close = async (walk: Walk): Promise<void> => {
    open.delete(walk);
    readBytes += walk.readBytes;
    await walk.end();
  };
  try {
    for (const [place, file] of ordered.entries()) {
      const walk = await file.walk(wanted, acceptor(file, place, { ...search, ...wanted }, kept), signal);
      open.add(walk);
      await walk.begin(signal);
      // Most files of a folder lie outside the window: they need not stay open.
      if (walk.bound === -Infinity) await close(walk);
    }
    for (let next = latest(open); next !== undefined && !settled(kept, next.bound); next = latest(open)) {
      await next.step(signal);
      if (next.bound === -Infinity) await close(next);
    }
  } finally {
    for (const walk of open) await close(walk);
  }
  const rows = kept.told((columns, row, place) => {
    const { source, format, instance } = ordered[place] as SearchedFile;
    const made = requestRow(columns, row, source, format);
    return instance === undefined ? made : { ...made, instance };
  });
  return { rows: rows.slice(0, search.limit), more: rows.length > search.limit, readBytes };
}

/** The walk whose unread rows may be the newest. */
function latest(walks: Iterable<Walk>): Walk | undefined {
  let found: Walk | undefined;
  for (const walk of walks) if (found === undefined || walk.bound > found.bound) found = walk;
  return found;
}

/** There are enough rows, and none that is still unread can come before the last of them. */
function settled(kept: KeptRows, bound: number): boolean {
  kept.told(() => undefined);
  return !kept.wants(bound);
}

function acceptor(file: SearchedFile, place: number, search: RowSearch, kept: KeptRows): (columns: Columns) => void {
  const { from, to, after, all } = search;
  const passes = compileHttpFilter(search.filter, { format: file.format, source: file.source, ...(file.instance === undefined ? {} : { instance: file.instance }) });
  return (columns) => {
    for (let row = 0; row < columns.rows; row += 1) {
      const at = columns.at[row] as number;
      if (at < from || at > to || !kept.wants(at) || !passes(columns, row) || (all !== true && leftOut(columns, row))) continue;
      if (after === undefined || behind(at, file.source, columns.offset[row] as number, after)) kept.add(columns, row, place);
    }
  };
}

function behind(at: number, source: string, offset: number, after: RowPlace): boolean {
  if (at !== after.at) return at < after.at;
  return source === after.source ? offset < after.offset : source > after.source;
}

/** The order of answers. */
export function inOrder(a: RowPlace, b: RowPlace): number {
  return b.at - a.at || (a.source < b.source ? -1 : a.source > b.source ? 1 : b.offset - a.offset);
}

/** The cursor of the page behind a row. */
export function cursorOf({ at, source, offset }: RowPlace): string {
  return `${at}_${offset}_${source}`;
}

const CURSOR = /^(\d{1,16}(?:\.\d{1,6})?)_(\d{1,16})_([^\u0000-\u001f]{1,200})$/;

/** @throws CURSOR_BAD */
export function placeOf(cursor: string): RowPlace {
  const parts = CURSOR.exec(cursor);
  if (parts === null) throw new DiagError('CURSOR_BAD');
  return { at: Number(parts[1]), offset: Number(parts[2]), source: parts[3] as string };
}
