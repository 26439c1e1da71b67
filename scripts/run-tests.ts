// Owns running test files by a Node: with node's own runner, and what failed among others once more alone.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';

const root = resolve(import.meta.dirname, '..');
/** More files than this are no accident of a crowded machine. */
const MAX_AGAIN = 5;
/** The longest file takes a minute and a half on two idle cores. */
const TEST_LIMIT_MS = 600_000;

/** The program that runs, and its variables. */
export interface By { readonly program: string; readonly env: Readonly<Record<string, string | undefined>> }
/** Certificates beyond Node's own are read at each start, for 40 ms of a test's many programs: set aside for what asks a registry (test/support/npm-pack.ts). */
const { NODE_EXTRA_CA_CERTS: certificates, ...env } = process.env;
const own: By = { program: process.execPath, env: certificates === undefined ? env : { ...env, TESTS_EXTRA_CA_CERTS: certificates } };

/** How it went, by its exit code. */
export function ran(name: string, args: readonly string[], { program, env }: By = own): Promise<boolean> {
  const began = performance.now();
  process.stdout.write(`\n== ${name}\n`);
  return new Promise((done) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...env } });
    child.on('exit', (code) => {
      process.stdout.write(`== ${name}: ${code === 0 ? 'good' : `failed (${code})`} after ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
      done(code === 0);
    });
  });
}

/**
 * A file that failed among others runs once more, alone: real processes on a machine that is also somebody else's may be starved for a while.
 * What passes only alone is answered by name, to be said at the end; what fails alone too fails the run.
 */
export async function runTests(name: string, files: readonly string[], concurrency: number, by: By = own): Promise<{ readonly good: boolean; readonly alone: readonly string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'tests-'));
  const list = join(folder, 'failed');
  const runner = ['--import', 'tsx', '--import', './test/support/quick-assert.mjs', '--test', `--test-timeout=${TEST_LIMIT_MS}`, '--test-reporter=spec', '--test-reporter-destination=stdout'];
  const good = await ran(name, [...runner, '--test-reporter=./scripts/failed-files.mjs', `--test-reporter-destination=${list}`, `--test-concurrency=${concurrency}`, ...files], by);
  const named = good ? [] : readFileSync(list, 'utf8').split('\n').filter((file) => file !== '').map((file) => relative(root, file));
  rmSync(folder, { recursive: true, force: true });
  if (good) return { good, alone: [] };
  // A subtest that ran elsewhere names a file of its own: what is no file of this run cannot be run alone.
  const failed = [...new Set(named)].filter((file) => files.includes(file));
  if (failed.length === 0 || failed.length > MAX_AGAIN) return { good: false, alone: [] };
  for (const file of failed) if (!await ran(`${file}, once more and alone`, [...runner, file], by)) return { good: false, alone: [] };
  return { good: true, alone: failed };
}
