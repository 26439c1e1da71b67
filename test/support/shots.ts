// Owns the pictures of the page: every page in every state, light and dark, at three widths; console errors, axe findings and the first load beside them.
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { openBrowser } from './browser.ts';
import { app } from './stage-data.ts';
import { DUMP_FILE, SLOW_FILE } from './stage-dump.ts';
import { DONE_ID, RUNNING_ID } from './stage-sessions.ts';
import { openStage, SCENES, type Scene } from './stage.ts';

export const PAGES = {
  now: '', observe: 'observe', http: 'observe?part=http&range=1h', requests: 'observe?part=requests', row: 'observe?part=requests&filter=failed', 'bad-filter': 'observe?part=http&filter=status%3A5zz', app: 'observe?part=app', 'app-one': 'observe?part=app&app=6120', processes: 'observe?part=processes', changes: 'observe?part=changes', process: 'observe?part=processes&process=6120', 'process-threads': 'observe?part=processes&process=6120&tab=threads', 'process-modules': 'observe?part=processes&process=6120&tab=modules', 'process-connections': 'observe?part=processes&process=6120&tab=connections', 'process-variables': 'observe?part=processes&process=6120&tab=environment', 'process-find': 'observe?part=processes&find=sharp', environment: 'console', 'environment-limits': 'console?sub=limits', 'environment-machine': 'console?sub=machine', 'environment-compare': 'console?sub=compare', 'diagnostic-dump': 'console?part=dump',
  logs: 'logs', analyze: 'analyze', session: `analyze/${DONE_ID}`, running: `analyze/${RUNNING_ID}`, dump: `analyze/${DONE_ID}/dump/${app.instance}/${DUMP_FILE}`, 'dump-memory': `analyze/${DONE_ID}/dump/${app.instance}/${DUMP_FILE}?part=memory`, 'dump-lists': `analyze/${DONE_ID}/dump/${app.instance}/${DUMP_FILE}?part=environment`, 'dump-reading': `analyze/${DONE_ID}/dump/${app.instance}/${SLOW_FILE}`, mitigate: 'mitigate', diagnose: '', search: '', restart: 'mitigate', 'rule-form': 'mitigate', 'rules-text': 'mitigate', 'rule-try': 'mitigate', 'heal-form': 'mitigate',
} as const;
export type PageName = keyof typeof PAGES;
/** Dialogs: the key or button that opens them. */
const OPENS: Partial<Record<PageName, { readonly key?: string; readonly click?: string }>> = { diagnose: { key: 'd' }, search: { key: '/' }, restart: { click: '.target:not(.off) .danger' }, 'rule-form': { click: '.rules-tools button' }, 'heal-form': { click: '.heal .rules-tools button:not(:disabled)' }, 'rules-text': { click: '.rules-tools button:nth-child(3)' }, 'rule-try': { click: '[aria-label="Try rule leak"]' }, row: { click: '.vt-body .vt-row' } };
const WIDTHS = [360, 1440, 3840] as const;
const HEIGHTS: Readonly<Record<number, number>> = { 360: 780, 1440: 1_000, 3840: 1_600 };
const THEMES = ['light', 'dark'] as const;
/** The whole page fits into one picture up to this height. */
const MAX_HEIGHT = 4_000;
const FIRST_LOAD_LIMIT_BYTES = 150 * 1024;

export interface ShotsOptions { readonly root: string; readonly assetsDir: string; readonly pages?: readonly string[]; readonly scenes?: readonly string[]; readonly pictures?: boolean; say(line: string): void }
export interface ShotsResult { readonly pictures: number; readonly faults: readonly string[]; readonly firstLoadBytes: number }

/** Takes the pictures into artifacts/shots and answers what was wrong. */
export async function takeShots(options: ShotsOptions): Promise<ShotsResult> {
  const browser = await openBrowser();
  const folder = join(options.root, 'artifacts/shots');
  const pages = (Object.keys(PAGES) as PageName[]).filter((p) => !options.pages?.length || options.pages.includes(p));
  const scenes = SCENES.filter((s) => !options.scenes?.length || options.scenes.includes(s));
  const faults: string[] = [];
  let pictures = 0;
  try {
    if (!options.pages?.length && !options.scenes?.length) await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const firstLoadBytes = await firstLoad(browser, options);
    if (firstLoadBytes > FIRST_LOAD_LIMIT_BYTES) faults.push(`first load is ${firstLoadBytes} bytes gzip, more than ${FIRST_LOAD_LIMIT_BYTES}`);
    for (const scene of scenes) for (const name of pages.filter((p) => isShown(p, scene) && (options.pictures !== false || isWhole(p)))) pictures += await onePage(browser, options, folder, name, scene, faults);
    return { pictures, faults, firstLoadBytes };
  } finally {
    await browser.close();
  }
}

/** A signed-out visitor sees one page whatever the address; dialogs need something to open from. */
function isShown(name: PageName, scene: Scene): boolean {
  if (scene === 'signed-out') return name === 'now';
  if (name === 'app-one') return scene === 'failing' || scene === 'live';
  if (name.startsWith('rule') || name === 'heal-form') return scene === 'failing';
  if (name === 'restart' || name === 'row' || name === 'bad-filter') return scene === 'failing' || scene === 'many';
  if (OPENS[name] || name === 'process' || name === 'running') return scene === 'failing' || scene === 'error';
  if (name === 'dump-memory' || name === 'dump-lists') return scene === 'failing' || scene === 'many' || scene === 'empty';
  if (name === 'dump-reading') return scene === 'failing';
  if (name === 'process-threads' || name === 'process-find') return scene === 'failing' || scene === 'many';
  if (name.startsWith('process-')) return scene === 'many';
  if (name === 'environment-machine') return scene === 'live';
  if (name === 'environment-limits') return scene === 'live' || scene === 'empty';
  return true;
}

async function onePage(browser: Browser, options: ShotsOptions, folder: string, name: PageName, scene: Scene, faults: string[]): Promise<number> {
  const stage = await openStage({ publicDir: join(options.root, 'public'), assetsDir: options.assetsDir, scene });
  const context = await browser.newContext({ viewport: { width: 1_440, height: 1_000 }, timezoneId: 'Europe/Berlin', reducedMotion: 'reduce' });
  const page = await context.newPage();
  const note = (what: string): void => { const line = `${name} · ${scene}: ${what}`; if (!faults.includes(line)) { faults.push(line); options.say(`  ${line}`); } };
  page.on('pageerror', (error) => note(`page error: ${error.message}`));
  // The browser itself reports refused calls and sockets as errors; in these scenes they are the scene.
  const refuses = scene === 'error' || scene === 'stale' || scene === 'signed-out' || scene === 'loading';
  page.on('console', (message) => { if (message.type() === 'error' && !(refuses && /Failed to load resource|WebSocket connection/.test(message.text()))) note(`console: ${message.text()}`); });
  let taken = 0;
  try {
    await page.goto(stage.url + PAGES[name]);
    await settle(page, name, scene);
    for (const { theme, width, forAxe } of looksOf(options, scene, name)) {
      await page.emulateMedia({ colorScheme: theme });
      await page.setViewportSize({ width, height: HEIGHTS[width] ?? 1_000 });
      await frames(page);
      if (forAxe) for (const finding of await axe(page)) note(`axe, ${theme}, ${width} px: ${finding}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) note(`${width} px: the page is ${wide} px too wide`);
      if (options.pictures === false) continue;
      await whole(page, width);
      await page.screenshot({ path: join(folder, `${name}-${scene}-${theme}-${width}.png`) });
      taken += 1;
    }
  } catch (error) {
    note(`could not be shown: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
  } finally {
    await context.close();
    await stage.close();
  }
  return taken;
}

interface LookAt { readonly theme: (typeof THEMES)[number]; readonly width: (typeof WIDTHS)[number]; readonly forAxe: boolean }

/** A page as it is opened first, not a part of one or a dialog: those are looked at by `npm run shots`, and by the tests and journeys of their own. */
const isWhole = (name: PageName): boolean => PAGES[name] !== '' && !/[?/]/.test(PAGES[name]) && OPENS[name] === undefined;

/** Pictures are of every theme and width. Without them each width comes once, and axe looks at every other page in the light, at the rest in the dark of a phone: what it finds wrong on one it mostly finds on its neighbours. */
function looksOf({ pictures }: ShotsOptions, scene: Scene, name: PageName): readonly LookAt[] {
  if (pictures !== false) return THEMES.flatMap((theme) => WIDTHS.map((width) => ({ theme, width, forAxe: width !== 3_840 })));
  const inLight = Object.keys(PAGES).indexOf(name) % 2 === 0;
  const narrow: LookAt = { theme: 'dark', width: 360, forAxe: scene === 'error' || !inLight };
  return scene === 'error' ? [narrow] : [{ theme: 'light', width: 1_440, forAxe: inLight }, narrow, { theme: 'light', width: 3_840, forAxe: false }];
}

/** Waits for what the scene is about: content, its absence said, a failure, the skeleton, or the notice of a lost connection. */
async function settle(page: Page, name: PageName, scene: Scene): Promise<void> {
  await page.waitForSelector(scene === 'signed-out' ? '.sign-in form' : 'main#main', { timeout: 15_000 });
  if (scene !== 'loading' && scene !== 'signed-out') await page.waitForFunction(() => document.querySelectorAll('main .skeleton').length === 0, undefined, { timeout: 15_000 });
  if (scene === 'stale') await page.waitForSelector('.notice.lost', { timeout: 15_000 });
  if (name === 'observe' && scene !== 'loading' && scene !== 'error' && scene !== 'empty') await page.waitForSelector('.uplot', { timeout: 15_000 });
  if (name === 'http' && (scene === 'failing' || scene === 'many')) await page.waitForSelector('.heat .cell', { timeout: 15_000 });
  if (name === 'logs' && !['loading', 'error', 'empty', 'signed-out'].includes(scene)) await page.waitForSelector('.log-in .entry', { timeout: 15_000 });
  if (name === 'dump-reading') await page.waitForSelector('.dump-reading progress', { timeout: 15_000 });
  else if (name.startsWith('dump') && !['loading', 'error', 'signed-out'].includes(scene)) await page.waitForSelector('.dump-why', { timeout: 15_000 });
  const opens = OPENS[name];
  if (opens?.key !== undefined) await page.keyboard.press(opens.key);
  if (opens?.click !== undefined) await page.click(opens.click);
  if (opens) await page.waitForSelector('dialog[open]', { timeout: 15_000 });
  if (opens && scene !== 'loading') await page.waitForFunction(() => document.querySelectorAll('dialog .skeleton').length === 0, undefined, { timeout: 15_000 });
}

/** The page has drawn what its last message brought: two frames, and every chart in view. */
const frames = (page: Page): Promise<void> => page.evaluate(() => new Promise<void>((done) => { requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(() => done()))); }));

/** As tall as the content, so that bars at the bottom of the window stand at the bottom of the picture. */
async function whole(page: Page, width: number): Promise<void> {
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const least = HEIGHTS[width] ?? 1_000;
  if (height > least) await page.setViewportSize({ width, height: Math.min(MAX_HEIGHT, height) });
  await frames(page);
}

interface AxeResult { readonly violations: readonly { readonly id: string; readonly help: string; readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[] }[] }
async function axe(page: Page): Promise<string[]> {
  const there = await page.evaluate(() => 'axe' in globalThis);
  // Through the debugger, not as a script of the page: its CSP allows none of ours.
  if (!there) await page.evaluate(await readFile(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8'));
  const result = await page.evaluate(async () => (globalThis as unknown as { axe: { run(options: object): Promise<unknown> } }).axe.run({ resultTypes: ['violations'] })) as AxeResult;
  return result.violations.map((v) => `${v.id}: ${v.help} (${v.nodes.length} × ${String(v.nodes[0]?.target[0])}; ${v.nodes[0]?.failureSummary?.split('\n')[1]?.trim() ?? ''})`);
}

/** Bytes of everything the landing page loads, each file gzipped. */
async function firstLoad(browser: Browser, options: ShotsOptions): Promise<number> {
  const stage = await openStage({ publicDir: join(options.root, 'public'), assetsDir: options.assetsDir, scene: 'live' });
  const page = await browser.newPage();
  const bodies: Promise<number>[] = [];
  page.on('response', (response) => { if (!response.url().includes('/api/')) bodies.push(response.body().then((b) => gzipSync(b, { level: 9 }).length)); });
  try {
    await page.goto(stage.url);
    await page.waitForSelector('.now .tile .v');
    return (await Promise.all(bodies)).reduce((sum, n) => sum + n, 0);
  } finally {
    await page.close();
    await stage.close();
  }
}

/** A page to leaf through the pictures, one row per page and scene. */
export async function writeIndex(root: string): Promise<void> {
  const folder = join(root, 'artifacts/shots');
  const rows = (Object.keys(PAGES) as PageName[]).flatMap((name) => SCENES.filter((scene) => existsSync(join(folder, `${name}-${scene}-light-1440.png`))).map((scene) => `<h2>${name} · ${scene}</h2>${THEMES.flatMap((t) => WIDTHS.map((w) => `<a href="${name}-${scene}-${t}-${w}.png"><img loading="lazy" height="240" src="${name}-${scene}-${t}-${w}.png" alt="${t} ${w}"></a>`)).join('\n')}`));
  await writeFile(join(folder, 'index.html'), `<!doctype html><meta charset="utf-8"><title>Shots</title>${rows.join('\n')}`);
}
