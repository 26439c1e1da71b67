// Owns the failed request traces (fr*.xml) that IIS wrote in a session's window: whole or not at all, with their secrets masked.
import { readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { DiagError } from '../../shared/errors.ts';
import type { LogSourceInfo } from '../../shared/model.ts';
import { bytes, count, plural, utc } from '../../shared/units.ts';
import type { Collecting, Diagnoser } from '../contracts.ts';
import { newTally } from '../masked-text.ts';
import { maskTrace } from '../trace-mask.ts';
import { safeName, writeText } from '../write.ts';

const BOUNDS = { files: 100, fileBytes: 16 * 1024 * 1024, totalBytes: 64 * 1024 * 1024 };
const TRACE = /(?:^|\/)W3SVC\d+\/fr\d+\.xml$/i;

export const failedRequestTraces: Diagnoser = {
  id: 'failed-request-traces',
  title: 'Failed request traces',
  about: 'What IIS did with single failed requests, module by module: who answered with the error, and with which code.',
  options: z.strictObject({}),
  cost: 'free',
  preselected: true,
  produces: ['failed-request-trace'],
  offered: (_target, platform) => (/windows/i.test(platform.host.app.os) ? { yes: true } : { yes: false, because: 'only IIS writes them, and this is not Windows' }),
  collect,
};

/** The newest of the window; what the bounds leave out is counted. */
async function collect(run: Collecting): Promise<void> {
  const all = (await run.observed.logs.catalog(run.cancel, { fresh: true })).sources.filter((source) => TRACE.test(source.title));
  if (all.length === 0) throw new DiagError('NOTHING_TO_COLLECT', { why: 'there is no failed request trace: tracing is off, or no request failed since it is on', remedy: 'Turn it on: App Service logs → Failed request tracing.' });
  const fresh = all.filter((source) => source.changedAt >= run.window.from).sort((a, b) => b.changedAt - a.changedAt || (a.id < b.id ? -1 : 1));
  if (fresh.length === 0) { run.progress(`none was written in the window; the newest is of ${utc(Math.max(...all.map((source) => source.changedAt)))}`, 1); return; }
  let left = BOUNDS.totalBytes, taken = 0;
  for (const [i, source] of fresh.slice(0, BOUNDS.files).entries()) {
    run.cancel.throwIfAborted();
    if (run.enough.aborted) break;
    run.progress(source.title, i / fresh.length);
    const written = await one(run, source, Math.min(left, BOUNDS.fileBytes));
    left -= written;
    if (written > 0) taken += 1;
  }
  run.progress(`${plural(taken, 'trace')}, ${bytes(BOUNDS.totalBytes - left)}${fresh.length > taken ? `; ${count(fresh.length - taken)} more left out` : ''}`, 1);
}

/** Bytes written; 0 when it is too large or went away (IIS keeps fifty and deletes the oldest). */
async function one(run: Collecting, source: LogSourceInfo, maxBytes: number): Promise<number> {
  try {
    const path = await run.observed.logs.path(source.id);
    if ((await stat(path)).size > maxBytes) return 0;
    const { text, count: masked } = maskTrace(await readFile(path, { encoding: 'utf8', signal: run.cancel }), run.mask);
    const tally = newTally();
    tally.masked = masked;
    const raw = Buffer.from(text);
    await writeText(run, { kind: 'failed-request-trace', name: safeName(source.title), needBytes: raw.length }, Readable.from([raw]) as AsyncIterable<Buffer>, tally);
    return raw.length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error instanceof DiagError && error.code === 'SOURCE_UNKNOWN')) return 0;
    throw error;
  }
}
