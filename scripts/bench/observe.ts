// Owns the bench of the resting agent: CPU and memory with 100 sampled processes beside bare Express + ws, pidusage, systeminformation and netdata in the same run.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { WebSocket } from 'ws';

const root = resolve(import.meta.dirname, '../..');
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '30' }, processes: { type: 'string', default: '100' }, out: { type: 'string', default: 'artifacts/bench/observe.json' }, netdata: { type: 'boolean', default: true } }, allowNegative: true });
const SECONDS = Number(values.seconds);
const PROCESSES = Number(values.processes);
const TICK_MS = 10; // USER_HZ is 100 on Linux
const SETTLE_MS = 12_000;
/** At rest means after the first minute, in which V8 still compiles what runs each second. */
const REST_MS = 60_000;

interface Figure { readonly cpuPercent: number; readonly rssMiB: number; readonly children: number }
const site = { WEBSITE_SITE_NAME: 'bench', WEBSITE_INSTANCE_ID: 'b'.repeat(64) };

/** user + system time of a process and of its reaped children, in ms. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const f = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
  return ((f[11] ?? 0) + (f[12] ?? 0) + (f[13] ?? 0) + (f[14] ?? 0)) * TICK_MS;
}
function rssMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
function childrenOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).flatMap((t) => readFileSync(`/proc/${pid}/task/${t}/children`, 'utf8').split(' ').filter(Boolean)).length;
}

async function measure(child: ChildProcess, seconds = SECONDS): Promise<Figure> {
  const pid = child.pid ?? 0;
  const before = cpuMs(pid);
  const began = performance.now();
  let children = 0;
  while (performance.now() - began < seconds * 1000) {
    children = Math.max(children, childrenOf(pid));
    await sleep(50);
  }
  return { cpuPercent: (cpuMs(pid) - before) / (performance.now() - began) * 100, rssMiB: rssMiB(pid), children };
}

function node(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, args, { env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'inherit'], cwd: root });
}
async function said(child: ChildProcess, word: string): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    const line = text.split('\n').find((l) => l.startsWith(word));
    if (line !== undefined && text.includes('\n')) { child.stdout?.resume(); return line; }
  }
  throw new Error(`ended before it said ${word}: ${text}`);
}

const top = await mkdtemp(join(tmpdir(), 'bench-observe-'));
const sleepers = Array.from({ length: PROCESSES }, () => spawn('sleep', ['100000'], { env: { ...site }, stdio: 'ignore' }));
const ended: ChildProcess[] = [...sleepers];
const results: Record<string, unknown> = { processes: PROCESSES, seconds: SECONDS };
try {
  results['agent'] = await agent();
  results['agentBusy'] = await busy();
  results['bareExpressWs'] = await bare();
  results['perPass'] = await perPass();
  if (values.netdata) results['netdata'] = await netdata();
  const file = resolve(root, values.out);
  await mkdir(resolve(file, '..'), { recursive: true });
  await writeFile(file, JSON.stringify(results, null, 1));
  process.stdout.write(`${JSON.stringify(results, null, 1)}\n`);
} finally {
  for (const child of ended) child.kill('SIGKILL');
  await rm(top, { recursive: true, force: true });
}

/** The built agent at rest: no page open, 100 processes of its site, an HTTP log that is there but quiet. */
async function agent(): Promise<Figure> {
  const home = join(top, 'home');
  await mkdir(join(home, 'LogFiles/http/RawLogs'), { recursive: true });
  await writeFile(join(home, 'LogFiles/http/RawLogs/bbbbbb-1.log'), '#Fields: date time s-sitename cs-method cs-uri-stem sc-status time-taken\n');
  const child = node(['dist/main.js'], { ...site, HOME: home, PORT: '0', DIAG_TOKEN: 'bench-bench-bench' });
  ended.push(child);
  const url = (await said(child, 'listening')).slice('listening '.length);
  await sleep(SETTLE_MS);
  const answer = await fetch(`${url}/api/processes`, { headers: { authorization: 'Bearer bench-bench-bench' } });
  const { processes } = await answer.json() as { processes: { info: { ours?: boolean }; sample?: unknown }[] };
  const sampled = processes.filter((p) => !p.info.ours && p.sample).length;
  if (sampled < PROCESSES) throw new Error(`the agent samples ${sampled} of ${PROCESSES} processes`);
  await sleep(REST_MS);
  const figure = await measure(child);
  child.kill('SIGTERM');
  return figure;
}

async function bare(): Promise<Figure> {
  const child = node(['--input-type=module', '-e', "import express from 'express'; import { WebSocketServer } from 'ws'; const s = express().get('/', (q, r) => r.send('ok')).listen(0, () => console.log('listening')); new WebSocketServer({ server: s });"]);
  ended.push(child);
  await said(child, 'listening');
  await sleep(3_000);
  return measure(child, Math.min(SECONDS, 10));
}

/** The built agent at work: the same 100 processes, 100 HTTP rows a second in its log, one page that follows all topics. */
async function busy(): Promise<Figure & { rows: number }> {
  const home = join(top, 'busy');
  const file = join(home, 'LogFiles/http/RawLogs/bbbbbb-1.log');
  await mkdir(join(home, 'LogFiles/http/RawLogs'), { recursive: true });
  await writeFile(file, '#Fields: date time s-sitename cs-method cs-uri-stem cs-uri-query s-port c-ip cs(User-Agent) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken\n');
  const child = node(['dist/main.js'], { ...site, HOME: home, PORT: '0', DIAG_TOKEN: 'bench-bench-bench' });
  ended.push(child);
  const url = (await said(child, 'listening')).slice('listening '.length);
  const socket = new WebSocket(`${url.replace('http', 'ws')}/live`, { headers: { authorization: 'Bearer bench-bench-bench' } });
  let rows = 0;
  socket.on('message', (raw) => { const m = JSON.parse(String(raw)) as { type: string; items?: unknown[] }; if (m.type === 'requests') rows += m.items?.length ?? 0; });
  socket.on('open', () => { for (const topic of ['samples', 'requests', 'changes', 'now']) socket.send(JSON.stringify({ type: 'follow', id: topic, topic })); });
  const writing = new AbortController();
  const writer = (async () => {
    for (let n = 0; !writing.signal.aborted; n += 10) {
      const stamp = new Date().toISOString().slice(0, 19).replace('T', ' ');
      await appendFile(file, Array.from({ length: 10 }, (_, i) => `${stamp} BENCH GET /products/${n + i} - 80 10.0.0.${i} Mozilla/5.0 bench.example ${i === 3 ? '404 0 0' : '200 0 0'} 5120 300 ${10 + i}\n`).join(''));
      await sleep(100);
    }
  })();
  await sleep(SETTLE_MS);
  const figure = await measure(child);
  writing.abort();
  await writer;
  socket.terminate();
  child.kill('SIGTERM');
  if (rows < SECONDS * 50) throw new Error(`the page received ${rows} rows only`);
  return { ...figure, rows };
}

/** CPU of the same sampling at 1 Hz by ours, pidusage and systeminformation, each in a process of its own at the same time; `nothing` is the timer alone. */
async function perPass(): Promise<unknown> {
  const pass = join(top, 'pass.cjs');
  await build({ entryPoints: [join(root, 'scripts/bench/sampling-pass.ts')], bundle: true, platform: 'node', target: 'node20', format: 'cjs', outfile: pass, external: ['koffi'], logLevel: 'error' });
  const kinds = ['nothing', 'ours', 'pidusage', 'systeminformation'] as const;
  const us = await Promise.all(kinds.map(async (kind) => {
    const child = node([pass, kind, String(SECONDS), ...sleepers.map((s) => String(s.pid))], { ...site, HOME: join(top, `home-${kind}`) });
    ended.push(child);
    return Number((await said(child, 'result ')).slice('result '.length));
  }));
  const [nothing = NaN, ours = NaN, pidusage = NaN, systeminformation = NaN] = us;
  return { usPerSecond: { nothing, ours, pidusage, systeminformation }, timesOurs: { pidusage: (pidusage - nothing) / (ours - nothing), systeminformation: (systeminformation - nothing) / (ours - nothing) } };
}

/** Debian's netdata with its defaults, when it is installed (apt-get install netdata). */
async function netdata(): Promise<Figure | string> {
  if (!existsSync('/usr/sbin/netdata')) return 'not installed';
  const child = spawn('/usr/sbin/netdata', ['-D', '-W', 'set', 'web', 'mode', 'none'], { stdio: 'ignore' });
  ended.push(child);
  await sleep(SETTLE_MS);
  return measure(child);
}
