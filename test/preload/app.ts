// Owns running an app with and without the preload: what it said, what it answered, how it ended.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPreload } from '../../scripts/build-preload.ts';
import { waitFor } from '../support/wait.ts';
import { announced, listenTo, question, type Heard } from './asking.ts';
import { root } from './nodes.ts';

export interface Answered { readonly status: number; readonly headers: unknown; readonly body: string }
export interface Ran { readonly out: string; readonly err: string; readonly code: number | null; readonly signal: string | null; readonly answers: readonly Answered[] }

export interface Bench { readonly preload: string; readonly folder: string; close(): Promise<void> }

/** The preload as the build makes it, in a folder of the test's own. */
export async function openBench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'preload-test-'));
  await buildPreload(root, join(folder, 'dist'), '0.0.0-test');
  return { preload: join(folder, 'dist/preload.js'), folder, close: () => rm(folder, { recursive: true, force: true }) };
}

/** A site's own variables: the test run's do not reach the app. */
export function siteEnv(home: string): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: home, DIAG_HOME: home, WEBSITE_SITE_NAME: 'shop', WEBSITE_INSTANCE_ID: `${'ab'.repeat(3)}${'0'.repeat(58)}` };
}

export function ask(port: number, path: string, { method = 'GET', body }: { method?: string; body?: string } = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; }).on('end', () => {
        const { date: _date, ...headers } = answer.headers;
        resolve({ status: answer.statusCode ?? 0, headers, body: text });
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

export interface Run { readonly program: string; readonly args: readonly string[]; readonly preload?: string; readonly asks: readonly string[]; readonly listened?: boolean; readonly env?: Readonly<Record<string, string>> }

/** Runs to the end: the last address asked for must be one that ends the app. `listened`: with the preload, somebody listens and has requests followed. */
export async function run({ program, args, preload, asks, listened = false, env = {} }: Run): Promise<Ran> {
  const home = await mkdtemp(join(tmpdir(), 'preload-home-'));
  const portFile = join(home, `port-${randomBytes(4).toString('hex')}`);
  const child = spawn(program, args, { cwd: home, env: { ...siteEnv(home), PORT_FILE: portFile, ...env, ...(preload === undefined ? {} : { NODE_OPTIONS: `--require=${preload}` }) }, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { out += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { err += text; });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => { child.on('close', (code, signal) => { resolve({ code, signal }); }); });
  let over = false;
  void ended.then(() => { over = true; });
  const answers: Answered[] = [];
  let heard: Heard | undefined;
  try {
    const port = await waitFor('the app to serve or to end', async () => (over ? -1 : Number(await readFile(portFile, 'utf8'))), 60_000);
    if (port > 0 && listened && preload !== undefined) heard = await heardFrom(join(home, 'data/DaaS/diag/apps/ababab'));
    if (port > 0) for (const path of asks) answers.push(await ask(port, path, path.startsWith('/post') ? { method: 'POST', body: 'some text' } : {}));
    const end = await ended;                                   // first: what is said after the last answer belongs to it too
    return { out, err: err.replaceAll(String(child.pid), 'PID').replaceAll(/0x[0-9a-f]+/g, '0x'), ...end, answers };
  } finally {
    heard?.close();
    child.kill('SIGKILL');
    await rm(home, { recursive: true, force: true });
  }
}

async function heardFrom(folder: string): Promise<Heard> {
  const app = await waitFor('the app to announce itself', () => announced(folder), 60_000);
  const heard = listenTo(app);
  await question(app, { what: 'follow', forS: 60 });
  await waitFor('a tick', () => heard.ticks.length > 0, 60_000);
  return heard;
}
