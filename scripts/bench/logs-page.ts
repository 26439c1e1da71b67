// Owns the measure of the Logs page under load: gaps between animation frames in Chromium at 10,000 lines a second, beside the same page at rest.
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';

const root = resolve(import.meta.dirname, '../..');
const SECONDS = 6;
const LINES_A_SECOND = 10_000;
const FRAME_MS = 1_000 / 60;
const home = await mkdtemp(join(tmpdir(), 'bench-page-'));
const file = join(home, 'LogFiles/Application/page.txt');
let number = 0;
const LEVELS = ['INFO', 'INFO', 'INFO', 'WARN', 'ERROR'];
const line = (): string => `${new Date().toISOString()} ${LEVELS[(number += 1) % 5]} [http-${number % 10}] shop.Cart - order ${number} was paid after ${number % 300} ms by customer 4711\n`;

interface Frames { readonly perSecond: number; readonly p50: number; readonly p95: number; readonly worst: number; readonly late: number }

/** Gaps between frames; `late`: the share of gaps longer than one and a half frames. */
async function frames(page: Page): Promise<Frames> {
  // As text: the compiler's names for functions are not there in the page.
  const gaps = await page.evaluate<number[]>(`new Promise((done) => {
    const list = [];
    const began = performance.now();
    let last = began;
    requestAnimationFrame(function tick(now) { list.push(now - last); last = now; if (now - began < ${SECONDS * 1_000}) requestAnimationFrame(tick); else done(list); });
  })`);
  const sorted = gaps.slice(1).sort((a, b) => a - b);
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;
  const round = (value: number): number => Number(value.toPrecision(3));
  return { perSecond: round(sorted.length / SECONDS), p50: round(at(0.5)), p95: round(at(0.95)), worst: round(at(1)), late: round(sorted.filter((gap) => gap > FRAME_MS * 1.5).length / sorted.length) };
}

async function load(until: { over: boolean }): Promise<void> {
  const fd = openSync(file, 'a');
  const began = performance.now();
  for (let written = 0; !until.over; await sleep(5)) {
    let piece = '';
    for (const due = ((performance.now() - began) / 1_000) * LINES_A_SECOND; written < due; written += 1) piece += line();
    if (piece !== '') writeSync(fd, piece);
  }
  closeSync(fd);
}

await mkdir(join(home, 'LogFiles/Application'), { recursive: true });
await writeFile(file, Array.from({ length: 1_000 }, line).join(''));
const child = spawn(process.execPath, ['dist/main.js'], { cwd: root, env: { PATH: process.env['PATH'], HOME: home, DIAG_HOME: home, PORT: '0', DIAG_TOKEN: 'bench-bench-bench' }, stdio: ['ignore', 'pipe', 'inherit'] });
let said = '';
child.stdout.on('data', (data) => { said += String(data); });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
try {
  while (!/listening \S+\n/.test(said)) await sleep(50);
  await sleep(2_000);
  const page = await browser.newPage({ viewport: { width: 1_400, height: 900 } });
  const once = /open (\S+)/.exec(said)?.[1] ?? '';
  await page.goto(once);
  await page.goto(`${once.split('?')[0]?.replace(/\/$/, '')}/logs`);
  await page.getByText('page.txt').first().waitFor();
  await sleep(2_000);
  const rest = await frames(page);
  const until = { over: false };
  const loading = load(until);
  await sleep(2_000);
  const busy = await frames(page);
  const words = await page.locator('.tail > h2 small').textContent();
  await page.screenshot({ path: process.argv[2] ?? join(tmpdir(), 'logs-page.png') });
  until.over = true;
  await loading;
  const shown = await page.locator('.log-in .entry').count();
  process.stdout.write(`${JSON.stringify({ linesASecond: LINES_A_SECOND, written: number, rest, busy, rowsInPage: shown, words })}\n`);
} finally {
  await browser.close();
  child.kill('SIGKILL');
  await rm(home, { recursive: true, force: true });
}
process.exit(0);
