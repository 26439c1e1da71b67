// Owns the measure of the preload: CPU of a request on plain http and requests a second, with it (and somebody listening) and without, in turns.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildPreload } from '../build-preload.ts';

const root = resolve(import.meta.dirname, '../..');
const PAIRS = Number(process.argv[2] ?? 7);
const REQUESTS = Number(process.argv[3] ?? 20_000);
const CONNECTIONS = 16;
const URLS = 20_000;
const MS_PER_TICK = 10;
const RESULT = new URL('../../artifacts/bench/preload.json', import.meta.url);
const APP = `const s=require('http').createServer((q,r)=>{r.end('hello')});s.listen(0,'127.0.0.1',()=>require('fs').writeFileSync(process.env.PORT_FILE,String(s.address().port)))`;

interface Measured { readonly cpuUs: number; readonly perSecond: number; readonly rssBytes: number }
interface App { readonly child: ChildProcess; readonly port: number; stop(): Promise<void> }

async function start(folder: string, preload: string | undefined): Promise<App> {
  const home = await mkdtemp(join(folder, 'home-'));
  const file = join(home, 'app.cjs');
  writeFileSync(file, APP);
  const child = spawn(process.execPath, [file], { stdio: 'inherit', env: { PATH: process.env['PATH'], DIAG_HOME: home, PORT_FILE: join(home, 'port'), ...(preload === undefined ? {} : { NODE_OPTIONS: `--require=${preload}` }) } });
  const port = await until(async () => Number(await readFile(join(home, 'port'), 'utf8')));
  const listener = preload === undefined ? undefined : await until(async () => listenTo(join(home, 'data/DaaS/diag/apps')));
  return { child, port, async stop() { listener?.destroy(); const ended = new Promise((done) => { child.once('exit', done); }); child.kill(); await ended; } };
}

async function listenTo(apps: string) {
  const [instance = ''] = await readdir(apps);
  const name = (await readdir(join(apps, instance))).find((one) => one.endsWith('.json'));
  if (name === undefined) return undefined;
  const { address } = JSON.parse(await readFile(join(apps, instance, name), 'utf8')) as { address: string };
  return connect(address).resume();
}

async function until<T>(probe: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const seen = await probe().catch(() => undefined);
    if (seen !== undefined && !Number.isNaN(seen)) return seen;
    await sleep(10);
  }
  throw new Error('the app did not come up');
}

async function statOf(pid: number): Promise<{ cpuMs: number; rssBytes: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
  return { cpuMs: ((fields[11] ?? 0) + (fields[12] ?? 0)) * MS_PER_TICK, rssBytes: (fields[21] ?? 0) * 4_096 };
}

async function load(port: number, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let next = 0;
  const one = (): Promise<void> => new Promise((done, fail) => {
    const asked = request({ host: '127.0.0.1', port, path: `/item/${next % URLS}`, agent }, (answer) => { answer.resume().on('end', done); });
    asked.on('error', fail).end();
  });
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => { while (next < count) { next += 1; await one(); } }));
  agent.destroy();
}

async function measure({ child, port }: App): Promise<Measured> {
  const pid = child.pid as number;
  const before = await statOf(pid);
  const from = performance.now();
  await load(port, REQUESTS);
  const tookMs = performance.now() - from;
  const after = await statOf(pid);
  return { cpuUs: (after.cpuMs - before.cpuMs) * 1_000 / REQUESTS, perSecond: REQUESTS / tookMs * 1_000, rssBytes: after.rssBytes };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-preload-'));
  await buildPreload(root, join(folder, 'dist'), 'bench');
  const [bare, withIt] = await Promise.all([start(folder, undefined), start(folder, join(folder, 'dist/preload.js'))]);
  try {
    for (const app of [bare, withIt]) await load(app.port, 5_000);
    const pairs: (readonly [Measured, Measured])[] = [];
    for (let i = 0; i < PAIRS; i += 1) pairs.push([await measure(bare), await measure(withIt)]);
    const row = {
      pairs: PAIRS, requests: REQUESTS, urls: URLS,
      bareCpuUs: median(pairs.map(([one]) => one.cpuUs)), addedCpuUs: median(pairs.map(([one, two]) => two.cpuUs - one.cpuUs)),
      shareOfRequestsPerSecond: median(pairs.map(([one, two]) => two.perSecond / one.perSecond)),
      addedRssMiB: median(pairs.map(([one, two]) => two.rssBytes - one.rssBytes)) / 2 ** 20,
    };
    process.stdout.write(`${JSON.stringify(row, undefined, 2)}\n`);
    mkdirSync(new URL('.', RESULT), { recursive: true });
    writeFileSync(RESULT, `${JSON.stringify(row, undefined, 2)}\n`);
  } finally {
    await Promise.all([bare.stop(), withIt.stop()]);
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
