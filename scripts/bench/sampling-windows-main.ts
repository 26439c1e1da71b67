// Owns the measure of sampling on Windows, run by node.exe: time of one pass over idle processes, by the one call for all and by a handle for each.
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { openPlatform } from '../../src/platform/choose.ts';
import { openWin32 } from '../../src/platform/windows/win32.ts';

const PROCESSES = Number(process.argv[2]);
const ROUNDS = 7;
const PASSES = 20;
const { signal } = new AbortController();

async function measure(pass: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  for (let i = 0; i < PASSES; i += 1) await pass();
  return (performance.now() - from) / PASSES;
}

function median(values: readonly number[]): number { return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN; }

async function main(): Promise<void> {
  const top = process.env['TOP'] ?? '';
  // Detached: no console host beside each of them.
  const children: ChildProcess[] = Array.from({ length: PROCESSES }, () => spawn('cmd.exe', ['/d', '/q'], { stdio: ['pipe', 'ignore', 'ignore'], detached: true }));
  const pids = children.map((child) => child.pid as number);
  const platform = await openPlatform({ home: join(top, 'home'), temp: join(top, 'temp'), env: process.env, processes: { pids } });
  const win32 = await openWin32();
  const handles = pids.map((pid) => win32.openProcess(0x1000, pid));
  const ways: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['Win32, list and usage', async () => platform.usage((await platform.processes(signal)).map((one) => one.pid), signal)],
    ['Win32, one call with a kept handle for each', async () => handles.map((handle) => win32.createdAt(handle))],
  ];
  try {
    const costs = new Map(ways.map(([name]) => [name, [] as number[]]));
    for (let round = -1; round < ROUNDS; round += 1) for (const [name, pass] of ways) { const ms = await measure(pass); if (round >= 0) costs.get(name)?.push(ms); }
    process.stdout.write(`result ${JSON.stringify([...costs].map(([name, values]) => ({ name, msPerPass: median(values) })))}\n`);
  } finally {
    platform.close();
    for (const child of children) child.kill('SIGKILL');
  }
}

main().then(() => { process.exit(0); }, (error: unknown) => { process.stderr.write(`${String(error)}\n`); process.exit(1); });
