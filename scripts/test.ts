// Owns the test command: build, floors, types, lint, then every test file with node's own runner; installs what the tests need when it may.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ran, runTests } from './run-tests.ts';

const root = resolve(import.meta.dirname, '..');
const inCi = process.env['CI'] === 'true';

/** Debian packages that tests use, and the program by which each is known. */
const NEEDED: readonly { program: string; pkg: string; for: string }[] = [
  { program: 'chromium', pkg: 'chromium', for: 'the browser journeys' },
  { program: 'gcore', pkg: 'gdb', for: 'memory dumps' },
  { program: 'top', pkg: 'procps', for: 'the journey of the shell' },
  { program: 'gcc', pkg: 'gcc libc6-dev', for: 'programs whose cores are read' },
  { program: 'wine', pkg: 'wine', for: 'the tests on Windows' },
  { program: 'mono', pkg: 'mono-runtime libmono-system-xml4.0-cil libmono-system-core4.0-cil', for: 'the XDT engine' },
  { program: 'nuget', pkg: 'nuget', for: 'the NuGet client that opens the package' },
  { program: 'curl', pkg: 'curl', for: 'Kudu\'s API as curl asks it' },
  { program: 'jfr', pkg: 'default-jdk-headless', for: 'flight recordings of Java' },
  { program: 'nginx', pkg: 'nginx-light', for: 'the proxy in front' },
  { program: 'redis-server', pkg: 'redis-server', for: 'what is seen of databases' },
  { program: 'mariadbd', pkg: 'mariadb-server-core mariadb-client-core', for: 'what is seen of databases' },
  { program: 'pg_ctlcluster', pkg: 'postgresql', for: 'what is seen of databases' },
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

async function step(name: string, args: readonly string[]): Promise<void> {
  if (!await ran(name, args)) process.exit(1);
}

const alone: string[] = [];

async function tests(name: string, files: readonly string[], concurrency: number): Promise<void> {
  const went = await runTests(name, files, concurrency);
  if (!went.good) process.exit(1);
  alone.push(...went.alone);
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
// Each takes one core most of the time.
await Promise.all([step('types', [bin('typescript', 'bin/tsc'), '-b']), step('lint', [bin('oxlint', 'bin/oxlint'), '--type-aware', '--deny-warnings'])]);
const files = await testFiles();
// Journeys start whole systems with browsers, and wait for them half of the time. That of the WebJob mostly waits for leases: it goes with the small ones.
const isJourney = (f: string): boolean => /^test\/(journeys|local)\//.test(f) && !f.includes('webjob');
const small = files.filter((f) => !isJourney(f));
const large = files.filter(isJourney);
if (small.length > 0) await tests(`tests (${small.length} files)`, small, 2);
if (large.length > 0) await tests(`journeys (${large.length} files)`, large, 2);
for (const file of alone) process.stdout.write(`PASSED ONLY ALONE ${file}\n`);
