// Owns the apps of the preload's benches: plain http and Express, bare or with one that measures it, and what the kernel says they cost.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppTick } from '../../src/shared/app-link.ts';

export const root = resolve(import.meta.dirname, '../..');
export type Framework = 'plain' | 'express';
export type Observer = 'bare' | 'preload' | 'opentelemetry' | 'prom-client';
/** `ticks`: what the preload said, in order. */
export interface Site { readonly pid: number; readonly port: number; readonly ticks: readonly AppTick[]; output(): string; stop(): Promise<void> }

const APPS: Readonly<Record<Framework, string>> = {
  plain: `const handler = (req, res) => { res.end('hello'); };`,
  express: `const handler = require('express')(); handler.get('/item/:id', (req, res) => { res.send('hello'); });`,
};
const SERVE = `const server = http.createServer(globalThis.wrap ? globalThis.wrap(handler) : handler); server.listen(0, '127.0.0.1', () => require('fs').writeFileSync(process.env.PORT_FILE, String(server.address().port)));`;

/** As their own manuals say: metrics only, read once a second, as ours are. */
const OBSERVERS: Readonly<Record<Exclude<Observer, 'preload' | 'bare'>, string>> = {
  opentelemetry: `
    const { MeterProvider, PeriodicExportingMetricReader, InMemoryMetricExporter, AggregationTemporality } = require('@opentelemetry/sdk-metrics');
    const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
    const { registerInstrumentations } = require('@opentelemetry/instrumentation');
    const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
    setInterval(() => exporter.reset(), 1000).unref();
    registerInstrumentations({ instrumentations: [new HttpInstrumentation()], meterProvider: new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1000 })] }) });`,
  'prom-client': `
    const client = require('prom-client');
    const histogram = new client.Histogram({ name: 'http_request_duration_seconds', help: 'x', labelNames: ['method', 'route', 'status'] });
    client.collectDefaultMetrics();
    setInterval(() => { void client.register.metrics(); }, 1000).unref();
    globalThis.wrap = (handler) => (req, res) => { const end = histogram.startTimer(); res.on('finish', () => { end({ method: req.method, route: (req.route && req.route.path) || req.url.replace(/\\d+/g, ':id'), status: res.statusCode }); }); handler(req, res); };`,
};

export async function start(folder: string, framework: Framework, observer: Observer, preload: string, { flags = [], app = APPS[framework] }: { flags?: readonly string[]; app?: string } = {}): Promise<Site> {
  const home = await mkdtemp(join(folder, 'home-'));
  const file = join(root, `.bench-preload-${process.pid}-${framework}-${observer}.cjs`);       // beside node_modules, from where it requires
  const own = observer === 'bare' || observer === 'preload' ? '' : OBSERVERS[observer];
  writeFileSync(file, `'use strict'; require('fs').unlinkSync(__filename); ${own}\nconst http = require('http'); ${app} ${SERVE}`);
  const child = spawn(process.execPath, [...flags, file], { stdio: ['ignore', 'pipe', 'inherit'], cwd: home, env: { PATH: process.env['PATH'], DIAG_HOME: home, NODE_ENV: 'production', PORT_FILE: join(home, 'port'), ...(observer === 'preload' ? { NODE_OPTIONS: `--require=${preload}` } : {}) } });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { output += text; });
  const ticks: AppTick[] = [];
  const port = await until(async () => Number(await readFile(join(home, 'port'), 'utf8')));
  const listener = observer === 'preload' ? await until(async () => listenTo(join(home, 'data/DaaS/diag/apps'), ticks)) : undefined;
  return { pid: child.pid as number, port, ticks, output: () => output, stop: async () => { listener?.destroy(); await ended(child); } };
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = new Promise((done) => { child.once('exit', done); });
  child.kill();
  await exit;
}

/** The agent's end of the link: without it the preload counts nothing. */
async function listenTo(apps: string, ticks: AppTick[]): Promise<Socket | undefined> {
  const [instance = ''] = await readdir(apps);
  const name = (await readdir(join(apps, instance))).find((one) => one.endsWith('.json'));
  if (name === undefined) return undefined;
  const { address } = JSON.parse(await readFile(join(apps, instance, name), 'utf8')) as { address: string };
  let rest: Buffer = Buffer.alloc(0);
  return connect(address).on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (let size = 0; rest.length >= 4 && rest.length >= (size = rest.readUInt32LE(0)) + 4; rest = rest.subarray(size + 4)) {
      const frame = JSON.parse(rest.toString('utf8', 4, size + 4)) as AppTick | { type: 'hello' };
      if (frame.type === 'tick') ticks.push(frame);
    }
  });
}

async function until<T>(probe: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const seen = await probe().catch(() => undefined);
    if (seen !== undefined && seen !== 0 && !Number.isNaN(seen)) return seen;
    await sleep(10);
  }
  throw new Error('the app did not come up');
}

/** Of all threads, to the nanosecond: /proc/<pid>/stat counts in steps of 10 ms. */
export function cpuUsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1_000, 0);
}

export function rssMiBOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
}
