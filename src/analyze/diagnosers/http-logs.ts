// Owns the HTTP log of a session's window: W3C rows with their columns, cookies and secret parameters masked.
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { DiagError } from '../../shared/errors.ts';
import type { LogSourceInfo } from '../../shared/model.ts';
import { bytes, plural, utc } from '../../shared/units.ts';
import { APP_SERVICE_FIELDS } from '../../observe/http-log/fields.ts';
import type { Collecting, Diagnoser } from '../contracts.ts';
import { fieldsBefore, rowMask, timeOfRows } from '../http-rows.ts';
import { masked, newTally, readSpan } from '../masked-text.ts';
import { seekTime, tailStart } from '../seek-time.ts';
import { safeName, writeText } from '../write.ts';

/** About a million requests. The newest rows are kept. */
export const MAX_HTTP_BYTES = 256 * 1024 * 1024;
/** Rows are written in the order in which requests end; several threads may write a little out of order. */
const DISORDER_MS = 120_000;
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
    const all = (await run.observed.logs.catalog(run.cancel)).sources.filter((s) => s.kind === 'http');
    if (all.length === 0) throw new DiagError('NOTHING_TO_COLLECT', { why: 'there is no HTTP log: HTTP logging is off', remedy: 'Turn it on: App Service logs → Web server logging → File System.' });
    const newestFirst = all.filter((s) => s.changedAt >= run.window.from && s.sizeBytes > 0).sort((a, b) => b.changedAt - a.changedAt || (a.id < b.id ? -1 : 1));
    let left = run.options.maxBytes;
    let rows = 0;
    let cut = 0;
    for (const [i, source] of newestFirst.entries()) {
      run.cancel.throwIfAborted();
      if (run.enough.aborted || left < MIN_BYTES) { cut += 1; continue; }
      run.progress(source.title, i / newestFirst.length);
      const copied = await copyRows(run, source, left);
      left -= copied.bytes;
      rows += copied.rows;
      if (copied.cut) cut += 1;
    }
    const note = cut > 0 ? `; ${plural(cut, 'file')} cut or left out at ${bytes(run.options.maxBytes)}` : '';
    run.progress(rows > 0 ? `${plural(rows, 'request')}${note}` : `no request in the window; the newest HTTP log was written at ${utc(Math.max(...all.map((s) => s.changedAt)))}`, 1);
  },
};

async function copyRows(run: Collecting, source: LogSourceInfo, maxBytes: number): Promise<{ bytes: number; rows: number; cut: boolean }> {
  try {
    const path = await run.observed.logs.path(source.id);
    const { size } = await stat(path);
    const begin = await seekTime(path, size, run.window.from - DISORDER_MS, timeOfRows, run.cancel) ?? 0;
    const cut = size - begin > maxBytes;
    const start = cut ? await tailStart(path, size, maxBytes) : begin;
    const fields = start > 0 ? await fieldsBefore(path, start, run.cancel) ?? APP_SERVICE_FIELDS : undefined;
    const rows = rowMask({ fields, ...run.window, mask: run.mask });
    const tally = newTally();
    const chunks = withHead(fields, masked(readSpan(path, start, size, run.cancel), (text) => rows.lines(text), tally));
    await writeText(run, { kind: 'http-log', name: safeName(source.title), needBytes: size - start, note: () => (cut ? `cut: the last ${bytes(size - start)} of ${bytes(size - begin)}` : undefined) }, chunks, tally);
    return { bytes: tally.bytes, rows: rows.rows, cut };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error instanceof DiagError && error.code === 'SOURCE_UNKNOWN')) return { bytes: 0, rows: 0, cut: false };  // rotated away meanwhile
    throw error;
  }
}

async function* withHead(fields: string | undefined, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (fields !== undefined) yield Buffer.from(`${fields}\n`);
  yield* chunks;
}
