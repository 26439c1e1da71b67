// Owns the bench of the start: from process start to the first byte, the installed package beside a bare Express app, by node.exe under wine and by this Node, in turns in one run.
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { freePort } from '../../test/support/free-port.ts';
import { installPackage } from '../../test/support/installed.ts';
import { startWindowsHost } from '../../test/support/windows.ts';
import { noWine } from '../../test/support/wine.ts';

const root = resolve(import.meta.dirname, '../..');
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' }, out: { type: 'string', default: 'artifacts/bench/start.json' } } });
const ROUNDS = Number(values.rounds);
const LIMIT_MS = 60_000;
const POLL_MS = 2;
/** The claim, by node.exe: our start takes at most so many times a bare Express app's. The same by this Node is told beside it. */
const LIMIT_RATIO = 1.5;

interface Program { readonly name: string; readonly file: string; readonly path: string; readonly env: Record<string, string> }
interface Place { readonly name: string; readonly claimed: boolean; readonly folder: string; start(file: string, env: Record<string, string>): Promise<{ kill(): Promise<void> }>; path(linux: string): string }

const BARE = `const express = require('express'); const app = express(); app.get('/', (req, res) => { res.send('hello'); }); app.listen(process.env.PORT, '127.0.0.1');\n`;

/** The package as installed, Express as npm installs it, and Express in one bundled file. */
async function lay(place: Place): Promise<Program[]> {
  const installed = join(place.folder, 'AppServiceDiag');
  await installPackage(installed);
  const bare = join(place.folder, 'bare');
  await mkdir(bare);
  await writeFile(join(bare, 'app.js'), BARE);
  for (const name of await withDependencies('express')) await cp(join(root, 'node_modules', name), join(bare, 'node_modules', name), { recursive: true });
  await build({ stdin: { contents: BARE, resolveDir: root }, bundle: true, platform: 'node', format: 'cjs', minify: true, outfile: join(place.folder, 'bundled.js'), logLevel: 'error' });
  const home = join(place.folder, 'home');
  return [
    { name: 'package', file: join(installed, 'server.js'), path: '/diag/', env: { DIAG_HOME: place.path(home), DIAG_TOKEN: 'a-token-for-the-bench-only' } },
    { name: 'express', file: join(bare, 'app.js'), path: '/', env: {} },
    { name: 'express, bundled', file: join(place.folder, 'bundled.js'), path: '/', env: {} },
  ];
}

async function withDependencies(name: string, found = new Set<string>()): Promise<Set<string>> {
  if (found.has(name)) return found;
  found.add(name);
  const about = JSON.parse(await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { dependencies?: Record<string, string> };
  for (const one of Object.keys(about.dependencies ?? {})) await withDependencies(one, found);
  return found;
}

function firstByte(port: number, path: string): Promise<boolean> {
  return new Promise((done) => {
    const asked = get({ host: '127.0.0.1', port, path, agent: false }, (answer) => { answer.resume(); done(answer.statusCode === 200); });
    asked.on('error', () => { done(false); });
  });
}

async function once(place: Place, program: Program): Promise<number> {
  const port = await freePort();
  const began = performance.now();
  const started = await place.start(program.file, { ...program.env, PORT: String(port) });
  try {
    while (!await firstByte(port, program.path)) {
      if (performance.now() - began > LIMIT_MS) throw new Error(`${program.name} did not answer on ${place.name}`);
      await sleep(POLL_MS);
    }
    return performance.now() - began;
  } finally {
    await started.kill();
  }
}

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;

async function bench(place: Place): Promise<Record<string, number>> {
  const programs = await lay(place);
  const took = new Map(programs.map(({ name }) => [name, [] as number[]]));
  for (const program of programs) await once(place, program);        // caches of the system, the layout of the home
  for (let round = 0; round < ROUNDS; round += 1) for (const program of programs) took.get(program.name)?.push(await once(place, program));
  const medians = Object.fromEntries([...took].map(([name, all]) => [name, median(all)]));
  const ratio = (medians['package'] ?? NaN) / (medians['express'] ?? NaN);
  process.stdout.write(`${place.name}: ${Object.entries(medians).map(([name, ms]) => `${name} ${ms.toFixed(0)} ms`).join(', ')}; ratio to Express ${ratio.toFixed(2)}${place.claimed ? ` (limit ${LIMIT_RATIO})` : ''}\n`);
  if (place.claimed && !(ratio <= LIMIT_RATIO)) process.exitCode = 1;
  return { ...medians, ratio };
}

const figures: Record<string, Record<string, number>> = {};
const top = await mkdtemp(join(tmpdir(), 'bench-start-'));
try {
  figures['Linux'] = await bench({
    name: `Linux, Node ${process.version}`, claimed: false, folder: top, path: (path) => path,
    start: async (file, env) => {
      const child = spawn(process.execPath, [file], { env: { PATH: process.env['PATH'], ...env }, stdio: 'ignore' });
      return { kill: async () => { child.kill('SIGKILL'); await new Promise((done) => { child.once('exit', done); }); } };
    },
  });
  const without = noWine();
  if (without !== undefined) {
    process.stdout.write(`${without}; the claim was not measured\n`);
    process.exitCode = 1;
  } else {
    const host = await startWindowsHost();
    const folder = await host.wine.folder('bench-start');
    try {
      figures['Windows'] = await bench({ name: 'Windows, node.exe under wine', claimed: true, folder: folder.linux, path: (path) => host.wine.windows(path), start: (file, env) => host.start([host.wine.windows(file)], { env }) });
    } finally {
      await host.close();
      await folder.remove();
    }
  }
  await mkdir(dirname(resolve(root, values.out)), { recursive: true });
  await writeFile(resolve(root, values.out), `${JSON.stringify(figures, undefined, 1)}\n`);
} finally {
  await rm(top, { recursive: true, force: true });
}
