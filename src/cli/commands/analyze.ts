// Owns `diag analyze`: the judging half of a session, offline, over a bundle, a session folder or plain logs.
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DiagError } from '../../shared/errors.ts';
import { VERSION } from '../../agent/config.ts';
import { systemClock } from '../../platform/clock.ts';
import { writeAtomic } from '../../store/atomic.ts';
import { exitCode } from '../exit.ts';
import { fails, type FailOn } from '../options.ts';
import { print, printJson, remark, safeLine } from '../print.ts';
import { printReport } from '../print-report.ts';
import { stop } from '../until.ts';

export async function analyze(given: readonly string[], options: { out?: string; json?: boolean; failOn: FailOn }): Promise<void> {
  const paths = given.map((path) => resolve(path));
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) throw new DiagError('NOT_FOUND', { path: missing });
  const [{ analyzeMaterial }, { analyzers }, { packageRoot }] = await Promise.all([import('../../analyze/offline.ts'), import('../../analyze/analyzers/index.ts'), import('../../server/run.ts')]);
  const root = packageRoot(import.meta.url);
  const worker = join(root, 'dist', 'analyze-worker.js');
  const { report, html, notes } = await analyzeMaterial(paths, {
    analyzers, toolVersion: VERSION, clock: systemClock, signal: stop, temp: tmpdir(),
    reportCss: await readFile(join(root, 'public', 'report.css'), 'utf8'),
    ...(existsSync(worker) ? { thread: worker } : {}),
  });
  for (const note of notes) remark(safeLine(note));
  if (options.out !== undefined) {
    const folder = resolve(options.out);
    await mkdir(folder, { recursive: true });
    await writeAtomic(join(folder, 'report.json'), JSON.stringify(report));
    await writeAtomic(join(folder, 'report.html'), html);
  }
  if (options.json) printJson(report);
  else { printReport(report); if (options.out !== undefined) { print(); print(`written to ${safeLine(resolve(options.out))}`); } }
  if (fails(report.findings, options.failOn)) exitCode(1);
}
