// Owns the measure of the preload's cost: CPU of a request, requests a second, p99, memory; on plain http and Express, beside OpenTelemetry and prom-client, in turns.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPreload } from '../build-preload.ts';
import { load, median, quantile } from './preload-load.ts';
import { cpuUsOf, root, rssMiBOf, start, type Framework, type Observer, type Site } from './preload-site.ts';

const { values } = parseArgs({ options: { pairs: { type: 'string', default: '9' }, requests: { type: 'string', default: '20000' }, framework: { type: 'string', default: 'plain' }, observers: { type: 'string', default: 'preload,opentelemetry,prom-client' } } });
const PAIRS = Number(values.pairs);
const REQUESTS = Number(values.requests);
const FRAMEWORK = values.framework as Framework;
const OBSERVERS = values.observers.split(',') as Observer[];
const CONNECTIONS = 16;
const URLS = 20_000;
/** The load at which p99 is compared: well below what the app can do, so that it is the app's time and not a queue's. */
const PACED_PER_SECOND = 2_000;
const PACED = 2_000;
const WARM = 30_000;
const RESULT = new URL(`../../artifacts/bench/preload-${FRAMEWORK}.json`, import.meta.url);

interface Measured { readonly cpuUs: number; readonly perSecond: number; readonly rssMiB: number; readonly p99Ms: number }

async function measure({ pid, port }: Site): Promise<Measured> {
  const before = cpuUsOf(pid);
  const from = performance.now();
  await load({ port, requests: REQUESTS, urls: URLS, connections: CONNECTIONS });
  const tookMs = performance.now() - from;
  const cpuUs = (cpuUsOf(pid) - before) / REQUESTS;
  const paced = await load({ port, requests: PACED, urls: URLS, connections: CONNECTIONS, perSecond: PACED_PER_SECOND });
  return { cpuUs, perSecond: REQUESTS / tookMs * 1_000, rssMiB: rssMiBOf(pid), p99Ms: quantile(paced, 0.99) };
}

const mean = (a: Measured, b: Measured): Measured => ({ cpuUs: (a.cpuUs + b.cpuUs) / 2, perSecond: (a.perSecond + b.perSecond) / 2, rssMiB: (a.rssMiB + b.rssMiB) / 2, p99Ms: (a.p99Ms + b.p99Ms) / 2 });

/** Bare before and after each: what the machine does meanwhile bends both alike. */
async function compared(bare: Site, other: Site): Promise<Record<string, number>> {
  const pairs: [Measured, Measured][] = [];
  let before = await measure(bare);
  for (let i = 0; i < PAIRS; i += 1) {
    const seen = await measure(other);
    const after = await measure(bare);
    pairs.push([mean(before, after), seen]);
    before = after;
  }
  const of = (figure: (one: Measured, two: Measured) => number): number => Math.round(median(pairs.map(([one, two]) => figure(one, two))) * 1_000) / 1_000;
  return { bareCpuUs: of((one) => one.cpuUs), addedCpuUs: of((one, two) => two.cpuUs - one.cpuUs), shareOfRequestsPerSecond: of((one, two) => two.perSecond / one.perSecond), p99Ratio: of((one, two) => two.p99Ms / one.p99Ms), addedRssMiB: of((one, two) => two.rssMiB - one.rssMiB) };
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-preload-'));
  await buildPreload(root, join(folder, 'dist'), 'bench');
  const row: Record<string, unknown> = { at: new Date().toISOString(), node: process.version, framework: FRAMEWORK, pairs: PAIRS, requests: REQUESTS, urls: URLS, pacedPerSecond: PACED_PER_SECOND, loadBefore: readFileSync('/proc/loadavg', 'utf8').split(' ')[0] };
  try {
    for (const observer of OBSERVERS) {
      const sites = await Promise.all([start(folder, FRAMEWORK, 'bare', ''), start(folder, FRAMEWORK, observer, join(folder, 'dist/preload.js'))]);
      try {
        for (const { port } of sites) await load({ port, requests: WARM, urls: URLS, connections: CONNECTIONS });
        row[observer] = await compared(...sites);
      } finally {
        await Promise.all(sites.map((site) => site.stop()));
      }
    }
    process.stdout.write(`${JSON.stringify(row, undefined, 2)}\n`);
    mkdirSync(new URL('.', RESULT), { recursive: true });
    writeFileSync(RESULT, `${JSON.stringify(row, undefined, 2)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
