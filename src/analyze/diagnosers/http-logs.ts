// Owns the HTTP log of a session's window: W3C rows with their columns, cookies and secret parameters masked.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DiagError } from '../../shared/errors.ts';
import { bytes, plural, utc } from '../../shared/units.ts';
import { APP_SERVICE_FIELDS } from '../../observe/http-log/fields.ts';
import { HTTP_LOG_FOLDER, httpLogNames, isGone, lookAt, type LogFile } from '../../observe/http-log/files.ts';
import { spanOf } from '../../observe/http-log/seek.ts';
import { iisW3c } from '../../observe/http-log/w3c.ts';
import type { Collecting, Diagnoser } from '../contracts.ts';
import { fieldsBefore, rowMask } from '../http-rows.ts';
import { masked, newTally, readSpan } from '../masked-text.ts';
import { tailStart } from '../seek-time.ts';
import { safeName, writeText } from '../write.ts';

/** About a million requests. The newest rows are kept. */
export const MAX_HTTP_BYTES = 256 * 1024 * 1024;
const MIN_BYTES = 4_096;

const Options = z.strictObject({
  maxBytes: z.number().int().min(MIN_BYTES).max(4 * 1024 * 1024 * 1024).default(MAX_HTTP_BYTES).describe('Bytes of rows at most; the newest are kept'),
});

export const httpLogs: Diagnoser<z.infer<typeof Options>> = {
  id: 'http-logs',
  title: 'HTTP logs',
  about: 'Every request of the window with status, sub-status, win32 status and time taken. App Service writes it about a minute late.',
  options: Options,
  cost: 'free',
  preselected: true,
  produces: ['http-log'],
  offered: () => ({ yes: true }),
  async collect(run) {
    const folder = join(run.platform.host.folders.logs, HTTP_LOG_FOLDER);
    const names = await httpLogNames(folder, run.platform.host.app.instance);
    const all = (await Promise.all(names.map((name) => lookAt(folder, name)))).filter((f) => f !== undefined);
    if (all.length === 0) throw new DiagError('NOTHING_TO_COLLECT', { why: 'there is no HTTP log: HTTP logging is off', remedy: 'Turn it on: App Service logs → Web server logging → File System.' });
    const newestFirst = all.filter((f) => f.changedAt >= run.window.from && f.sizeBytes > 0).sort((a, b) => b.changedAt - a.changedAt || (a.name < b.name ? -1 : 1));
    let left = run.options.maxBytes;
    let rows = 0;
    let cut = 0;
    for (const [i, file] of newestFirst.entries()) {
      run.cancel.throwIfAborted();
      if (run.enough.aborted || left < MIN_BYTES) { cut += 1; continue; }
      run.progress(file.name, i / newestFirst.length);
      const copied = await copyRows(run, file, left);
      left -= copied.bytes;
      rows += copied.rows;
      if (copied.cut) cut += 1;
    }
    const note = cut > 0 ? `; ${plural(cut, 'file')} cut or left out at ${bytes(run.options.maxBytes)}` : '';
    run.progress(rows > 0 ? `${plural(rows, 'request')}${note}` : `no request in the window; the newest HTTP log was written at ${utc(Math.max(...all.map((f) => f.changedAt)))}`, 1);
  },
};

interface Copied { readonly bytes: number; readonly rows: number; readonly cut: boolean }
const NONE: Copied = { bytes: 0, rows: 0, cut: false };

async function copyRows(run: Collecting, source: LogFile, maxBytes: number): Promise<Copied> {
  try {
    const span = await windowOf(source, run.window, run.cancel);
    if (!span) return NONE;
    const cut = span.end - span.start > maxBytes;
    const start = cut ? await tailStart(source.path, span.end, maxBytes) : span.start;
    const fields = start > 0 ? await fieldsBefore(source.path, start, run.cancel) ?? APP_SERVICE_FIELDS : undefined;
    const rows = rowMask({ fields, ...run.window, mask: run.mask });
    const tally = newTally();
    const chunks = withHead(fields, masked(readSpan(source.path, start, span.end, run.cancel), (text) => rows.lines(text), tally));
    const note = cut ? `cut: the last ${bytes(span.end - start)} of ${bytes(span.end - span.start)}` : undefined;
    await writeText(run, { kind: 'http-log', name: safeName(source.name), needBytes: span.end - start, note: () => note }, chunks, tally);
    return { bytes: tally.bytes, rows: rows.rows, cut };
  } catch (error) {
    if (isGone(error)) return NONE;                            // rotated away meanwhile
    throw error;
  }
}

async function windowOf(source: LogFile, window: Collecting['window'], signal: AbortSignal): Promise<{ start: number; end: number } | undefined> {
  const file = await open(source.path, 'r');
  try {
    return await spanOf(file, source.sizeBytes, iisW3c, window.from, window.to, signal);
  } finally {
    await file.close();
  }
}

async function* withHead(fields: string | undefined, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (fields !== undefined) yield Buffer.from(`${fields}\n`);
  yield* chunks;
}
