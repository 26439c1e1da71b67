// Owns the golden files: what the analyzers and the report make of recorded sessions. Run as a program it writes them, the tests compare.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { publishedText } from './golden-published.ts';
import { analyzers } from '../src/analyze/analyzers/index.ts';
import { givenOf, narrowed } from '../src/analyze/readers.ts';
import type { Placed } from '../src/analyze/readers.ts';
import { finalReport } from '../src/analyze/final-report.ts';
import { reportHtml } from '../src/analyze/report-html.ts';
import type { ReportGiven } from '../src/analyze/report.ts';
import type { Diagnosis } from '../src/shared/cause.ts';
import type { Finding } from '../src/shared/model.ts';

const root = resolve(import.meta.dirname, '..');
const sessions = join(root, 'test', 'fixtures', 'sessions');
export const goldenFolder = join(root, 'test', 'golden');

/** Each golden file's name with the text that today's code makes. */
export async function goldenFiles(): Promise<ReadonlyMap<string, string>> {
  const css = await readFile(join(root, 'public', 'report.css'), 'utf8');
  const files = new Map<string, string>();
  for (const name of (await readdir(sessions)).sort()) {
    const report = await reportOf(join(sessions, name));
    files.set(`${name}.report.json`, `${JSON.stringify(report, null, 1)}\n`);
    files.set(`${name}.report.html`, reportHtml(report, css));
  }
  files.set('published.txt', await publishedText());
  return files;
}

/** The report of a recorded session: every analyzer whose needs are there, then the report. */
export async function reportOf(folder: string): ReturnType<typeof finalReport> {
  const given = JSON.parse(await readFile(join(folder, 'session.json'), 'utf8')) as Omit<ReportGiven, 'findings' | 'readers'>;
  const placed: Placed[] = given.session.artifacts.map((ref) => ({ ref, path: join(folder, 'files', ref.name) }));
  for (const { ref, path } of placed) {
    const sha256 = createHash('sha256').update(await readFile(path)).digest('hex');
    if (sha256 !== ref.sha256) throw new Error(`${ref.name} is not the file that session.json names`);
  }
  const findings: Finding[] = [];
  let diagnosis: Diagnosis | undefined;
  for (const analyzer of analyzers) {
    if (!analyzer.needs.every((kind) => placed.some((p) => p.ref.kind === kind))) continue;
    const readers = givenOf(narrowed(placed, analyzer));
    findings.push(...await analyzer.analyze(readers, { window: given.window }, new AbortController().signal));
    diagnosis ??= await analyzer.diagnose?.(readers, { window: given.window }, new AbortController().signal);
  }
  return finalReport({ ...given, findings, diagnosis, readers: givenOf(placed) });
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === join(root, 'scripts', 'golden.ts')) {
  await mkdir(goldenFolder, { recursive: true });
  for (const [name, text] of await goldenFiles()) await writeFile(join(goldenFolder, name), text);
}
