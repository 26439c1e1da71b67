// Owns the masking of W3C rows: which columns may hold secrets, and how a row keeps its form.
import { open } from 'node:fs/promises';
import { isSecretName, MASK, maskQuery, maskUrl } from '../shared/mask.ts';
import { APP_SERVICE_FIELDS } from '../observe/http-log/fields.ts';
import type { MaskedText, Masker } from './masker.ts';
import { readAt } from './seek-time.ts';

type Cell = (value: string) => MaskedText;

/** Longer paths may hold a token; a shorter one has no room for what the patterns know. */
const MIN_PATH_CHARS = 16;
/** Values remembered per column: some 500 KiB. */
const MAX_REMEMBERED = 2_000;

export interface RowMask {
  /** Whole lines of a log, rows outside [from, to] left out, secrets masked. Keeps the columns from call to call. */
  lines(text: string): MaskedText;
  /** Rows kept so far, and the first line of columns to begin a file with when the span does not begin with one. */
  readonly rows: number;
}

/** `fields`: the `#Fields:` line in force where the text begins. Rows whose form is not understood are kept and masked as prose. */
export function rowMask(given: { fields?: string | undefined; from: number; to: number; mask: Masker }): RowMask {
  const from = iisTime(given.from);
  const to = iisTime(given.to);
  let columns = cellsOf(given.fields ?? APP_SERVICE_FIELDS);
  let rows = 0;
  const row = (line: string): MaskedText | undefined => {
    const cells = line.split(' ');
    if (cells.length !== columns.cells.length) return given.mask.text(line);
    const at = `${cells[columns.date] ?? ''} ${cells[columns.time] ?? ''}`;
    if (columns.date >= 0 && columns.time >= 0 && (at < from || at > to)) return undefined;
    rows += 1;
    return maskCells(cells, columns.cells);
  };
  return {
    get rows() { return rows; },
    lines(text) {
      let count = 0;
      let out = '';
      for (const raw of text.split('\n')) {
        const end = raw.endsWith('\r') ? '\r\n' : '\n';
        const line = end === '\r\n' ? raw.slice(0, -1) : raw;
        if (/^#fields:/i.test(line)) columns = cellsOf(line);
        const shown = line === '' || line.startsWith('#') ? { text: line, count: 0 } : row(line);
        if (!shown || (line === '' && end === '\n')) continue;
        count += shown.count;
        out += shown.text + end;
      }
      const known = given.mask.values(out);
      return { text: known.text, count: count + known.count };
    },
  };
}

const usual = cellsOf(APP_SERVICE_FIELDS);

/** A row as a view of the log shows it, out of its file and so by App Service's own columns; undefined for a text that has not their form. */
export function maskedRowText(text: string): string | undefined {
  const cells = text.split(' ');
  if (cells.length !== usual.cells.length || !/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /.test(text)) return undefined;
  return maskCells(cells, usual.cells).text;
}

const SPACE = 0x20;

/** Might maskedRowText take this line (after its date and time, which the caller has looked at) for a row? As many cells as App Service writes. */
export function hasRowCells(bytes: Uint8Array, from: number, to: number): boolean {
  let cells = 1;
  for (let i = from; i < to; i += 1) if (bytes[i] === SPACE) cells += 1;
  return cells === usual.cells.length;
}

function maskCells(cells: string[], maskers: readonly (Cell | undefined)[]): MaskedText {
  let count = 0;
  maskers.forEach((mask, i) => {
    const value = cells[i] ?? '-';
    if (!mask || value === '-' || value === '') return;
    const masked = mask(value);
    count += masked.count;
    cells[i] = masked.text;
  });
  return { text: cells.join(' '), count };
}

function cellsOf(fields: string): { cells: readonly (Cell | undefined)[]; date: number; time: number } {
  const names = fields.replace(/^#fields:/i, '').trim().split(/\s+/).map((n) => n.toLowerCase());
  return { cells: names.map(cellMask), date: names.indexOf('date'), time: names.indexOf('time') };
}

function cellMask(name: string): Cell | undefined {
  if (name === 'cs-uri-query') return maskedQuery(remembered((v) => { const { query, count } = maskQuery(v); return { text: query, count }; }));
  if (name === 'cs(referer)') return remembered((v) => { const { url, count } = maskUrl(v); return { text: url, count }; });
  if (name === 'cs-uri-stem') return remembered((v) => { if (v.length < MIN_PATH_CHARS) return { text: v, count: 0 }; const { url, count } = maskUrl(v); return { text: url, count }; });
  if (name === 'cs(cookie)') return maskCookies;
  const header = /^[cs]s\((.*)\)$/.exec(name)?.[1];
  return header !== undefined && isSecretName(header) ? () => ({ text: MASK, count: 1 }) : undefined;
}

/** Paths, referrers and most queries come again and again; looking them up is a tenth of masking them. Full: all are forgotten. */
function remembered(mask: Cell): Cell {
  const known = new Map<string, MaskedText>();
  return (value) => {
    const before = known.get(value);
    if (before) return before;
    const masked = mask(value);
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(value, masked);
    return masked;
  };
}

/** App Service appends `X-ARR-LOG-ID=<guid>` to every query: no secret, and the one part that never comes again. */
function maskedQuery(mask: Cell): Cell {
  return (value) => {
    const id = /&?X-ARR-LOG-ID=[0-9a-f-]{36}$/i.exec(value);
    if (!id) return mask(value);
    if (id.index === 0) return { text: value, count: 0 };
    const masked = mask(value.slice(0, id.index));
    return { text: masked.text + id[0], count: masked.count };
  };
}

/** `ARRAffinity=abc;+session=x` keeps its names; a cookie without a name is masked whole. */
function maskCookies(value: string): MaskedText {
  const parts = value.split(';');
  return { text: parts.map((part) => { const at = part.indexOf('='); return at < 0 ? MASK : part.slice(0, at + 1) + MASK; }).join(';'), count: parts.length };
}

/** As a row writes it, to the second: texts of this form sort as their times do. */
export function iisTime(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}

/** The `#Fields:` line in force at an offset: the last one before it. Reads backwards, so a log that names its columns often costs little. */
export async function fieldsBefore(path: string, offset: number, signal: AbortSignal): Promise<string | undefined> {
  const step = 1024 * 1024;
  const overlap = 16 * 1024;                                   // longer than any #Fields line that is followed
  const file = await open(path, 'r');
  try {
    for (let end = offset; end > 0; end -= step) {
      signal.throwIfAborted();
      const start = Math.max(0, end - step);
      const text = (await readAt(file, start, Math.min(offset, end + overlap) - start)).toString('latin1');
      const lines = [...text.matchAll(/(?:^|\n)(#fields:[^\r\n]*)(?=\r?\n)/gi)].filter((m) => m[0].startsWith('\n') || start === 0);
      const last = lines.at(-1)?.[1];
      if (last !== undefined) return last;
    }
    return undefined;
  } finally {
    await file.close();
  }
}
