// Owns what diagnosers ask of the preload in the process under study: without a signal and without an inspector's port; and when the inspector is the way instead.
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { AppWanted } from '../shared/app-link.ts';
import { DiagError, sayError } from '../shared/errors.ts';
import type { LinkedApp } from '../platform/app-link.ts';
import type { Collecting } from './contracts.ts';
import { theTarget } from './target.ts';

/** A report has 50 KB to 1 MB. */
const TEXT_BYTES = 32 * 1024 * 1024;

/** The target's own preload, when it runs and answers. */
export function preloadOf(run: Pick<Collecting, 'target' | 'observed'>): LinkedApp | undefined {
  const { target } = run;
  return run.observed.inside?.apps().find((app) => app.answersAsks && app.process.pid === target?.pid && app.process.startedAt === target.startedAt);
}

/** Which of the two ways brought it, for the note. */
export type Way = 'by the preload' | 'by the inspector';

/** By the preload where it answers; else, and where it does not do it, by the inspector. What the preload has begun and not finished is made anew.
 *  @throws CANCELLED, and what the inspector's way throws */
export async function byPreload<T>(run: Collecting, ask: (app: LinkedApp) => Promise<T>, otherwise: () => Promise<T>): Promise<{ readonly way: Way; readonly made: T }> {
  const app = preloadOf(run);
  if (app !== undefined) {
    try {
      return { way: 'by the preload', made: await ask(app) };
    } catch (error) {
      if (!(error instanceof DiagError) || (error.code !== 'APP_UNREACHABLE' && error.code !== 'APP_REFUSED')) throw error;
      run.progress(`${sayError(error)} The inspector is used instead.`);
    }
  }
  return { way: 'by the inspector', made: await otherwise() };
}

/** Streams the artifact into the file, at the pace of the disk; answers how long it took until its first byte. */
export async function askIntoFile(run: Collecting, wanted: AppWanted, file: string, signal: AbortSignal, progress: (writtenBytes: number) => void = () => undefined): Promise<{ readonly sizeBytes: number; readonly firstAfterMs: number | undefined }> {
  const out = createWriteStream(file, { mode: 0o600 });
  const began = run.platform.clock.monotonic();
  let firstAfterMs: number | undefined;
  let written = 0;
  // Before the first write: a disk that refuses is told by the write that waits for it.
  const failed = new Promise<never>((_, reject) => { out.once('error', reject); });
  failed.catch(() => undefined);
  try {
    const { sizeBytes } = await asked(run, wanted, signal, async (bytes) => {
      firstAfterMs ??= run.platform.clock.monotonic() - began;
      written += bytes.length;
      if (!out.write(bytes)) await Promise.race([once(out, 'drain'), failed]);
      progress(written);
    });
    out.end();
    await finished(out);
    return { sizeBytes, firstAfterMs };
  } finally {
    out.destroy();
  }
}

/** A short artifact as its text. */
export async function askForText(run: Collecting, wanted: AppWanted, signal: AbortSignal): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  await asked(run, wanted, signal, (bytes) => {
    size += bytes.length;
    if (size > TEXT_BYTES) throw new Error(`the answer is longer than ${TEXT_BYTES} bytes`);
    pieces.push(Buffer.from(bytes));
  });
  return Buffer.concat(pieces).toString('utf8');
}

function asked(run: Collecting, wanted: AppWanted, signal: AbortSignal, onBytes: (bytes: Buffer) => Promise<void> | void): Promise<{ readonly sizeBytes: number }> {
  const { pid, startedAt } = theTarget(run);
  const { inside } = run.observed;
  if (inside === undefined) throw new DiagError('APP_UNREACHABLE', { pid, why: 'it carries no preload' });
  return inside.ask({ pid, startedAt }, wanted, signal, onBytes);
}
