// Owns the tests of profiles that real programs have just made: a loop given to node -e, and a flight recording of Java.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { profileReport } from '../../../src/analyze/profile/report.ts';

const here = (process.env['PATH'] ?? '').split(delimiter);
const noJdk = here.some((folder) => existsSync(join(folder, 'jfr')) && here.some((one) => existsSync(join(one, 'java')))) ? undefined : 'SKIPPED: no java and jfr on this machine (Debian: default-jdk-headless)';

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'recorded-'));
  try { await use(folder); } finally { await rm(folder, { recursive: true, force: true }); }
}

test('a loop given as text to node -e is the app, not compiling', async () => {
  await withFolder(async (folder) => {
    await promisify(execFile)(process.execPath, ['--cpu-prof', '--cpu-prof-dir', folder, '-e', 'let x = 0; for (let turn = 0; turn < 15; turn++) for (let i = 0; i < 1e7; i++) x += Math.sqrt(i) * i; console.log(x)']);
    const [name = ''] = await readdir(folder);
    const report = await profileReport({ path: join(folder, name) }, new AbortController().signal);
    assert.equal(report.hot?.sign, 'own-code', report.hot?.sentence);
    assert.match(report.hot?.sentence ?? '', /in `\[eval\]:1` takes/);
  });
});

const BURN = `public class Burn {
  static double grind(int rounds) { double sum = 0; for (int i = 1; i < rounds; i++) sum += Math.sin(i) * Math.cos(sum); return sum; }
  public static void main(String[] args) { long end = System.nanoTime() + 1_200_000_000L; double all = 0; while (System.nanoTime() < end) all += grind(200_000); System.out.println(all); }
}`;

test('a flight recording is read through the tool of the JDK: the method that burns comes first, with its line', { skip: noJdk }, async () => {
  await withFolder(async (folder) => {
    const [source, file] = [join(folder, 'Burn.java'), join(folder, 'burn.jfr')];
    await writeFile(source, BURN);
    await promisify(execFile)('javac', ['-d', folder, source]);
    await promisify(execFile)('java', [`-XX:StartFlightRecording=filename=${file},settings=profile`, '-cp', folder, 'Burn']);
    const report = await profileReport({ path: file }, new AbortController().signal);
    assert.equal(report.format, 'jfr');
    assert.match(report.hot?.sentence ?? '', /^`Burn\.grind\(int\)` in `Burn:2` takes /);
    await writeFile(file, 'FLR\u0000nothing');
    await assert.rejects(profileReport({ path: file }, new AbortController().signal), /jfr tool/);
  });
});
