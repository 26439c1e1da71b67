// Owns the running of a program of the CPU zoo under V8's profiler, and what its comment says must be found.
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { profileReport } from '../../src/analyze/profile/report.ts';
import type { ProfileReport } from '../../src/shared/profile.ts';

export const CPU_ZOO = resolve(import.meta.dirname, '../zoo/cpu');

export async function zooNames(): Promise<string[]> {
  return (await readdir(CPU_ZOO)).filter((name) => name.endsWith('.cjs') && name !== 'burn.cjs').map((name) => name.slice(0, -4)).sort();
}

export interface Expected { readonly name: string; readonly file: string; readonly line: number; readonly sign: string }

/** On one young generation for every Node: that of Node 24 is four times as large, and what a program loses to the collector a matter of chance. "// expect: hashPassword sync-crypto" stands before the function. */
export async function judgedOf(name: string, folder: string, forMs: number): Promise<{ report: ProfileReport; expected: Expected }> {
  const file = `${name}.cjs`;
  await promisify(execFile)(process.execPath, ['--max-semi-space-size=16', '--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`, join(CPU_ZOO, file), String(forMs)], { env: { PATH: process.env['PATH'] } });
  const lines = (await readFile(join(CPU_ZOO, file), 'utf8')).split('\n');
  const at = lines.findIndex((line) => line.includes('// expect: '));
  const [, wanted = '', sign = ''] = /\/\/ expect: (\w+) ([\w-]+)/.exec(lines[at] ?? '') ?? [];
  const report = await profileReport({ path: join(folder, `${name}.cpuprofile`) }, new AbortController().signal);
  return { report, expected: { name: sign === 'getter' ? `get ${wanted}` : wanted, file, line: at + 2, sign } };
}
