// Owns the browser of the journeys: headless Chromium that counts every console error and every request that leaves the machine.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Git-ignored; CI keeps it as an artifact. */
export const SHOTS = resolve(import.meta.dirname, '../../artifacts/journeys');

/** Why the browser part of a journey is skipped; undefined = it is not. In CI it never is: it fails instead. */
export function noBrowser(): string | undefined {
  if (PROGRAMS.some((p) => existsSync(p)) || process.env['CI'] === 'true') return undefined;
  return 'SKIPPED: no Chromium on this machine (Debian: apt-get install chromium)';
}

export interface Tab { readonly page: Page; readonly faults: readonly string[]; shot(name: string): Promise<void>; close(): Promise<void> }

export async function openBrowser(): Promise<Browser> {
  const executablePath = PROGRAMS.find((p) => existsSync(p));
  if (!executablePath) throw new Error('no Chromium: install the Debian package chromium');
  return chromium.launch({ executablePath, args: ARGS });
}

/** A fresh tab; `faults` collects console errors, page errors and requests to foreign addresses. */
export async function openTab(browser: Browser, options: { offline?: boolean; width?: number; height?: number; dark?: boolean } = {}): Promise<Tab> {
  const context = await browser.newContext({ viewport: { width: options.width ?? 1440, height: options.height ?? 1060 }, colorScheme: options.dark ? 'dark' : 'light', offline: options.offline ?? false });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => { if (message.type() === 'error') faults.push(`console: ${message.text()} ${message.location().url}`.trim()); });
  page.on('pageerror', (error) => { faults.push(`page: ${error.message}`); });
  page.on('request', (request) => { if (!/^(https?:\/\/127\.0\.0\.1|wss?:\/\/127\.0\.0\.1|data:|blob:|file:|about:)/.test(request.url())) faults.push(`foreign request: ${request.url()}`); });
  return {
    page, faults,
    async shot(name) {
      await mkdir(SHOTS, { recursive: true });
      await page.screenshot({ path: join(SHOTS, `${name}.png`) });
    },
    close: () => context.close(),
  };
}
