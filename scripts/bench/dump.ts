// Owns the measure of memory dumps: how long a Node process that answers a probe every 5 ms stands still, ours (tracked while it runs, and from a copy of it) beside gcore, Linux ProcDump (where installed) and the kernel's own fork of as much memory, on processes of several sizes.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { startTicks } from '../../src/platform/linux/dump/facts.ts';
import { runOwnWriter } from '../../src/platform/linux/dump/own-writer.ts';

/** MiB; half on the JavaScript heap, half in buffers. `--sizes 256,1024`. */
const sizes = (process.argv[process.argv.indexOf('--sizes') + 1] ?? '').split(',').map(Number).filter((n) => n > 0);
const SIZES = sizes.length > 0 ? sizes : [256, 1_024, 4_096];
const ROUNDS = Number(process.argv[process.argv.indexOf('--rounds') + 1]) || 5;
const WRITER = [resolve(import.meta.dirname, '../../dist/dump-helper.js')];
const RESULT = new URL('../../artifacts/bench/dump.json', import.meta.url);

/** Fills itself, then answers each line on a local socket with a byte. */
const VICTIM = `
const mb = Number(process.argv[1]);
const kept = [];
for (let i = 0; i < mb / 2; i += 8) kept.push(Buffer.alloc(8 << 20, 'filler ' + i));
let n = 0;
while (process.memoryUsage().heapUsed < mb / 2 * 1048576) for (let i = 0; i < 20000; i += 1) kept.push({ id: n, name: 'object-' + (n += 1), list: [n, n + 1, n + 2] });
require('node:net').createServer((socket) => { socket.on('data', (d) => { socket.write(d); }); }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
setInterval(() => kept.length, 1e9);`;

/** Asks every 5 ms in a thread of its own, so that what this process does cannot delay it; tells the longest time between two answers. */
const PROBE = `
const { parentPort, workerData } = require('node:worker_threads');
const socket = require('node:net').connect(workerData.port, '127.0.0.1');
socket.setNoDelay(true);
let last = 0; let longest = 0; let asked = 0;
const ask = () => { asked = performance.now(); socket.write('?'); };
socket.on('connect', ask);
socket.on('data', () => { const now = performance.now(); longest = Math.max(longest, now - asked); last = now; setTimeout(ask, 5); });
parentPort.on('message', () => { parentPort.postMessage(Math.max(longest, last < asked ? performance.now() - asked : 0)); longest = 0; });`;

/** The floor: a process of C with as much memory (half in pieces of 8 MiB, half in pieces of 256 KiB at addresses far apart, as V8 has it: each needs page tables of its own) copies itself; nobody can be faster who uses the kernel's fork. */
const FORK = `
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static void fill(char *p, size_t n) { madvise(p, n, MADV_NOHUGEPAGE); for (size_t i = 0; i < n; i += 4096) p[i] = 1; }
int main(int argc, char **argv) {
  size_t half = strtoul(argv[1], 0, 10) << 19, piece = 262144, buffer = 8 << 20;
  for (size_t i = 0; i < half; i += buffer) fill(mmap(0, buffer, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), buffer);
  for (size_t i = 0; i < half; i += piece) {
    size_t far = ((size_t)random() << 16 ^ (size_t)random() << 31) & 0x3ffffffc0000;
    fill(mmap((void *)far, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), piece);
  }
  setvbuf(stdout, 0, _IOLBF, 0);
  puts("0");
  while (getchar() != EOF) {
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    pid_t child = fork();
    if (child == 0) _exit(0);
    clock_gettime(CLOCK_MONOTONIC, &b);
    waitpid(child, 0, 0);
    printf("%f\\n", (b.tv_sec - a.tv_sec) * 1e3 + (b.tv_nsec - a.tv_nsec) / 1e6);
  }
}`;

/** Asks the C program for one fork, in ms; undefined where no compiler is. */
async function forkFloor(mib: number, folder: string): Promise<{ once(): Promise<number>; end(): void } | undefined> {
  if (program('gcc') === undefined) return undefined;
  const [source, binary] = [join(folder, 'fork.c'), join(folder, 'fork')];
  writeFileSync(source, FORK);
  execFileSync('gcc', ['-O1', '-w', '-o', binary, source]);
  const child = spawn(binary, [String(Math.round(mib))], { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await said.next();
  return { once: async () => { child.stdin.write('x'); return Number((await said.next()).value); }, end: () => { child.kill('SIGKILL'); } };
}

/** From the wish to end it until all is over: no file, no copy of the process, and it answers. Wished for at the first progress, so in the middle of the writing. */
async function cancelled(pid: number, file: string): Promise<number> {
  const end = new AbortController();
  let wishedAt = 0;
  const answer = await runOwnWriter({ mode: 'track', pid, ticks: startTicks(pid) ?? '', file }, end.signal, () => { if (wishedAt === 0) { wishedAt = performance.now(); end.abort(); } }, WRITER);
  const took = performance.now() - wishedAt;
  if (answer.say !== 'cancelled' || existsSync(file)) throw new Error(`not cancelled: ${JSON.stringify(answer)}`);
  return took;
}

interface Way { readonly name: string; take(pid: number, file: string): Promise<{ readonly pausedMs?: number }> }
interface Taken { readonly gapMs: number; readonly totalMs: number; readonly pausedMs?: number; readonly fileMiB: number; readonly diskMiB: number }

const program = (name: string): string | undefined => (process.env['PATH'] ?? '').split(':').map((folder) => join(folder, name)).find((path) => existsSync(path));

function ways(): Way[] {
  const procdump = program('procdump');
  return [
    { name: 'ours', take: ours('track') },
    { name: 'its copy', take: ours('fork') },
    { name: 'gcore', take: async (pid, file) => { await ended(spawn('gcore', ['-o', file, String(pid)], { stdio: 'ignore' })); return {}; } },
    ...procdump === undefined ? [] : [{ name: 'procdump', take: async (pid: number, file: string) => { await ended(spawn(procdump, ['-n', '1', String(pid), file], { stdio: 'ignore' })); return {}; } }],
  ];
}

/** Of our own ways this one alone: no fall-back. */
const ours = (mode: 'track' | 'fork') => async (pid: number, file: string): Promise<{ readonly pausedMs: number }> => {
  const answer = await runOwnWriter({ mode, pid, ticks: startTicks(pid) ?? '', file }, new AbortController().signal, () => undefined, WRITER);
  if (answer.say !== 'done' || answer.left.length > 0) throw new Error(JSON.stringify(answer));
  return { pausedMs: answer.pausedMs };
};

function ended(child: ChildProcess): Promise<void> {
  return new Promise((done, fail) => { child.on('error', fail).on('exit', (code) => { if (code === 0) done(); else fail(new Error(`ended with ${code}`)); }); });
}

async function victimOf(mb: number): Promise<{ child: ChildProcess; port: number }> {
  // A process that has done nothing for some seconds collects its whole heap: a stop of its own, 200 to 400 ms at these sizes, which would count as ours.
  const child = spawn(process.execPath, ['--max-old-space-size=16000', '--no-memory-reducer', '-e', VICTIM, String(mb)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((done) => { child.stdout?.once('data', (text: Buffer) => { done(Number(text)); }); });
  await sleep(1_000);                                          // its garbage collector settles
  return { child, port };
}

async function measure(way: Way, pid: number, probe: Worker, folder: string): Promise<Taken> {
  const file = join(folder, 'dump.core');
  execFileSync('sync');
  await longest(probe);
  const began = performance.now();
  const { pausedMs } = await way.take(pid, file);
  const totalMs = performance.now() - began;
  const gapMs = await longest(probe);
  const path = [file, `${file}.${pid}`].find((each) => existsSync(each)) ?? file;
  const { size, blocks } = statSync(path);
  rmSync(path);
  return { gapMs, totalMs, ...(pausedMs === undefined ? {} : { pausedMs }), fileMiB: size / 2 ** 20, diskMiB: blocks * 512 / 2 ** 20 };
}

function longest(probe: Worker): Promise<number> {
  return new Promise((done) => { probe.once('message', done); probe.postMessage('tell'); });
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const round = (value: number): number => Math.round(value * 10) / 10;

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-dump-'));
  const result: Record<string, unknown>[] = [];
  try {
    for (const mb of SIZES) {
      const { child, port } = await victimOf(mb);
      const probe = new Worker(PROBE, { eval: true, workerData: { port } });
      try {
        const resident = Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${child.pid}/status`, 'latin1'))?.[1]) / 2 ** 20;
        const rows = new Map<string, Taken[]>();
        const idle: number[] = [];
        const floor: number[] = [];
        const cancels: number[] = [];
        const fork = await forkFloor(resident * 1_024, folder);
        for (let i = 0; i < ROUNDS; i += 1) {
          await longest(probe);
          await sleep(500);
          idle.push(await longest(probe));
          if (fork !== undefined) floor.push(await fork.once());
          cancels.push(await cancelled(child.pid as number, join(folder, 'cut.core')));
          // In turn, each first: who comes second finds pages that the first has just given back.
          for (const way of i % 2 === 0 ? ways().reverse() : ways()) rows.set(way.name, [...rows.get(way.name) ?? [], await measure(way, child.pid as number, probe, folder)]);
        }
        fork?.end();
        const bound = 30 + 20 * resident;
        process.stdout.write(`\n${mb} MiB asked, ${resident.toFixed(2)} GiB resident; at rest the longest gap in 0.5 s is ${round(median(idle))} ms; bound for ours ${Math.round(bound)} ms; the kernel's fork alone, of as much memory in C, takes ${round(median(floor))} ms (${round(Math.min(...floor))} to ${round(Math.max(...floor))})\n`);
        result.push({ name: 'fork in C', residentGiB: round(resident), gapMs: round(median(floor)), worstGapMs: round(Math.max(...floor)), boundMs: Math.round(bound) });
        process.stdout.write(`  a cancel in the middle is over after ${Math.round(median(cancels))} ms (worst ${Math.round(Math.max(...cancels))}; bound 1000)\n`);
        result.push({ name: 'cancel', residentGiB: round(resident), totalMs: Math.round(Math.max(...cancels)), boundMs: 1_000 });
        for (const [name, taken] of rows) {
          const row = { name, residentGiB: round(resident), gapMs: round(median(taken.map((t) => t.gapMs))), worstGapMs: round(Math.max(...taken.map((t) => t.gapMs))), pausedMs: taken[0]?.pausedMs === undefined ? undefined : round(median(taken.map((t) => t.pausedMs ?? NaN))), totalMs: Math.round(median(taken.map((t) => t.totalMs))), fileMiB: Math.round(taken[0]?.fileMiB ?? 0), diskMiB: Math.round(taken[0]?.diskMiB ?? 0), boundMs: Math.round(bound) };
          result.push(row);
          process.stdout.write(`  ${name.padEnd(9)} longest gap ${row.gapMs} ms (${taken.map((t) => Math.round(t.gapMs)).join(', ')} in turn)${row.pausedMs === undefined ? '' : `, stopped ${row.pausedMs} ms`}; whole ${row.totalMs} ms; file ${row.fileMiB} MiB, on disk ${row.diskMiB} MiB\n`);
        }
      } finally {
        await probe.terminate();
        child.kill('SIGKILL');
      }
    }
    mkdirSync(new URL('.', RESULT), { recursive: true });
    writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
