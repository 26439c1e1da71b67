// Owns `diag http-log`: HTTP logs of any format that lie here, as a report or as rows, without an agent.
import { resolve } from 'node:path';
import { maskedReport, maskedRow } from '../../agent/masked.ts';
import { optimizeRarely } from '../../observe/http-log/offline/optimize-rarely.ts';
import type { SpareThreads } from '../../observe/http-log/scan/contract.ts';
import type { HttpReport } from '../../shared/http-report.ts';
import { maskText } from '../../shared/mask.ts';
import { bytes, percent } from '../../shared/units.ts';
import { exitCode } from '../exit.ts';
import { clearLine, showLine } from '../live-line.ts';
import type { FailureLimit } from '../options.ts';
import { print, printJson, safeLine } from '../print.ts';
import { stop } from '../until.ts';

export interface HttpLogOptions {
  readonly from?: number;
  readonly to?: number;
  readonly filter?: string;
  readonly format?: string;
  readonly json?: boolean;
  readonly html?: string;
  readonly limit: number;
  readonly rows?: boolean;
  readonly all?: boolean;
  readonly failOn?: FailureLimit;
}

/** Writes the report as one page. */
export type WriteHtml = (path: string, report: HttpReport, filter: string | undefined) => Promise<void>;
export type HtmlWriter = () => Promise<WriteHtml>;

export async function httpLog(paths: readonly string[], options: HttpLogOptions, html: HtmlWriter, spare?: SpareThreads): Promise<void> {
  const { from, to, filter, format, limit } = options;
  optimizeRarely();
  const { readLogs } = await import('../../observe/http-log/offline/read-logs.ts');
  const read = await readLogs({
    paths, signal: stop, ...given({ spare, from, to, filter, format, everything: options.all, rows: options.rows === true ? limit : undefined }),
    progress: (read, total) => { showLine(`read ${bytes(read)} of ${bytes(total)}${total > 0 ? ` (${percent(Math.round(100 * read / total))})` : ''}`); },
  });
  clearLine();
  // What the site's processes hold is not known here; what is a secret by its form is, and reports are passed on.
  const mask = (text: string): string => maskText(text).text;
  const { more } = read;
  const [report, rows] = [maskedReport(read.report, mask), read.rows.map((row) => maskedRow(row, mask))];
  if (options.html !== undefined) await (await html())(resolve(options.html), report, filter);
  if (options.json === true) printJson(options.rows === true ? { rows, more } : report);
  else {
    const { printHttp, printRows } = await import('../print-http.ts');
    if (options.rows === true) printRows(rows, more); else printHttp(report, limit);
  }
  if (options.html !== undefined && options.json !== true) { print(); print(`written to ${safeLine(resolve(options.html))}`); }
  if (failed(report, options.failOn)) exitCode(1);
}

/** What was not given is not there, as the reader's options want it. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function failed({ failures, rows }: HttpReport, limit: FailureLimit | undefined): boolean {
  if (limit === undefined) return false;
  return 'count' in limit ? failures >= limit.count : rows > 0 && 100 * failures / rows >= limit.percent;
}
