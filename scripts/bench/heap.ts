// Owns the claim about heap snapshots: our whole analysis against memlab's, over the same made-up files in the same run. Usage: heap [--alone] [MB…]; fetches @memlab/heap-analysis into a temporary folder, unless MEMLAB names one in which it is installed, or --alone asks for ours only.
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeSnapshot } from './heap-make.ts';

const root = resolve(import.meta.dirname, '../..');
const MEGABYTE = 1_000_000;
/** What a megabyte asked of the generator becomes: names and numbers are shorter in small files. */
const YIELD = 0.78;
const MEMLAB = '@memlab/heap-analysis@2.0.5';
const alone = process.argv.includes('--alone');

interface Run { readonly tookMs: number; readonly cpuMs: number; readonly peakBytes: number; readonly nodes: number }

function run(...command: readonly string[]): Run | undefined {
  try {
    const out = execFileSync(process.execPath, [...command], { maxBuffer: 2 ** 26, stdio: ['ignore', 'pipe', 'ignore'] }).toString();
    return JSON.parse(out.slice(out.lastIndexOf('{"'))) as Run;
  } catch {
    return undefined;
  }
}

function fetched(into: string): string {
  execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', into, MEMLAB], { stdio: 'ignore' });
  return into;
}

const sizes = process.argv.slice(2).map(Number).filter((size) => size > 0);
const folder = await mkdtemp(join(tmpdir(), 'bench-heap-'));
const rows: object[] = [];
try {
  const ours = join(folder, 'ours.js');
  const memlab = alone ? undefined : process.env['MEMLAB'] ?? fetched(join(folder, 'memlab'));
  await build({
    entryPoints: { ours: join(import.meta.dirname, 'heap-ours.ts'), 'heap-thread': join(root, 'src/analyze/heap/thread-main.ts') },
    bundle: true, platform: 'node', format: 'cjs', outdir: folder, logLevel: 'error', define: { 'import.meta.url': 'diagFileUrl' }, banner: { js: 'const diagFileUrl=require("node:url").pathToFileURL(__filename).href;' },
  });
  for (const megabytes of sizes.length > 0 ? sizes : [100, 500, 1_000]) {
    const path = join(folder, 'made.heapsnapshot');
    makeSnapshot(path, (megabytes * MEGABYTE) / YIELD);
    const { size } = await stat(path);
    const own = run(ours, path);
    const peer = memlab === undefined ? undefined : run('--max-old-space-size=16000', join(import.meta.dirname, 'heap-memlab.cjs'), memlab, path);
    rows.push({ bytes: size, node: process.version, own, peer, faster: own && peer ? peer.tookMs / own.tookMs : undefined, memory: own && peer ? own.peakBytes / peer.peakBytes : undefined, ofFile: own ? own.peakBytes / size : undefined });
    const said = (one: Run | undefined): string => (one === undefined ? 'could not' : `${(one.tookMs / 1000).toFixed(1)} s (CPU ${(one.cpuMs / 1000).toFixed(1)} s), ${Math.round(one.peakBytes / MEGABYTE)} MB`);
    process.stdout.write(`${Math.round(size / MEGABYTE)} MB, ${own?.nodes ?? '?'} nodes: ours ${said(own)}, ${own ? (own.peakBytes / size).toFixed(2) : '?'} × of the file${memlab === undefined ? '' : `; memlab ${said(peer)}${own && peer ? `: ${(peer.tookMs / own.tookMs).toFixed(1)} × faster at ${(own.peakBytes / peer.peakBytes).toFixed(2)} × of its memory` : ''}`}\n`);
    await rm(path);
  }
  await mkdir(join(root, 'artifacts'), { recursive: true });
  await writeFile(join(root, 'artifacts/bench-heap.json'), `${JSON.stringify(rows, undefined, 1)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
