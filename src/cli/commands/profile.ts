// Owns `diag profile`: who burns the CPU or allocates, in the order in which one asks; writes other formats of the same.
import { existsSync, statSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { DiagError } from '../../shared/errors.ts';
import type { ProfileFrame, ProfileReport } from '../../shared/profile.ts';
import { count, duration, percent, plural } from '../../shared/units.ts';
import { colour, cut, print, printJson, remark, safeLine, table } from '../print.ts';
import { stop } from '../until.ts';

const ROWS = 15;
const STRETCHES = 5;
/** Of the tree in --json; all of it is written by --speedscope and --pprof. */
const NODES = 20_000;

interface ProfileOptions { readonly base?: string; readonly json?: boolean; readonly speedscope?: string; readonly pprof?: string }

export async function profile(given: string, options: ProfileOptions): Promise<void> {
  const path = file(given);
  const { profileReport } = await import('../../analyze/profile/report.ts');
  const report = await profileReport({ path, base: options.base === undefined ? undefined : file(options.base), nodes: NODES }, stop);
  await write(path, options);
  if (options.json === true) printJson(report); else show(report);
}

function file(given: string): string {
  const path = resolve(given);
  if (!existsSync(path) || !statSync(path).isFile()) throw new DiagError('NOT_FOUND', { path });
  return path;
}

async function write(path: string, { speedscope, pprof }: ProfileOptions): Promise<void> {
  if (speedscope === undefined && pprof === undefined) return;
  const { readProfileFile } = await import('../../analyze/profile/read.ts');
  const tree = await readProfileFile(path, stop);
  if (speedscope !== undefined) { const { writeSpeedscope } = await import('../../analyze/profile/speedscope.ts'); await whole(speedscope, writeSpeedscope(tree, basename(path))); }
  if (pprof !== undefined) { const { writePprof } = await import('../../analyze/profile/pprof.ts'); await whole(pprof, writePprof(tree)); }
}

async function whole(to: string, content: string | Uint8Array): Promise<void> {
  const path = resolve(to);
  await writeFile(`${path}.part`, content);
  await rename(`${path}.part`, path);
  remark(`wrote ${path}`);
}

function show(report: ProfileReport): void {
  const amount = amounts(report);
  print(`${colour('bold', safeLine(report.file))}: ${report.format}, ${report.wallMs === undefined ? amount(report.total) : duration(report.wallMs)}, ${plural(report.samples, 'sample')}, ${plural(report.nodes, 'call')} in the tree`);
  for (const note of report.notes) print(colour('yellow', `note: ${safeLine(note)}`));
  print();
  if (report.hot === undefined) print('Nothing of the program ran while it was taken.');
  else { print(colour('bold', safeLine(report.hot.sentence))); if (report.hot.hotLine !== undefined) print(`Most samples of the function itself fell on line ${report.hot.hotLine}.`); print(safeLine(report.hot.advice)); }
  print();
  print(report.categories.map((one) => `${one.category} ${percent(one.share * 100)}`).join(', '));
  if (report.stretches.length > 0) { print(); for (const one of report.stretches.slice(0, STRETCHES)) print(`At ${duration(one.atMs)}: ${safeLine(one.sentence)}`); }
  tables(report, amount);
}

function tables(report: ProfileReport, amount: (n: number) => string): void {
  print();
  print(table(['Function', 'Self', 'Total', 'Place'], report.functions.slice(0, ROWS).map((one) => [cut(safeLine(one.name), 50), amount(one.self), amount(one.total), cut(safeLine(place(one)), 80)]), [1, 2]));
  print();
  print(table(['Module', 'Self', 'Total', 'Of'], report.modules.slice(0, ROWS).map((one) => [cut(safeLine(one.name), 60), amount(one.self), amount(one.total), one.category]), [1, 2]));
  if (report.packages.length > 0) { print(); print(table(['Package', 'Self', 'Total'], report.packages.slice(0, ROWS).map((one) => [safeLine(one.name), amount(one.self), amount(one.total)]), [1, 2])); }
  if (report.change === undefined) return;
  print();
  print(`Against ${safeLine(report.change.base)}, shares of all that is not idle:`);
  print(table(['Function', 'Before', 'After', 'Place'], report.change.functions.slice(0, ROWS).map((one) => [cut(safeLine(one.name), 50), percent(one.before * 100), percent(one.after * 100), cut(safeLine(place(one)), 80)]), [1, 2]));
}

function amounts({ unit, busy }: ProfileReport): (n: number) => string {
  const share = (n: number): string => (busy > 0 ? percent((n / busy) * 100) : '–');
  return (n) => (unit === 'us' ? `${duration(n / 1e3)} ${share(n)}` : `${count(Math.round(n))}${unit === 'bytes' ? ' B' : ''} ${share(n)}`);
}

function place(frame: ProfileFrame): string {
  return frame.file === undefined ? '' : `${frame.file}${frame.line === undefined ? '' : `:${frame.line}`}`;
}
