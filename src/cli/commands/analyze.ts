// Owns `diag analyze`: the judging half of a session, offline, over a bundle, a session folder or plain logs.
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { VERSION } from '../../agent/config.ts';
import { analyzeMaterial } from '../../analyze/offline.ts';
import { analyzers } from '../../analyze/analyzers/index.ts';
import { systemClock } from '../../platform/clock.ts';
import { writeAtomic } from '../../store/atomic.ts';
import { packageRoot } from '../../server/run.ts';
import { exitCode } from '../exit.ts';
import { fails, type FailOn } from '../options.ts';
import { print, printJson, printReport, remark } from '../print.ts';
import { interrupted } from '../until.ts';

export async function analyze(paths: readonly string[], options: { out?: string; json?: boolean; failOn: FailOn }): Promise<void> {
  const root = packageRoot(import.meta.url);
  const worker = join(root, 'dist', 'analyze-worker.js');
  const { report, html, notes } = await analyzeMaterial(paths.map((p) => resolve(p)), {
    analyzers, toolVersion: VERSION, clock: systemClock, signal: interrupted(), temp: tmpdir(),
    reportCss: await readFile(join(root, 'public', 'report.css'), 'utf8'),
    ...(existsSync(worker) ? { thread: worker } : {}),
  });
  for (const note of notes) remark(note);
  if (options.out) {
    const folder = resolve(options.out);
    await mkdir(folder, { recursive: true });
    await writeAtomic(join(folder, 'report.json'), JSON.stringify(report));
    await writeAtomic(join(folder, 'report.html'), html);
  }
  if (options.json) printJson(report);
  else { printReport(report); if (options.out) { print(); print(`written to ${resolve(options.out)}`); } }
  if (fails(report.findings, options.failOn)) exitCode(1);
}
