// Owns a whole system for journeys: local App Service, built agent, typed client, the CLI, and a signed-in browser tab.
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { startLocalAppService, type LocalAppService, type LocalOptions } from '../../scripts/local/index.ts';
import { connect, type Diag } from '../../src/shared/connect.ts';
import { openTab, type Tab } from './browser.ts';

const root = resolve(import.meta.dirname, '../..');

export interface Running { lines(): readonly string[]; stop(): Promise<number | null> }
export interface Ran { readonly code: number | null; readonly stdout: string; readonly stderr: string }
export interface System extends LocalAppService {
  readonly diag: Diag;
  /** The built command, against this agent. */
  cli(...args: readonly string[]): Promise<Ran>;
  /** The same, running on: its lines of stdout so far, and its end by Ctrl+C. */
  cliStart(...args: readonly string[]): Running;
  /** A request to the site, a POST when it has a form; its status, or 0 when the connection broke. */
  get(path: string, form?: Readonly<Record<string, string>>): Promise<number>;
  signIn(browser: Browser, options?: Parameters<typeof openTab>[1]): Promise<Tab>;
}

export async function startSystem(options: LocalOptions = {}): Promise<System> {
  process.env['DIAG_STATUS_FEED'] ??= 'off';                     // tests ask nobody outside
  const local = await startLocalAppService({ ...options, agent: true });
  const headers = { authorization: `Bearer ${local.token}` };
  return {
    ...local,
    diag: connect(local.diagUrl, fetch as Parameters<typeof connect>[1], headers),
    cli: (...args) => command([...args, '--url', local.diagUrl, '--token', local.token]),
    cliStart: (...args) => commandStart(...args, '--url', local.diagUrl, '--token', local.token),
    get: (path, form) => request(new URL(path, local.siteUrl), form),
    async signIn(browser, tabOptions) {
      const tab = await openTab(browser, tabOptions);
      // The cookie comes before the first visit: a refused visit would stand in the console as an error.
      const answer = await tab.page.context().request.post(`${local.diagUrl}/api/login`, { headers: { 'x-diag': '1' }, data: { token: local.token } });
      if (!answer.ok()) throw new Error(`sign-in answered ${answer.status()}`);
      return tab;
    },
  };
}

/** A request to a site, a POST when it has a form; its status, or 0 when the connection broke. */
export async function request(url: URL, form?: Readonly<Record<string, string>>): Promise<number> {
  try {
    const answer = await fetch(url, form ? { method: 'POST', body: new URLSearchParams(form) } : {});
    await answer.arrayBuffer();
    return answer.status;
  } catch (error) {
    if (error instanceof TypeError) return 0;
    throw error;
  }
}

/** Runs dist/cli.js to its end. */
export function command(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [join(root, 'dist/cli.js'), ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
    child.on('error', failed);
    child.on('close', (code) => { done({ code, stdout, stderr }); });
  });
}

export function commandStart(...args: readonly string[]): Running {
  const child = spawn(process.execPath, [join(root, 'dist/cli.js'), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
  const ended = new Promise<number | null>((done) => { child.on('close', (code) => { done(code); }); });
  return {
    lines: () => stdout.split('\n').slice(0, -1),
    stop() { child.kill('SIGINT'); return ended; },
  };
}
