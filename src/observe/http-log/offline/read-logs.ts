// Owns the reading of HTTP logs that lie on this machine, without an agent: files, folders, packed ones; one report and the rows asked for.
import { open, stat } from 'node:fs/promises';
import { DiagError, sayError } from '../../../shared/errors.ts';
import { parseHttpFilter } from '../../../shared/http-filter.ts';
import type { HttpReport, HttpSource } from '../../../shared/http-report.ts';
import type { RequestRow } from '../../../shared/model.ts';
import type { LogFormat } from '../columns.ts';
import { detect, sampleOf } from '../detect.ts';
import type { Detection } from '../detect.ts';
import { dropKernels } from '../kernel/kernel.ts';
import { HELP_ALONE_BELOW_BYTES, THREADS } from '../scan/contract.ts';
import type { ScanInput, SpareThreads } from '../scan/contract.ts';
import { scan } from '../scan/scan.ts';
import { spanOf } from '../seek.ts';
import { sourcesOf } from '../unpack.ts';
import type { ByteSource } from '../unpack.ts';
import { filesIn } from './log-paths.ts';
import type { NamedFile } from './log-paths.ts';
import { collectNow, growYoung } from './optimize-rarely.ts';
import { Streamed } from './streamed.ts';

/** Read by one thread, from its beginning. */
const PACKED = /\.(gz|zip)$/i;

export interface ReadLogsOptions {
  readonly paths: readonly string[];
  /** Epoch ms, both included. */
  readonly from?: number;
  readonly to?: number;
  readonly filter?: string;
  /** The user's word on the format of all of them: an id, "nginx:<log_format>" or "apache:<LogFormat>". */
  readonly format?: string;
  /** With the SCM site's rows and the agent's own requests. */
  readonly everything?: boolean;
  /** Newest rows to find, instead of the report. */
  readonly rows?: number;
  readonly threads?: number;
  /** Threads that were started before; the reading ends them. */
  readonly spare?: SpareThreads;
  readonly signal: AbortSignal;
  progress?(readBytes: number, totalBytes: number): void;
}

export interface ReadLogs {
  readonly report: HttpReport;
  readonly rows: readonly RequestRow[];
  /** There are others behind the last of the rows. */
  readonly more: boolean;
}

/** A file that is no log is told in the report; when none is one, that is an error. @throws NOT_FOUND, NO_HTTP_LOG, TOO_MANY, HTTP_FILTER_BAD, LOG_FORMAT_BAD, HTTP_SCAN_FAILED */
export async function readLogs(options: ReadLogsOptions): Promise<ReadLogs> {
  const spare = options.spare ?? await spareFor(options);
  try {
    return await readAll(options, spare);
  } finally {
    await spare?.end();
  }
}

/** A thread for large logs starts while they are still looked at. Of a window of time it is not known yet whether it is large. */
async function spareFor({ paths, from, to, threads = THREADS }: ReadLogsOptions): Promise<SpareThreads | undefined> {
  if (threads < 2 || from !== undefined || to !== undefined) return undefined;
  const sizes = await Promise.all(paths.map(async (path) => (PACKED.test(path) ? 0 : stat(path).then((seen) => (seen.isFile() ? seen.size : 0), () => 0))));
  if (sizes.reduce((sum, size) => sum + size, 0) < HELP_ALONE_BELOW_BYTES) return undefined;
  const { spareThreads } = await import('../scan/spare.ts');
  return spareThreads(threads - 1);
}

async function readAll(options: ReadLogsOptions, spare: SpareThreads | undefined): Promise<ReadLogs> {
  const { signal, rows: keep = 0 } = options;
  const filter = parseHttpFilter(options.filter ?? '');
  const window = windowOf(options);
  const met = await meet(options, new Streamed({ ...window, filter, keepRows: keep === 0 ? 0 : keep + 1 }));
  const { inputs, streamed, refused } = met;
  if (inputs.length + streamed.sources.length === 0) throw nothing(options.paths, refused);
  const scanned = await scan({
    inputs, ...window, signal, help: true, waits: giveKernelsBack, ...(spare === undefined ? {} : { spare }), ...(filter.terms.length === 0 || options.filter === undefined ? {} : { filter: options.filter }),
    ...(options.threads === undefined ? {} : { threads: options.threads }), ...(options.progress === undefined ? {} : { progress: options.progress }),
  });
  const { figures } = scanned;
  if (streamed.sources.length > 0) figures.merge(streamed.state(), (source) => source + inputs.length);
  growYoung();
  const report = figures.report([...scanned.sources, ...streamed.sources, ...refused]);
  if (keep === 0) return { report, rows: [], more: false };
  // Loaded where rows are asked for: the index beside it costs the start.
  const { findRows } = await import('./find-rows.ts');
  const search = { from: options.from ?? -Infinity, to: options.to ?? Infinity, filter, limit: keep, ...(options.everything === undefined ? {} : { all: options.everything }) };
  const { rows, more } = await findRows(inputs, search, streamed.rows(), signal);
  return { report, rows, more };
}

/** Their memory is not needed beside what the other threads send. */
function giveKernelsBack(): void {
  dropKernels();
  collectNow();
}

type Window = Pick<ReadLogsOptions, 'from' | 'to' | 'everything'>;
function windowOf({ from, to, everything }: Window): Window {
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), ...(everything === undefined ? {} : { everything }) };
}

interface Met { readonly inputs: readonly ScanInput[]; readonly streamed: Streamed; readonly refused: readonly HttpSource[] }

/** Looks at every file; what can only be read from its beginning is read at once, since its archive closes behind it. */
async function meet(options: ReadLogsOptions, streamed: Streamed): Promise<Met> {
  const { signal } = options;
  const inputs: ScanInput[] = [];
  const refused: HttpSource[] = [];
  for (const file of await filesIn(options.paths, signal)) {
    if (file.why !== undefined) { refused.push(empty(file.path, file.why)); continue; }
    try {
      for await (const log of sourcesOf(file.path, signal)) {
        const name = log.packing === 'zip' ? `${file.path}${log.name.slice(log.name.indexOf('/'))}` : file.path;
        const seen = log.refused === undefined ? detect(await sampleOf(log, signal), options.format) : undefined;
        if (seen?.format === undefined) refused.push(noLog(name, log, seen));
        else if (log.path === undefined || seen.format.fromStart === true) await streamed.add(log, { name, format: seen.format, confidence: seen.confidence }, signal);
        else inputs.push(await inputOf(log.path, { name, format: seen.format, seen, sizeBytes: log.textBytes ?? 0 }, options));
      }
    } catch (error) {
      refused.push(unreadable(file, error, signal));
    }
  }
  return { inputs, streamed, refused };
}

/** A user's wrong word ends it all; a file that cannot be read ends itself. */
function unreadable(file: NamedFile, error: unknown, signal: AbortSignal): HttpSource {
  signal.throwIfAborted();
  if (error instanceof DiagError && error.code !== 'LOG_UNREADABLE') throw error;
  return empty(file.path, sayError(error));
}

async function inputOf(path: string, log: { readonly name: string; readonly format: LogFormat; readonly seen: Detection; readonly sizeBytes: number }, { from, to, signal }: ReadLogsOptions): Promise<ScanInput> {
  const { name, format, seen, sizeBytes } = log;
  const ref = { id: format.id, ...(format.pattern === undefined ? {} : { pattern: format.pattern }) };
  const input: ScanInput = { path, source: name, format: ref, confidence: seen.confidence };
  if (from === undefined && to === undefined) return input;
  const file = await open(path, 'r');
  try {
    const span = await spanOf(file, sizeBytes, format, from ?? -Infinity, to ?? Infinity, signal);
    // Nothing of it is read: its rows are all older or newer.
    if (span === undefined) return { ...input, from: 0, to: 0 };
    return { ...input, from: span.start, to: span.end, ...(span.head === undefined ? {} : { head: span.head }) };
  } finally {
    await file.close();
  }
}

function noLog(name: string, log: ByteSource, seen: Detection | undefined): HttpSource {
  return empty(name, log.refused ?? `no format that is known here reads it; it holds ${seen?.seen ?? 'nothing'}.`);
}

function empty(source: string, note: string): HttpSource {
  return { source, format: 'unknown', confidence: 0, bytes: 0, lines: 0, rows: 0, comments: 0, malformed: 0, malformedAt: [], note };
}

function nothing(paths: readonly string[], refused: readonly HttpSource[]): DiagError {
  const [first] = refused;
  return new DiagError('NO_HTTP_LOG', { where: paths.join(', '), why: `${refused.length > 1 ? `${first?.source}: ` : ''}${first?.note ?? 'there is no file'}`.replace(/\.$/, '') });
}
