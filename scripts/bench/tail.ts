// Owns the bench of the live tail: how late a line is and how much comes through to 1, 10 and 100 clients, beside tail -F under websocketd and a bare broadcaster in the same run.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort } from '../../test/support/free-port.ts';

const root = resolve(import.meta.dirname, '../..');
const { values } = parseArgs({ options: {
  rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '3' }, warm: { type: 'string', default: '2' }, clients: { type: 'string', default: '1,10,100' }, scale: { type: 'string', default: '1' },
  agent: { type: 'string', default: 'dist/main.js' }, beside: { type: 'string' }, flags: { type: 'string', default: '' }, out: { type: 'string', default: 'artifacts/bench/tail.json' }, kinds: { type: 'string', default: 'ours,bare,websocketd' }, only: { type: 'string', default: 'late,through,stalled,polled' },
} });
const ROUNDS = Number(values.rounds);
const SECONDS = Number(values.seconds);
const COUNTS = values.clients.split(',').map(Number);
const LINES_A_SECOND = 1_000;
/** Before the measuring, for all alike: the first thousands of lines are run by the interpreter. */
const WARM_SECONDS = Number(values.warm);
const LINE_BYTES = 200;
const CHUNK_LINES = 320;
/** Unique megabytes of one throughput run, by clients. A message a line is thirty times slower and gets less. */
const MEGABYTES: Readonly<Record<number, number>> = { 1: 256, 10: 96, 100: 24 };
const SLOW_SHARE = 1 / 16;
const STALLED = 10;
const LIMIT_MS = 60_000;
/** `beside`: another build of the agent, to compare two in turns. */
type Kind = 'ours' | 'beside' | 'bare' | 'websocketd';
const isAgent = (kind: Kind): kind is 'ours' | 'beside' => kind === 'ours' || kind === 'beside';
const KINDS = values.kinds.split(',').flatMap((kind) => (kind === 'ours' && values.beside !== undefined ? ['ours', 'beside'] : [kind])) as Kind[];

const top = await mkdtemp(join(tmpdir(), 'bench-tail-'));
const started = new Set<ChildProcess>();
const word = (made: ChildProcess): ChildProcess => { started.add(made); made.on('exit', () => started.delete(made)); return made; };
const node = (args: readonly string[], env: Record<string, string> = {}): ChildProcess => word(spawn(process.execPath, args, { env: { PATH: process.env['PATH'], ...env }, stdio: ['pipe', 'pipe', 'inherit'], cwd: root }));

/** Reads a child's lines one by one. */
function linesOf(child: ChildProcess): () => Promise<string> {
  let text = '';
  const waiting: ((line: string) => void)[] = [];
  const have: string[] = [];
  child.stdout?.on('data', (data) => {
    text += String(data);
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      const take = waiting.shift();
      if (take) take(line); else have.push(line);
    }
  });
  return () => new Promise((done) => { const line = have.shift(); if (line === undefined) waiting.push(done); else done(line); });
}

let number = 0;
/** A line as an app writes it, of LINE_BYTES, with the instant of its writing in µs. */
function lineNow(): string {
  number += 1;
  const head = `${new Date().toISOString()} INFO [http-${number % 10}] shop.Cart - t=${String(process.hrtime.bigint() / 1_000n).padStart(16, '0')} order ${number} was paid after ${number % 300} ms by customer 4711 `;
  return `${head.padEnd(LINE_BYTES - 1, 'x')}\n`;
}

interface Stand { readonly file: string; readonly url: string; readonly ask: string; readonly pid: number | undefined; end(): void }

interface Agent { readonly home: string; readonly url: string; readonly pid: number }
interface Agents { readonly ours: Agent; readonly beside: Agent }

/** What is not measured stands still. */
function turnOf(agent: Agent, { ours, beside }: Agents): void {
  if (ours === beside) return;
  process.kill(agent === ours ? beside.pid : ours.pid, 'SIGSTOP');
  process.kill(agent.pid, 'SIGCONT');
}

/** A fresh file and what serves it. The agent is one for all of its runs, as in life. */
async function stand(kind: Kind, agents: Agents): Promise<Stand> {
  const name = `bench-${process.hrtime.bigint()}.txt`;
  const agent = kind === 'beside' ? agents.beside : agents.ours;
  const file = isAgent(kind) ? join(agent.home, 'LogFiles/Application', name) : join(top, name);
  await writeFile(file, lineNow());
  turnOf(agent, agents);
  if (isAgent(kind)) {
    const source = await sourceOf(agent.url, name);
    return { file, url: `${agent.url.replace('http', 'ws')}/live`, ask: JSON.stringify({ type: 'follow-log', id: 'bench', source, last: 0 }), pid: agent.pid, end: () => undefined };
  }
  if (kind === 'bare') {
    const child = node(['--import', 'tsx', 'scripts/bench/tail-bare.ts', file]);
    const url = (await linesOf(child)()).slice('listening '.length);
    return { file, url, ask: '', pid: child.pid, end: () => child.kill('SIGKILL') };
  }
  const port = await freePort();
  const child = word(spawn('websocketd', ['--address', '127.0.0.1', '--port', String(port), '--loglevel', 'fatal', 'tail', '-n', '0', '-F', file], { stdio: 'ignore' }));
  await sleep(300);
  return { file, url: `ws://127.0.0.1:${port}/`, ask: '', pid: child.pid, end: () => child.kill('SIGTERM') };
}

async function sourceOf(url: string, name: string): Promise<string> {
  for (const began = performance.now(); performance.now() - began < LIMIT_MS; await sleep(200)) {
    const { sources } = await (await fetch(`${url}/api/logs`, { headers: { authorization: 'Bearer bench-bench-bench' } })).json() as { sources: { id: string; title: string }[] };
    const found = sources.find((one) => one.title.endsWith(name));
    if (found) return found.id;
  }
  throw new Error(`${name} is not in the catalog`);
}

interface Clients { ask<T>(question: string): Promise<T>; end(): void }
interface State { readonly least: number; readonly most: number; readonly lost: number; readonly bytes: number; readonly stalled: readonly number[] }

async function clientsOf(kind: Kind, at: Stand, count: number, stalled = 0): Promise<Clients> {
  const child = node(['--import', 'tsx', 'scripts/bench/tail-clients.ts', isAgent(kind) ? 'ours' : kind, at.url, String(count), at.ask, String(stalled)]);
  const next = linesOf(child);
  await next();
  if (!isAgent(kind)) await sleep(300); // tail has to open its file
  return { ask: async (question) => { child.stdin?.write(`${question}\n`); return JSON.parse(await next()) as never; }, end: () => child.kill('SIGKILL') };
}

/** Of all threads of the process and of its children (websocketd starts a tail for each client), to the microsecond: the ticks of /proc/PID/stat
 *  count a whole hundredth of a second for who happens to run when it ends. */
function cpuMs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`);
  const children = tasks.flatMap((task) => orNothing(`${task}/children`).split(' ').filter(Boolean).map(Number));
  return tasks.reduce((sum, task) => sum + Number(orNothing(`${task}/schedstat`).split(' ')[0]) / 1e6, 0) + children.reduce((sum, child) => sum + cpuMs(child), 0);
}

/** Of a thread that may have ended just now. */
function orNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH') return '';
    throw error;
  }
}
const rssMiB = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;

/** Each line by a write of its own, on time on the average. */
async function writeSlowly(file: string, seconds: number, aSecond = LINES_A_SECOND): Promise<number> {
  const fd = openSync(file, 'a');
  const began = performance.now();
  let written = 0;
  for (; written < seconds * aSecond; await sleep(1)) {
    const due = Math.min(seconds * aSecond, ((performance.now() - began) / 1_000) * aSecond);
    for (; written < due; written += 1) writeSync(fd, lineNow());
  }
  closeSync(fd);
  return written;
}

async function until(clients: Clients, lines: number, what: string): Promise<State> {
  for (const began = performance.now(); ; await sleep(5)) {
    const state = await clients.ask<State>('state');
    if (state.least >= lines) return state;
    if (performance.now() - began > LIMIT_MS) throw new Error(`${what}: ${state.least} of ${lines} lines came, ${state.lost} were lost`);
  }
}

interface Late { readonly p50: number; readonly p99: number; readonly cpuPercent: number }

async function late(kind: Kind, count: number, agents: Agents): Promise<Late> {
  const at = await stand(kind, agents);
  const clients = await clientsOf(kind, at, count);
  try {
    await writeSlowly(at.file, WARM_SECONDS);
    await sleep(200);
    await clients.ask('late');
    const [cpu, began] = [at.pid === undefined ? 0 : cpuMs(at.pid), performance.now()];
    const before = (await clients.ask<State>('state')).least;
    const written = await writeSlowly(at.file, SECONDS);
    const cpuPercent = at.pid === undefined ? 0 : (cpuMs(at.pid) - cpu) / (performance.now() - began) * 100;
    await until(clients, before + written, `${kind} late ${count}`);
    return { ...await clients.ask<{ p50: number; p99: number }>('late'), cpuPercent };
  } finally {
    clients.end();
    at.end();
  }
}

async function through(kind: Kind, count: number, agents: Agents): Promise<number> {
  const at = await stand(kind, agents);
  const clients = await clientsOf(kind, at, count);
  const share = (kind === 'websocketd' ? SLOW_SHARE : 1) * Number(values.scale);
  const chunks = Math.ceil((MEGABYTES[count] ?? 24) * share * 1e6 / LINE_BYTES / CHUNK_LINES);
  try {
    const before = await clients.ask<State>('state');
    const began = performance.now();
    writeQuickly(at.file, chunks);
    const state = await until(clients, before.least + chunks * CHUNK_LINES, `${kind} through ${count}`);
    const megabytes = (state.bytes - before.bytes) / 1e6;
    if (state.lost > 0 || state.most !== state.least) throw new Error(`${kind} ${count}: ${state.lost} lines lost, ${state.least} to ${state.most}`);
    return megabytes / ((performance.now() - began) / 1_000);
  } finally {
    clients.end();
    at.end();
  }
}

function writeQuickly(file: string, chunks: number): void {
  const chunk = Buffer.from(Array.from({ length: CHUNK_LINES }, lineNow).join(''));
  const fd = openSync(file, 'a');
  for (let i = 0; i < chunks; i += 1) writeSync(fd, chunk);
  closeSync(fd);
}

/** A hundred clients of which ten do not read: what they miss is counted to the line, and the agent stays small. */
async function stalledClients(agents: Agents): Promise<unknown> {
  const at = await stand('ours', agents);
  const clients = await clientsOf('ours', at, 100, STALLED);
  try {
    let peak = 0;
    const timer = setInterval(() => { peak = Math.max(peak, rssMiB(agents.ours.pid)); }, 20);
    const chunks = Math.ceil(48e6 * Number(values.scale) / LINE_BYTES / CHUNK_LINES);
    const lines = chunks * CHUNK_LINES;
    writeQuickly(at.file, chunks);
    const others = await until(clients, lines, 'stalled: the others');
    const rssWhileStalledMiB = rssMiB(agents.ours.pid);
    clients.ask<State>('resume').catch(() => undefined);
    let state = others;
    for (const began = performance.now(); state.stalled.some((n) => n < lines) && performance.now() - began < LIMIT_MS; await sleep(20)) state = await clients.ask<State>('state');
    clearInterval(timer);
    return { lines, othersLost: others.most - others.least, missed: state.lost, accountedFor: state.stalled.every((n) => n === lines), rssPeakMiB: round(peak), rssWhileStalledMiB: round(rssWhileStalledMiB) };
  } finally {
    clients.end();
  }
}

/** Written under another name in another folder: no notice comes, as on a share that another machine writes to. */
async function polled(agents: Agents): Promise<unknown> {
  const at = await stand('ours', agents);
  const other = join(top, 'other');
  await mkdir(other, { recursive: true });
  await link(at.file, join(other, 'file.txt'));
  const clients = await clientsOf('ours', at, 1);
  try {
    const written = await writeSlowly(join(other, 'file.txt'), 12, 5);
    await until(clients, written, 'polled');
    return await clients.ask('late');
  } finally {
    clients.end();
  }
}

function median(list: readonly number[]): number { return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN; }
function round(value: number): number { return Number(value.toPrecision(3)); }

async function agentOf(script: string, folder: string): Promise<Agent> {
  const home = join(top, folder);
  await mkdir(join(home, 'LogFiles/Application'), { recursive: true });
  const child = node([...values.flags.split(' ').filter(Boolean), resolve(root, script)], { HOME: home, DIAG_HOME: home, PORT: '0', DIAG_TOKEN: 'bench-bench-bench' });
  const next = linesOf(child);
  let said = await next();
  while (!said.includes('http://')) said = await next();
  return { home, url: (/http:\/\/[^\s?]+/.exec(said)?.[0] ?? '').replace(/\/$/, ''), pid: child.pid ?? 0 };
}

async function main(): Promise<void> {
  const ours = await agentOf(values.agent, 'home');
  const agents: Agents = { ours, beside: values.beside === undefined ? ours : await agentOf(values.beside, 'home-beside') };
  await sleep(3_000);
  const lates = new Map<string, Late[]>();
  const throughs = new Map<string, number[]>();
  const only = new Set(values.only.split(','));
  for (let i = 0; i < ROUNDS; i += 1) {
    for (const count of COUNTS) {
      for (const kind of KINDS) {
        const key = `${kind} ${count}`;
        if (only.has('late')) lates.set(key, [...lates.get(key) ?? [], await late(kind, count, agents)]);
        if (only.has('through')) throughs.set(key, [...throughs.get(key) ?? [], await through(kind, count, agents)]);
      }
    }
  }
  const rows = COUNTS.flatMap((clients) => KINDS.map((kind) => {
    const some = lates.get(`${kind} ${clients}`) ?? [];
    return { kind, clients, p50Ms: round(median(some.map((s) => s.p50))), p99Ms: round(median(some.map((s) => s.p99))), cpuPercent: round(median(some.map((s) => s.cpuPercent))), megabytesASecond: round(median(throughs.get(`${kind} ${clients}`) ?? [])) };
  }));
  const results = { rounds: ROUNDS, rows, ...(only.has('polled') ? { polled: await polled(agents) } : {}), ...(only.has('stalled') ? { stalled: await stalledClients(agents) } : {}), agentRssMiB: round(rssMiB(agents.ours.pid)) };
  const rounded = [...lates].map(([key, some]) => `${key}: p50 ${some.map((one) => round(one.p50)).join(' ')}, p99 ${some.map((one) => round(one.p99)).join(' ')}`);
  for (const line of rounded) process.stdout.write(`${line}\n`);
  for (const row of rows) process.stdout.write(`${row.kind.padEnd(10)} ${String(row.clients).padStart(4)} clients: p50 ${row.p50Ms} ms, p99 ${row.p99Ms} ms, ${row.cpuPercent} % CPU, ${row.megabytesASecond} MB/s\n`);
  process.stdout.write(`${JSON.stringify({ ...results, rows: undefined })}\n`);
  await mkdir(resolve(root, values.out, '..'), { recursive: true });
  await writeFile(resolve(root, values.out), `${JSON.stringify(results, undefined, 1)}\n`);
}

try {
  await main();
} finally {
  for (const child of started) child.kill('SIGKILL');
  await rm(top, { recursive: true, force: true });
}
process.exit(0);
