// Owns the measure of reading HTTP logs: the whole report of a generated log in page cache, ours beside GoAccess, DuckDB and wc -l, alternating, in processes of their own.
import { build } from 'esbuild';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { writeW3c } from '../../test/support/generate-http-log.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const RESULT = join(ROOT, 'artifacts/bench/http-log.json');
const GIB = 2 ** 30;
const SEED = 20_261_121;
/** Of what takes less than half a second: one run says little. */
const SHORT_ROUNDS = 5;
const GOACCESS_FORMAT = '%d %t %^ %m %U %^ %^ %^ %h %u %^ %R %v %s %^ %^ %b %^ %L';

interface Way { readonly name: string; readonly program: string; readonly args: readonly string[] }
interface Measured { readonly wallMs: number; readonly cpuMs: number; readonly peakMiB: number }

/** `--mib 1024` size of the log; `--rounds 5`; `--slow 1` rounds of GoAccess, which takes half a minute a GiB; `--large` ten times the size too, and one hour of it; `--only ours,wc,duckdb-paths`: DuckDB without folding, which is slower still when paths hold ids. */
function option(name: string, otherwise: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1] ?? otherwise;
}

/** What each program starts with: extra certificates would cost every start of node, ours and DuckDB's, 40 ms before its first line. */
const { NODE_EXTRA_CA_CERTS: _, ...ENV } = process.env;

/** One run under GNU time, which knows the peak of memory of what it started. */
function measure({ name, program, args }: Way, folder: string): Measured {
  const told = join(folder, 'time.txt');
  const began = performance.now();
  const run = spawnSync('/usr/bin/time', ['-f', '%U %S %M', '-o', told, program, ...args], { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder, env: ENV });
  const wallMs = performance.now() - began;
  if (run.status !== 0) throw new Error(`${name} ended with ${run.status}: ${run.stderr.toString().slice(-500)}`);
  const [user = NaN, system = NaN, peakKb = NaN] = readFileSync(told, 'utf8').trim().split(' ').map(Number);
  return { wallMs, cpuMs: (user + system) * 1_000, peakMiB: peakKb / 1_024 };
}

const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? NaN;
const median = (runs: readonly Measured[]): Measured => ({ wallMs: middle(runs.map((one) => one.wallMs)), cpuMs: middle(runs.map((one) => one.cpuMs)), peakMiB: Math.max(...runs.map((one) => one.peakMiB)) });

const ours = (file: string, ...more: readonly string[]): Way => ({ name: 'ours', program: process.execPath, args: [join(ROOT, 'dist/cli.js'), 'http-log', file, '--json', ...more] });
const duckdb = (file: string, how: 'paths' | 'fold'): Way => ({ name: `duckdb-${how}`, program: process.execPath, args: ['--import', import.meta.resolve('tsx'), join(ROOT, 'scripts/bench/http-log-duckdb.ts'), file, how] });
const wc = (file: string): Way => ({ name: 'wc', program: 'wc', args: ['-l', file] });
const goaccess = (file: string, folder: string): Way => ({
  name: 'goaccess', program: 'goaccess',
  args: [file, '--no-global-config', '--no-progress', `--log-format=${GOACCESS_FORMAT}`, '--date-format=%Y-%m-%d', '--time-format=%H:%M:%S', '-o', join(folder, 'goaccess.json')],
});

/** Ways take turns, so that a slow minute of the machine is everybody's. */
function rounds(ways: readonly (Way & { readonly rounds: number })[], folder: string): Record<string, Measured> {
  const runs = new Map<string, Measured[]>(ways.map(({ name }) => [name, []]));
  for (let round = 0; round < Math.max(...ways.map((way) => way.rounds)); round += 1) {
    for (const way of ways) {
      if (round >= way.rounds) continue;
      const one = measure(way, folder);
      runs.get(way.name)?.push(one);
      process.stdout.write(`  ${way.name.padEnd(14)} ${one.wallMs.toFixed(0).padStart(7)} ms  CPU ${one.cpuMs.toFixed(0).padStart(7)} ms  ${one.peakMiB.toFixed(0).padStart(5)} MiB\n`);
    }
  }
  return Object.fromEntries([...runs].filter(([, all]) => all.length > 0).map(([name, all]) => [name, median(all)]));
}

function ratios(found: Readonly<Record<string, Measured>>): Record<string, number> {
  const own = found['ours']?.wallMs ?? NaN;
  const fastest = Math.min(...['duckdb-paths', 'duckdb-fold'].map((name) => found[name]?.wallMs ?? Infinity));
  return { 'times GoAccess (at least 25)': (found['goaccess']?.wallMs ?? NaN) / own, 'times DuckDB (at least 2)': fastest / own, 'times wc -l (at most 8)': own / (found['wc']?.wallMs ?? NaN), 'peak MiB (at most 160)': found['ours']?.peakMiB ?? NaN };
}

/** An hour in percent of the whole where the program runs already, as the agent does behind the page. */
async function warm(folder: string, file: string, [from, to]: readonly [number, number]): Promise<number> {
  const program = join(folder, 'warm.cjs');
  await build({
    entryPoints: [join(ROOT, 'scripts/bench/http-log-warm.ts')], outfile: program, bundle: true, minify: true, platform: 'node', format: 'cjs', target: 'node20', logLevel: 'error',
    define: { 'import.meta.url': 'fileUrl' }, banner: { js: 'const fileUrl=require("node:url").pathToFileURL(__filename).href;' },
  });
  copyFileSync(join(ROOT, 'dist/http-log-thread.js'), join(folder, 'http-log-thread.js'));
  const { allMs, hoursMs } = JSON.parse(execFileSync(process.execPath, [program, file, String(from), String(to), String(SHORT_ROUNDS)], { encoding: 'utf8', env: ENV })) as { allMs: number; hoursMs: number[] };
  return middle(hoursMs) / allMs * 100;
}

/** Ten times the size, and an hour of it by bisecting. */
async function large(folder: string, small: Measured, bytes: number): Promise<Record<string, number>> {
  const file = join(folder, 'large.log');
  const truth = writeW3c(file, bytes * 10, SEED + 1);
  const noon = (truth.from + truth.to) / 2;
  const at = (ms: number): string => new Date(ms).toISOString();
  // Warms the cache.
  measure(wc(file), folder);
  const all = measure(ours(file), folder);
  const several = (way: Way): Measured => median(Array.from({ length: SHORT_ROUNDS }, () => measure(way, folder)));
  const hour = several(ours(file, '--from', at(noon), '--to', at(noon + 3_600_000)));
  const bare = several(ours(file, '--from', at(truth.to + 86_400_000)));
  const filtered = several(ours(file, '--from', at(noon), '--to', at(noon + 3_600_000), '--filter', 'status:502'));
  const running = await warm(folder, file, [noon, noon + 3_600_000]);
  rmSync(file);
  const told = { 'ten times the size, times as long (about 10)': all.wallMs / small.wallMs, 'peak MiB (at most 160)': all.peakMiB, 'spans hours': (truth.to - truth.from) / 3_600_000, 'an hour of it, percent of the whole (below 2)': hour.wallMs / all.wallMs * 100, 'with a filter, percent': filtered.wallMs / all.wallMs * 100, 'where the program runs already, percent': running, 'the start of the program alone, percent': bare.wallMs / all.wallMs * 100 };
  return told;
}

function show(title: string, values: Readonly<Record<string, number>>): void {
  process.stdout.write(`${title}\n${Object.entries(values).map(([name, value]) => `  ${name.padEnd(50)} ${value.toFixed(1)}`).join('\n')}\n`);
}

async function main(): Promise<void> {
  const bytes = Number(option('mib', '1024')) * 2 ** 20;
  const most = Number(option('rounds', '5'));
  const only = option('only', 'wc,ours,duckdb-fold,goaccess').split(',');
  const folder = mkdtempSync(join(tmpdir(), 'bench-http-log-'));
  try {
    const file = join(folder, 'log.log');
    writeW3c(file, bytes, SEED);
    const ways = [wc(file), ours(file), duckdb(file, 'paths'), duckdb(file, 'fold'), goaccess(file, folder)].filter(({ name }) => only.includes(name));
    measure(wc(file), folder);
    const found = rounds(ways.map((way) => ({ ...way, rounds: way.name === 'goaccess' ? Number(option('slow', '1')) : most })), folder);
    const result: Record<string, unknown> = { at: new Date().toISOString(), bytes: statSync(file).size, found, ratios: ratios(found) };
    show(`${(bytes / GIB).toFixed(2)} GiB`, ratios(found));
    rmSync(file);
    if (process.argv.includes('--large') && found['ours'] !== undefined) {
      result['large'] = await large(folder, found['ours'], bytes);
      show('ten times as large', result['large'] as Record<string, number>);
    }
    mkdirSync(join(RESULT, '..'), { recursive: true });
    writeFileSync(RESULT, `${JSON.stringify(result, undefined, 1)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
