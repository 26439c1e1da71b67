// Owns the measure of sampling: CPU time of one pass over 100 real idle processes, ours beside pidusage and systeminformation, child programs included; and ours on Windows for as many.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pidusage from 'pidusage';
import systeminformation from 'systeminformation';
import { openPlatform } from '../../src/platform/choose.ts';
import { samplingOnWindows } from './sampling-windows.ts';

const PROCESSES = 100;
const ROUNDS = 7;
const MS_PER_TICK = 10;
const RESULT = new URL('../../artifacts/bench/sampling.json', import.meta.url);

/** `restMs`: systeminformation answers from memory when it is asked again within half a second. */
interface Way { readonly name: string; readonly passes: number; readonly restMs?: number; pass(): Promise<unknown> }

/** CPU time of this process and of its ended children (fields 14 to 17 of its stat line), which `process.cpuUsage` leaves out. */
async function cpuMs(): Promise<number> {
  const stat = await readFile('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000 + ((fields[13] ?? 0) + (fields[14] ?? 0)) * MS_PER_TICK;
}

async function measure(way: Way): Promise<number> {
  const before = await cpuMs();
  for (let i = 0; i < way.passes; i += 1) {
    await way.pass();
    if (way.restMs !== undefined) await sleep(way.restMs);
  }
  return (await cpuMs() - before) / way.passes;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

async function main(): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'bench-sampling-'));
  const children: ChildProcess[] = Array.from({ length: PROCESSES }, () => spawn('sleep', ['100000'], { stdio: 'ignore' }));
  const pids = children.map((child) => child.pid as number);
  const platform = await openPlatform({ home, temp: home, env: {}, processes: { pids } });
  const signal = new AbortController().signal;
  const ours: Way[] = [
    { name: 'ours, usage', passes: 400, pass: () => platform.usage(pids, signal) },
    { name: 'ours, list and usage', passes: 400, pass: async () => platform.usage((await platform.processes(signal)).map((one) => one.pid), signal) },
    { name: 'pidusage', passes: 40, pass: () => pidusage(pids) },
    { name: 'systeminformation.processes', passes: 2, restMs: 600, pass: async () => { await systeminformation.processes(); } },
  ];
  try {
    for (const way of ours) await measure({ ...way, passes: Math.min(way.passes, 50) });
    const costs = new Map(ours.map((way) => [way.name, [] as number[]]));
    for (let round = 0; round < ROUNDS; round += 1) for (const way of ours) costs.get(way.name)?.push(await measure(way));
    for (const child of children) child.kill('SIGKILL');
    await report(new Map([...costs].map(([name, values]) => [name, median(values)])));
  } finally {
    platform.close();
    pidusage.clear();
    for (const child of children) child.kill('SIGKILL');
    await rm(home, { recursive: true, force: true });
  }
}

async function report(medians: ReadonlyMap<string, number>): Promise<void> {
  const base = medians.get('ours, list and usage') ?? NaN;
  const pidusageMs = medians.get('pidusage') ?? NaN;
  const rows = [...medians].map(([name, ms]) => rowOf(name, ms, round(ms / base)));
  for (const row of rows) say(row.name, row, `${String(row.timesOurs).padStart(8)} x`);
  const windows = (await samplingOnWindows(PROCESSES))?.map(({ name, msPerPass }) => ({ ...rowOf(name, msPerPass, round(msPerPass / base)), timesPidusageOnLinux: round(msPerPass / pidusageMs) }));
  if (windows === undefined) process.stdout.write('Windows: SKIPPED, no wine on this machine\n');
  else process.stdout.write('Windows, Node 20 under wine (elapsed time; wine\'s server included):\n');
  for (const row of windows ?? []) say(row.name, row, `${String(row.timesPidusageOnLinux).padStart(8)} x pidusage on Linux`);
  mkdirSync(new URL('.', RESULT), { recursive: true });
  writeFileSync(RESULT, `${JSON.stringify({ processes: PROCESSES, rounds: ROUNDS, rows, windows }, undefined, 2)}\n`);
}

interface Row { readonly name: string; readonly msPerPass: number; readonly usPerProcess: number; readonly percentOfCoreAt1Hz: number; readonly timesOurs: number }

function rowOf(name: string, ms: number, timesOurs: number): Row {
  return { name, msPerPass: round(ms), usPerProcess: round((ms / PROCESSES) * 1_000), percentOfCoreAt1Hz: round(ms / 10), timesOurs };
}

function say(name: string, row: Row, times: string): void {
  process.stdout.write(`${name.padEnd(44)} ${String(row.msPerPass).padStart(9)} ms a pass ${String(row.usPerProcess).padStart(9)} µs a process ${times}\n`);
}

function round(value: number): number { return Number(value.toPrecision(3)); }

await main();
