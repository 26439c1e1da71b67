// Owns the claim about files: a folder of 50,000 and a log of 5 GB show first content in under a second, as still pictures; run it as `node --import tsx scripts/bench/files.ts [folder for pictures]`.
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { startAgent } from '../../src/agent/agent.ts';
import { configOf } from '../../src/agent/config.ts';
import { createApp } from '../../src/server/app.ts';
import { createGuard } from '../../src/server/guard.ts';

const root = resolve(import.meta.dirname, '../..');
// The support of tests belongs to their own project of types.
const { openBrowser } = await import(new URL('../../test/support/browser.ts', import.meta.url).href) as { openBrowser(): Promise<Browser> };
const NAMES = Number(process.env['FILES'] ?? 50_000);
const LOG_BYTES = Number(process.env['LOG_BYTES'] ?? 5 * 1024 ** 3);
const LINE = 'LINE-0000000000 2026-11-21T15:00:00Z info GET /orders/4711 200 in 12 ms\n';

async function lay(home: string): Promise<void> {
  await mkdir(join(home, 'many'), { recursive: true });
  for (let i = 0; i < NAMES; i += 500) await Promise.all(Array.from({ length: Math.min(500, NAMES - i) }, (_, k) => writeFile(join(home, 'many', `order-${String(i + k).padStart(6, '0')} ü.json`), '{}')));
  const log = await open(join(home, 'huge.log'), 'w');
  const text = Buffer.from(LINE.repeat(15_000));
  // Text at both ends and every 256 MiB; between them the file is sparse, which the disk gives as fast as it can.
  for (let at = 0; at < LOG_BYTES; at += 256 * 1024 ** 2) await log.write(text, 0, text.length, at);
  await log.write(Buffer.from(`${LINE.repeat(2_000)}THE LAST LINE\n`), 0, undefined, LOG_BYTES);
  await log.close();
}

/** Milliseconds from the going to the address until the thing is there, and the picture of that moment. */
async function timed(page: Page, url: string, what: string, shot: string | undefined): Promise<number> {
  const from = performance.now();
  await page.goto(url);
  await page.waitForSelector(what);
  const took = performance.now() - from;
  if (shot !== undefined) await page.screenshot({ path: shot });
  return took;
}

const top = await mkdtemp(join(tmpdir(), 'bench-files-'));
const home = join(top, 'home');
await lay(home);
const config = configOf({ DIAG_HOME: home, DIAG_TOKEN: 'bench-token-for-files', PORT: '0', PATH: process.env['PATH'], DIAG_PROCESSES: String(process.pid) });
const agent = await startAgent(config, { reportCss: join(root, 'public/report.css') });
const guard = createGuard({ auth: config.auth, token: agent.token, hosts: [], base: config.base });
const server = createServer(createApp({ agent, guard, base: config.base, publicDir: join(root, 'public') }));
await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}${config.base}`;
const browser = await openBrowser();
const shots = process.argv[2];
if (shots !== undefined) await mkdir(shots, { recursive: true });
const shot = (name: string): string | undefined => (shots === undefined ? undefined : join(shots, `${name}.png`));
const figures: Record<string, number> = {};
try {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  await page.goto(`${base}/?once=${guard.once()}`);
  await page.goto(`${base}/console?part=files`);
  await page.waitForSelector('.vt-body .vt-row');               // the page itself is in the cache of the browser then
  for (let round = 0; round < 3; round += 1) {
    figures[`page with 5 rows, ms (${round})`] = await timed(page, `${base}/console?part=files`, '.vt-body .vt-row', undefined);   // the peer: what the page itself costs
    figures[`folder of ${NAMES}: first rows, ms (${round})`] = await timed(page, `${base}/console?part=files&path=many`, '.vt-body .vt-row', shot(`folder-first-${round}`));
  }
  const used = process.cpuUsage();
  await fetch(`${base}/api/files?path=many&limit=300`, { headers: { authorization: `Bearer ${agent.token}` } }).then((answer) => answer.text());
  const { user, system } = process.cpuUsage(used);
  figures['folder: CPU of the agent for the first page, ms'] = (user + system) / 1_000;   // what a crowded machine hardly bends
  const from = performance.now();
  await page.waitForFunction((count) => document.querySelector('.vt-count')?.textContent?.replace(/\D/g, '') === String(count), NAMES, { timeout: 60_000 });
  figures['folder: all rows after, ms'] = performance.now() - from;
  if (shots !== undefined) await page.screenshot({ path: join(shots, 'folder-whole.png') });
  for (let round = 0; round < 3; round += 1) figures[`log of ${LOG_BYTES} bytes: first lines, ms (${round})`] = await timed(page, `${base}/console?part=files&file=huge.log`, '.file-text span', shot(`log-first-${round}`));
  const last = performance.now();
  await page.click('.text-tools button:has-text("End")');
  await page.waitForFunction(() => document.querySelector('.file-text')?.textContent?.includes('THE LAST LINE'));
  figures['log: the last lines, ms'] = performance.now() - last;
  if (shots !== undefined) await page.screenshot({ path: join(shots, 'log-end.png') });
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
  await agent.stop();
  await rm(top, { recursive: true, force: true });
}
process.stdout.write(`${JSON.stringify(figures, undefined, 1)}\n`);
