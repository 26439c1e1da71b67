// Owns holding the preload's numbers against others': times against a client that measures, collections against --trace-gc, a stall against its own length.
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LatencySum } from '../../src/observe/samplers/app-sum.ts';
import { buildPreload } from '../build-preload.ts';
import { load, quantile } from './preload-load.ts';
import { root, start } from './preload-site.ts';

const REQUESTS = 2_000;
const CONNECTIONS = 40;
const RESULT = new URL('../../artifacts/bench/preload-numbers.json', import.meta.url);
const APP = `
  function blocks(ms) { const until = performance.now() + ms; while (performance.now() < until); }
  const handler = (req, res) => {
    const [, what, ms] = req.url.split('/');
    if (what === 'item') setTimeout(() => { res.end('waited'); }, 40 + ms * 7 % 400);
    else if (what === 'block') { blocks(Number(ms)); res.end('blocked'); }
    else { let kept = []; for (let i = 0; i < 200; i += 1) kept.push(new Array(20_000).fill(i)); res.end(String(kept.length)); }
  };`;

const folder = await mkdtemp(join(tmpdir(), 'bench-preload-'));
await buildPreload(root, join(folder, 'dist'), 'bench');
const site = await start(folder, 'plain', 'preload', join(folder, 'dist/preload.js'), { flags: ['--trace-gc'], app: APP });
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const asked = (path: string): Promise<number> => new Promise((resolve, reject) => {
  const from = performance.now();
  get({ host: '127.0.0.1', port: site.port, path, agent }, (answer) => { answer.resume().on('end', () => { resolve(performance.now() - from); }); }).on('error', reject);
});
const ticked = async (count: number): Promise<void> => { const { length } = site.ticks; while (site.ticks.length < length + count) await new Promise((resolve) => { setTimeout(resolve, 50); }); };

try {
  // 40 to 440 ms on open connections, so that the way over the wire, which only the client sees, is little.
  const client = await load({ port: site.port, requests: REQUESTS, urls: REQUESTS, connections: CONNECTIONS });
  await ticked(2);
  const sum = new LatencySum();
  for (const { routes } of site.ticks) for (const { path, latency } of routes) if (path === '/item/{id}') sum.add(latency);
  const told = sum.quantiles([0.5, 0.95, 0.99]) as number[];
  for (let i = 0; i < 30; i += 1) await asked('/garbage/1');
  await asked('/block/800');
  await ticked(1);
  await asked('/block/800');
  await ticked(2);
  const traced = [...site.output().matchAll(/ (Scavenge|Mark-Compact)[^\n]*?\) MB, (?:pooled: \S+ MB, )?([\d.]+) \/ /g)].map(([, kind, ms]) => ({ kind: kind as string, ms: Number(ms) }));
  const gc = site.ticks.flatMap((tick) => tick.gc);
  const totals = (kind: string) => gc.filter(([one]) => one === kind).reduce((all, [, count, ms]) => ({ count: all.count + count, ms: all.ms + ms }), { count: 0, ms: 0 });
  const traces = (kind: string) => traced.filter((one) => one.kind === kind).reduce((all, { ms }) => ({ count: all.count + 1, ms: all.ms + ms }), { count: 0, ms: 0 });
  const row = {
    requests: REQUESTS, counted: sum.count, clientMs: [0.5, 0.95, 0.99].map((share) => quantile(client, share)), toldMs: told,
    off: [0.5, 0.95, 0.99].map((share, i) => (told[i] as number) / quantile(client, share) - 1),
    gc: { scavenge: { told: totals('scavenge'), traced: traces('Scavenge') }, markSweep: { told: totals('mark-sweep'), traced: traces('Mark-Compact') } },
    stalls: site.ticks.flatMap(({ stalls }) => stalls).map(({ forMs, frames }) => ({ forMs, frames: frames.slice(0, 2) })),
  };
  process.stdout.write(`${JSON.stringify(row, undefined, 2)}\n`);
  mkdirSync(new URL('.', RESULT), { recursive: true });
  writeFileSync(RESULT, `${JSON.stringify(row, undefined, 2)}\n`);
} finally {
  agent.destroy();
  await site.stop();
  await rm(folder, { recursive: true, force: true });
}
