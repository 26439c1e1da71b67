// Owns the measure of the live HTTP log: CPU time of the requests sampler at 1,000 requests a second, beside a twin whose log does not grow.
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { W3C } from '../../test/support/http-log-lines.ts';
import { TrafficSource } from '../../test/support/http-traffic.ts';
import { systemClock } from '../../src/platform/clock.ts';

const RESULT = resolve(import.meta.dirname, '../../artifacts/bench/http-log-live.json');
const PER_SECOND = 1_000;
const WRITE_EVERY_MS = 100;

interface Told { readonly cpuMs: number; readonly rows: number; readonly samples: number }

/** `--seconds 40` measured, after ten to warm up. */
const seconds = process.argv.includes('--seconds') ? Number(process.argv[process.argv.indexOf('--seconds') + 1]) : 40;
/** `--page`: while a page looks at every row. */
const page = process.argv.includes('--page');

/** Bundled as the agent is: what runs from source pays for the loader's additions to each function. */
async function bundled(folder: string): Promise<string> {
  const file = join(folder, 'sampler.cjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'http-log-live-sampler.ts')], outfile: file, bundle: true, minify: true, platform: 'node', format: 'cjs', target: 'node20', logLevel: 'error',
    define: { 'import.meta.url': 'fileUrl' }, banner: { js: 'const fileUrl=require("node:url").pathToFileURL(__filename).href;' },
  });
  return file;
}

function side(program: string, folder: string): Promise<Told> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [program, folder, String(seconds), ...(page ? ['page'] : [])], { stdio: ['pipe', 'pipe', 'inherit'] });
    let told = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => { told += piece; });
    child.on('exit', (code) => { if (code === 0) done(JSON.parse(told) as Told); else fail(new Error(`the sampler ended with ${code}`)); });
  });
}

/** Rows of real shapes at the instant they are written. */
async function write(file: string, signal: AbortSignal): Promise<void> {
  const source = new TrafficSource({ seed: 1 });
  for await (const now of systemClock.every(WRITE_EVERY_MS, signal)) {
    let text = '';
    for (let i = 0; i < PER_SECOND * WRITE_EVERY_MS / 1_000; i += 1) text += `${W3C.line({ ...source.next(), at: now })}\n`;
    appendFileSync(file, text);
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-http-log-live-'));
  const stop = new AbortController();
  try {
    const [busy, idle] = ['busy', 'idle'].map((name) => join(folder, name)) as [string, string];
    for (const place of [busy, idle]) { mkdirSync(place); writeFileSync(join(place, 'a.log'), `${W3C.head ?? ''}\n`); }
    const program = await bundled(folder);
    const writing = write(join(busy, 'a.log'), stop.signal);
    const [grows, rests] = await Promise.all([side(program, busy), side(program, idle)]);
    stop.abort();
    await writing;
    const percent = (told: Told): number => told.cpuMs / (seconds * 1_000) * 100;
    const result = { at: new Date().toISOString(), seconds, page, rowsPerSecond: grows.rows / seconds, growsPercent: percent(grows), restsPercent: percent(rests), costPercent: percent(grows) - percent(rests), microsecondsPerRow: (grows.cpuMs - rests.cpuMs) * 1_000 / grows.rows };
    process.stdout.write(`${grows.rows} rows in ${seconds} s: ${result.growsPercent.toFixed(2)} % of a core, at rest ${result.restsPercent.toFixed(2)} %: the live log ${page ? 'with a page that shows each row ' : ''}costs ${result.costPercent.toFixed(2)} % (below 1), ${result.microsecondsPerRow.toFixed(1)} µs a row\n`);
    mkdirSync(join(RESULT, '..'), { recursive: true });
    writeFileSync(RESULT, `${JSON.stringify(result, undefined, 1)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
