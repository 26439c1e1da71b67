// Owns the long run of the preload: millions of requests over 20,000 addresses, and whether the app's memory stays where it was, beside the same app without it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPreload } from '../build-preload.ts';
import { load, median } from './preload-load.ts';
import { root, rssMiBOf, start, type Site } from './preload-site.ts';

const { values } = parseArgs({ options: { requests: { type: 'string', default: '5000000' } } });
const REQUESTS = Number(values.requests);
const STEPS = 20;
const URLS = 20_000;
const RESULT = new URL('../../artifacts/bench/preload-day.json', import.meta.url);

const folder = await mkdtemp(join(tmpdir(), 'bench-preload-'));
await buildPreload(root, join(folder, 'dist'), 'bench');
// Garbage is collected before each look, and the young generation has its largest size from the start (V8 doubles it at moments of its own): neither is growth.
const app = `const handler = (req, res) => { if (req.url === '/gc') globalThis.gc(); res.end('hello'); };`;
const sites = await Promise.all((['bare', 'preload'] as const).map((observer) => start(folder, 'plain', observer, join(folder, 'dist/preload.js'), { flags: ['--expose-gc', '--min-semi-space-size=16'], app })));
const [bare, site] = sites as [Site, Site];
try {
  const rssMiB: number[] = [];
  const bareRssMiB: number[] = [];
  const heapMiB: number[] = [];
  for (let step = 0; step < STEPS; step += 1) {
    for (const { port } of sites) await load({ port, requests: REQUESTS / STEPS, urls: URLS, connections: 16, pipelined: 16 });
    for (const { port } of sites) await (await fetch(`http://127.0.0.1:${port}/gc`)).text();
    const { length } = site.ticks;
    while (site.ticks.length < length + 2) await new Promise((resolve) => { setTimeout(resolve, 50); });
    rssMiB.push(rssMiBOf(site.pid));
    bareRssMiB.push(rssMiBOf(bare.pid));
    heapMiB.push((site.ticks.at(-1)?.heap?.used ?? NaN) / 2 ** 20);
  }
  const counted = site.ticks.flatMap(({ routes }) => routes).reduce((sum, { latency }) => sum + latency.count, 0);
  const fifth = STEPS / 5;
  const grown = (values: readonly number[]) => ({ afterFirstFifth: median(values.slice(0, fifth)), atTheEnd: median(values.slice(-fifth)) });
  const row = {
    requests: REQUESTS, urls: URLS, counted, routes: new Set(site.ticks.flatMap(({ routes }) => routes.map(({ path }) => path))).size,
    rssMiB: grown(rssMiB), bareRssMiB: grown(bareRssMiB), heapMiB: grown(heapMiB), secondsWithWatchdog: site.ticks.filter(({ watching }) => watching === true).length, lost: site.ticks.at(-1)?.lost,
  };
  process.stdout.write(`${JSON.stringify(row, undefined, 2)}\n`);
  mkdirSync(new URL('.', RESULT), { recursive: true });
  writeFileSync(RESULT, `${JSON.stringify(row, undefined, 2)}\n`);
} finally {
  await Promise.all(sites.map((one) => one.stop()));
  await rm(folder, { recursive: true, force: true });
}
