// Owns one figure of the observe bench: CPU of one sampling pass at 1 Hz over the given pids, in a process of its own: `ours`, `pidusage` or `systeminformation`.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [kind = '', seconds = '', ...rest] = process.argv.slice(2);
const pids = rest.map(Number);
const WARM_PASSES = 3;

/** Own CPU in µs (all threads), and that of ended children (10 ms grain: their passes add up over the run). */
function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const f = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
  return user + system + ((f[13] ?? 0) + (f[14] ?? 0)) * 10_000;
}

async function sampler(): Promise<() => Promise<unknown>> {
  if (kind === 'pidusage') { const { default: pidusage } = await import('pidusage'); return () => pidusage(pids); }
  if (kind === 'systeminformation') { const { processes } = await import('systeminformation'); return () => processes(); }
  if (kind === 'nothing') return async () => undefined;
  const { openPlatform } = await import('../../src/platform/choose.ts');
  const platform = await openPlatform({ home: process.env['HOME'] ?? '', env: process.env });
  const { signal } = new AbortController();
  return async () => { await platform.processes(signal); return platform.usage(pids, signal); };
}

async function run(): Promise<void> {
  const pass = await sampler();
  let before = 0;
  for (let i = -WARM_PASSES; i < Number(seconds); i += 1) {
    if (i === 0) before = cpuUs();
    await pass();
    await sleep(1_000);
  }
  process.stdout.write(`result ${Math.round((cpuUs() - before) / Number(seconds))}\n`);
  process.exit(0);
}

void run();
