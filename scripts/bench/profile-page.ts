// Owns the measure of the flame graph: gaps between animation frames in Chromium while a profile of 200,000 calls is panned and zoomed, beside the same page at rest.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import { startAgent } from '../../src/agent/agent.ts';
import { configOf } from '../../src/agent/config.ts';
import { createApp } from '../../src/server/app.ts';
import { createGuard } from '../../src/server/guard.ts';

const root = resolve(import.meta.dirname, '../..');
const NODES = Number(process.argv[2] ?? 200_000);
const shots = process.argv[3];
const SECONDS = 5;
const FRAME_MS = 1_000 / 60;
const TOKEN = 'bench-bench-bench';

/** A tree of so many calls, deep and wide, with three samples a call. */
function profile(nodes: number): string {
  let state = 7;
  const below = (n: number): number => { state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; return Math.floor((state / 2 ** 32) * n); };
  const files = Array.from({ length: 40 }, (_, i) => (i % 3 === 0 ? `/site/wwwroot/node_modules/part${i}/index.js` : i % 7 === 0 ? 'node:internal/streams/readable' : `/site/wwwroot/lib/file${i}.js`));
  const call = (i: number) => (i === 1 ? { functionName: '(root)', scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 } : { functionName: `handle${below(3_000)}`, scriptId: '1', url: files[below(files.length)] ?? '', lineNumber: below(900), columnNumber: 4 });
  const depth = [0, 0];
  const parents = Array.from({ length: nodes }, (_, i) => { if (i === 0) return 0; let parent = Math.max(1, i - below(40)); while ((depth[parent] ?? 0) > 90) parent = 1 + below(i); depth[i + 1] = (depth[parent] ?? 0) + 1; return parent; });
  const list = parents.map((parent, i) => ({ id: i + 1, callFrame: call(i + 1), hitCount: 1, ...(parent > 0 ? { parent } : {}) }));
  const samples = Array.from({ length: nodes * 3 }, (_, i) => 1 + Math.floor(i / 3));
  return JSON.stringify({ nodes: list, startTime: 0, endTime: samples.length * 100, samples, timeDeltas: samples.map(() => 100) });
}

interface Frames { readonly perSecond: number; readonly p50: number; readonly p95: number; readonly worst: number; readonly late: number }

/** Gaps between frames; `late`: the share of gaps longer than one and a half frames. */
async function frames(page: Page, work?: () => Promise<void>): Promise<Frames> {
  const measured = page.evaluate<number[]>(`new Promise((done) => {
    const list = [], began = performance.now(); let last = began;
    requestAnimationFrame(function tick(now) { list.push(now - last); last = now; if (now - began < ${SECONDS * 1_000}) requestAnimationFrame(tick); else done(list); });
  })`);
  await work?.();
  const sorted = (await measured).slice(1).sort((a, b) => a - b);
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;
  const round = (value: number): number => Number(value.toPrecision(3));
  return { perSecond: round(sorted.length / SECONDS), p50: round(at(0.5)), p95: round(at(0.95)), worst: round(at(1)), late: round(sorted.filter((gap) => gap > FRAME_MS * 1.5).length / sorted.length) };
}

/** Panning as a hand does it, in the page itself: an event at every frame. */
const PAN = `new Promise((done) => { const canvas = document.querySelector('.flame canvas'); let i = 0;
  requestAnimationFrame(function tick() { canvas.dispatchEvent(new WheelEvent('wheel', { deltaX: Math.round(60 * Math.sin(i / 20)), deltaY: Math.round(20 * Math.cos(i / 30)), bubbles: true, cancelable: true })); i += 1; if (i < ${SECONDS * 60 - 20}) requestAnimationFrame(tick); else done(); }); })`;

const home = await mkdtemp(join(tmpdir(), 'bench-profile-'));
await mkdir(join(home, 'LogFiles'), { recursive: true });
const config = configOf({ DIAG_HOME: home, DIAG_TOKEN: TOKEN, DIAG_PROCESSES: String(process.pid), PORT: '0', PATH: process.env['PATH'] });
const agent = await startAgent(config, { reportCss: join(root, 'public/report.css'), analyzeWorker: join(root, 'dist/analyze-worker.js') });
const guard = createGuard({ auth: config.auth, token: agent.token, hosts: config.hosts, base: config.base });
const server = createServer(createApp({ agent, guard, base: config.base, publicDir: join(root, 'public') })).listen(0, '127.0.0.1');
await new Promise((done) => { server.once('listening', done); });
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}${config.base}`;
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
try {
  const { session } = await agent.diagnose({ diagnosers: [{ id: 'changes' }], minutes: 1 }, 'bench');
  while ((await agent.store.sessions.get(session)).state === 'running') await sleep(100);
  const draft = await agent.store.artifacts.writer(session).draft('cpu-profile', 'large.cpuprofile');
  draft.stream().end(profile(NODES));
  const file = await draft.commit();
  const page = await browser.newPage({ viewport: { width: 1_400, height: 900 } });
  await page.goto(`${base}/`);
  await page.fill('input', TOKEN);
  await page.click('text=Sign in >> nth=-1');
  await page.waitForSelector('nav a');
  const began = performance.now();
  await page.goto(`${base}/analyze/${session}/profile/${file.instance}/${file.name}`);
  await page.waitForSelector('.flame canvas', { timeout: 60_000 }).catch(async (error: unknown) => { throw new Error(`the page shows: ${await page.innerText('body')}`, { cause: error }); });
  const shownAfterMs = Math.round(performance.now() - began);
  await sleep(1_500);
  const rest = await frames(page);
  const whole = await frames(page, () => page.evaluate(PAN));
  await page.focus('.flame canvas');
  for (let i = 0; i < 6; i += 1) await page.keyboard.press('+');
  const zoomed = await frames(page, () => page.evaluate(PAN));
  await page.click('text=In order of time');
  await sleep(1_500);
  const timed = await frames(page, () => page.evaluate(PAN));
  if (shots !== undefined) await page.screenshot({ path: join(shots, 'large.png') });
  process.stdout.write(`${JSON.stringify({ nodes: NODES, fileBytes: file.bytes, shownAfterMs, rest, whole, zoomed, timed })}\n`);
} finally {
  await browser.close();
  server.close();
  await agent.stop();
  await rm(home, { recursive: true, force: true });
}
process.exit(0);
