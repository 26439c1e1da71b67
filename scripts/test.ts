// Owns the test command: build, floors, types, lint, then every test file with node's own runner; installs what the tests need when it may.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';

const root = resolve(import.meta.dirname, '..');
const inCi = process.env['CI'] === 'true';

/** Debian packages that tests use, and the program by which each is known. */
const NEEDED: readonly { program: string; pkg: string; for: string }[] = [
  { program: 'chromium', pkg: 'chromium', for: 'the browser journeys' },
  { program: 'gcore', pkg: 'gdb', for: 'memory dumps' },
  { program: 'gcc', pkg: 'gcc libc6-dev', for: 'programs whose cores are read' },
  { program: 'wine', pkg: 'wine', for: 'the tests on Windows' },
  { program: 'mono', pkg: 'mono-runtime libmono-system-xml4.0-cil libmono-system-core4.0-cil', for: 'the XDT engine' },
  { program: 'nuget', pkg: 'nuget', for: 'the NuGet client that opens the package' },
  { program: 'nginx', pkg: 'nginx-light', for: 'the proxy in front' },
];

function has(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((dir) => existsSync(join(dir, program)));
}

/** As root on Debian missing packages are installed; elsewhere their tests skip loudly, in CI they fail. */
function provide(): void {
  const missing = NEEDED.filter((n) => !has(n.program));
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && has('apt-get')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'inherit' });
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing.flatMap((m) => m.pkg.split(' '))], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  const still = missing.filter((n) => !has(n.program));
  for (const m of still) process.stderr.write(`MISSING ${m.pkg}: ${m.for} will ${inCi ? 'fail' : 'be skipped'}\n`);
  if (inCi && still.length > 0) process.exit(1);
}

/** Of a run of node's tests: how it went, by its exit code. */
function ran(name: string, args: readonly string[]): Promise<boolean> {
  const began = performance.now();
  process.stdout.write(`\n== ${name}\n`);
  return new Promise((done) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: process.env });
    child.on('exit', (code) => {
      process.stdout.write(`== ${name}: ${code === 0 ? 'good' : `failed (${code})`} after ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
      done(code === 0);
    });
  });
}

async function step(name: string, args: readonly string[]): Promise<void> {
  if (!await ran(name, args)) process.exit(1);
}

const alone: string[] = [];

/** More files than this are no accident of a crowded machine. */
const MAX_AGAIN = 5;

/**
 * A file that failed among others runs once more, alone: real processes on a machine that is also somebody else's may be starved for a while.
 * What passes only alone is said at the end, by name; what fails alone too fails the run.
 */
async function tests(name: string, files: readonly string[], concurrency: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tests-'));
  const list = join(folder, 'failed');
  const runner = ['--import', 'tsx', '--test', '--test-timeout=300000', '--test-reporter=spec', '--test-reporter-destination=stdout'];
  const good = await ran(name, [...runner, '--test-reporter=./scripts/failed-files.mjs', `--test-reporter-destination=${list}`, `--test-concurrency=${concurrency}`, ...files]);
  const named = good ? [] : readFileSync(list, 'utf8').split('\n').filter((file) => file !== '').map((file) => relative(root, file));
  rmSync(folder, { recursive: true, force: true });
  if (good) return;
  // A subtest that ran elsewhere names a file of its own: what is no file of this run cannot be run alone.
  const failed = [...new Set(named)].filter((file) => files.includes(file));
  if (failed.length === 0 || failed.length > MAX_AGAIN) process.exit(1);
  for (const file of failed) await step(`${file}, once more and alone`, [...runner, file]);
  alone.push(...failed);
}

async function testFiles(): Promise<string[]> {
  const all = (await readdir(join(root, 'test'), { recursive: true })).filter((f) => /\.test\.tsx?$/.test(f)).map((f) => join('test', f)).sort();
  const named = process.argv.slice(2);
  return named.length === 0 ? all : all.filter((f) => named.some((n) => f.includes(n)));
}

provide();
const bin = (name: string, file: string): string => join('node_modules', name, file);
await step('build', ['--import', 'tsx', 'scripts/build.ts']);
await step('floors', ['--import', 'tsx', 'scripts/check-floors.ts']);
await step('types', [bin('typescript', 'bin/tsc'), '-b']);
await step('lint', [bin('oxlint', 'bin/oxlint'), '--type-aware', '--deny-warnings']);
const files = await testFiles();
// Journeys start whole systems with browsers: one at a time, so that two of them do not starve each other on two cores.
const isJourney = (f: string): boolean => /^test\/(journeys|local)\//.test(f);
const small = files.filter((f) => !isJourney(f));
const large = files.filter(isJourney);
if (small.length > 0) await tests(`tests (${small.length} files)`, small, 2);
if (large.length > 0) await tests(`journeys (${large.length} files)`, large, 1);
for (const file of alone) process.stdout.write(`PASSED ONLY ALONE ${file}\n`);
