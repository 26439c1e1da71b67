// Owns the measure of the preload's cost: CPU of a request, requests a second, p99, memory; on plain http and Express, beside OpenTelemetry and prom-client, in turns.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPreload } from '../build-preload.ts';
import { load, median, quantile } from './preload-load.ts';
import { cpuUsOf, root, rssMiBOf, start, type Framework, type Observer, type Site } from './preload-site.ts';

const { values } = parseArgs({ options: { pairs: { type: 'string', default: '41' }, requests: { type: 'string', default: '5000' }, 'paced-pairs': { type: 'string', default: '7' }, young: { type: 'string' }, framework: { type: 'string', default: 'plain' }, observers: { type: 'string', default: 'preload,opentelemetry,prom-client' } } });
/** Many short turns: a shared machine changes its speed by half from one second to the next, and a turn is over before. */
const PAIRS = Number(values.pairs);
const PACED_PAIRS = Number(values['paced-pairs']);
const REQUESTS = Number(values.requests);
const FRAMEWORK = values.framework as Framework;
/** MiB of the young generation from the start, for all. Absent: the bare app keeps V8's first, of 1 MiB, and collects hundreds of times a second, which is dear to whoever looks at collections. */
const FLAGS = values.young === undefined ? [] : [`--min-semi-space-size=${values.young}`];
const OBSERVERS = values.observers.split(',') as Observer[];
const CONNECTIONS = 16;
const URLS = 20_000;
/** The load at which p99 is compared: well below what the app can do, so that it is the app's time and not a queue's. */
const PACED_PER_SECOND = 2_000;
const PACED = 2_000;
const WARM = 30_000;
const RESULT = new URL(`../../artifacts/bench/preload-${FRAMEWORK}.json`, import.meta.url);

interface Worked { readonly cpuUs: number; readonly perSecond: number }

async function worked({ pid, port }: Site): Promise<Worked> {
  const before = cpuUsOf(pid);
  const from = performance.now();
  await load({ port, requests: REQUESTS, urls: URLS, connections: CONNECTIONS });
  const tookMs = performance.now() - from;
  return { cpuUs: (cpuUsOf(pid) - before) / REQUESTS, perSecond: REQUESTS / tookMs * 1_000 };
}

async function p99Of({ port }: Site): Promise<number> {
  return quantile(await load({ port, requests: PACED, urls: URLS, connections: CONNECTIONS, perSecond: PACED_PER_SECOND }), 0.99);
}

/** Bare before and after each: what the machine does meanwhile bends both alike. */
async function inTurns<T>(pairs: number, bare: () => Promise<T>, other: () => Promise<T>): Promise<{ before: T; seen: T; after: T }[]> {
  const turns = [];
  let before = await bare();
  for (let i = 0; i < pairs; i += 1) {
    const seen = await other();
    const after = await bare();
    turns.push({ before, seen, after });
    before = after;
  }
  return turns;
}

async function compared(bare: Site, other: Site): Promise<Record<string, number>> {
  const turns = await inTurns(PAIRS, () => worked(bare), () => worked(other));
  const paced = await inTurns(PACED_PAIRS, () => p99Of(bare), () => p99Of(other));
  const of = (figures: readonly number[]): number => Math.round(median(figures) * 1_000) / 1_000;
  return {
    bareCpuUs: of(turns.map(({ before, after }) => (before.cpuUs + after.cpuUs) / 2)), addedCpuUs: of(turns.map(({ before, seen, after }) => seen.cpuUs - (before.cpuUs + after.cpuUs) / 2)),
    shareOfRequestsPerSecond: of(turns.map(({ before, seen, after }) => 2 * seen.perSecond / (before.perSecond + after.perSecond))),
    p99Ratio: of(paced.map(({ before, seen, after }) => 2 * seen / (before + after))), addedRssMiB: of([rssMiBOf(other.pid) - rssMiBOf(bare.pid)]),
  };
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-preload-'));
  await buildPreload(root, join(folder, 'dist'), 'bench');
  const row: Record<string, unknown> = { at: new Date().toISOString(), node: process.version, framework: FRAMEWORK, flags: FLAGS, pairs: PAIRS, pacedPairs: PACED_PAIRS, requests: REQUESTS, urls: URLS, pacedPerSecond: PACED_PER_SECOND, loadBefore: readFileSync('/proc/loadavg', 'utf8').split(' ')[0] };
  try {
    for (const observer of OBSERVERS) {
      const sites = await Promise.all([start(folder, FRAMEWORK, 'bare', '', { flags: FLAGS }), start(folder, FRAMEWORK, observer, join(folder, 'dist/preload.js'), { flags: FLAGS })]);
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
