// Owns an agent under test as Kudu's clients meet it: really listening, with its token as the password of Basic authentication, and npm's kudu-api led to it.
import { createRequire } from 'node:module';
import { request as plainRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startAgent, type Agent } from '../../src/agent/agent.ts';
import { configOf } from '../../src/agent/config.ts';
import { listen } from '../../src/server/listen.ts';
import { layHome, TOKEN } from './agent.ts';
import { victim, type Victim, type VictimOptions } from './victim.ts';

const root = resolve(import.meta.dirname, '../..');
/** The client's own form of an address: it takes the site's name only. */
const SITE = 'shop';
const KUDU_HOST = `${SITE}.scm.azurewebsites.net`;

export interface KuduUnderTest {
  readonly agent: Agent;
  readonly victim: Victim;
  readonly home: string;
  /** "http://127.0.0.1:port" */
  readonly origin: string;
  readonly authorization: string;
  ask(path: string, init?: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array }): Promise<Asked>;
  stop(): Promise<void>;
}
export interface Asked { readonly status: number; readonly headers: Headers; readonly bytes: Buffer; readonly text: string; json(): unknown }

export async function kuduUnderTest(options: Pick<VictimOptions, 'nodeOptions' | 'env'> & { variables?: Record<string, string> } = {}): Promise<KuduUnderTest> {
  const top = await mkdtemp(join(tmpdir(), 'kudu-test-'));
  const home = join(top, 'home');
  await layHome(home, Date.now());
  const worker = await victim({ ...options, env: { SECRET_KEY: 'marker-secret-value-1234', GREETING: 'hello', APPSETTING_COLOUR: 'green', ...options.env } });
  const config = configOf({ DIAG_HOME: home, DIAG_TOKEN: TOKEN, DIAG_HOSTS: KUDU_HOST, DIAG_PROCESSES: String(worker.pid), PORT: '0', PATH: process.env['PATH'], ...options.variables });
  const agent = await startAgent(config, { reportCss: join(root, 'public/report.css') });
  const listening = await listen(agent, join(root, 'public'));
  const { origin } = new URL(listening.url);
  const authorization = `Basic ${Buffer.from(`$anyone:${TOKEN}`).toString('base64')}`;
  return {
    agent, victim: worker, home, origin, authorization,
    async ask(path, init = {}) {
      const answer = await fetch(`${origin}${path}`, { redirect: 'manual', ...init as RequestInit, headers: { authorization, ...init.headers } });
      const bytes = Buffer.from(await answer.arrayBuffer());
      const text = bytes.toString('utf8');
      return { status: answer.status, headers: answer.headers, bytes, text, json: () => JSON.parse(text) as unknown };
    },
    async stop() {
      await listening.close();
      await agent.stop();
      await worker.stop();
      await rm(top, { recursive: true, force: true });
    },
  };
}

type Done<T> = (error: unknown, value: T, response: IncomingMessage) => void;
/** What of kudu-api is used here; it has no types of its own. */
export interface KuduApi {
  readonly command: { exec(command: string, dir: string, done: Done<{ Output: string; Error: string; ExitCode: number }>): void };
  readonly vfs: {
    getFile(path: string, done: Done<string>): void;
    listFiles(path: string, done: Done<{ name: string; mime: string; size: number; href: string; path: string }[]>): void;
    uploadFile(local: string, to: string, etag: string, done: (error: unknown, response: IncomingMessage) => void): void;
    uploadFile(local: string, to: string, done: (error: unknown, response: IncomingMessage) => void): void;
    createDirectory(path: string, done: Done<string>): void;
    deleteFile(path: string, etag: string, done: Done<string>): void;
    deleteFile(path: string, done: Done<string>): void;
    deleteDirectory(path: string, done: Done<string>): void;
  };
  readonly zip: { download(from: string, to: string, done: (error: unknown, response: IncomingMessage) => void): void; upload(from: string, to: string, done: Done<string>): void };
  readonly environment: { get(done: Done<{ version: string; siteLastModified: string }>): void };
  readonly settings: Store<string>;
  readonly diagnostics: Store<unknown>;
  readonly dump: { download(to: string, done: (error: unknown, response: IncomingMessage) => void): void };
  readonly logs: { recent(query: { top?: number }, done: Done<{ timestamp: string; level: string; pid?: number; message: string }[]>): void };
}
interface Store<V> {
  list(done: Done<Record<string, V>>): void;
  get(key: string, done: Done<V>): void;
  del(key: string, done: Done<string>): void;
  set(values: Record<string, V>, done: Done<string>): void;
}

/** The client as npm has it. It insists on https and on Azure's host name: what is put in its way is the socket, and nothing of its own. */
export function clientOf(kudu: KuduUnderTest): { readonly api: KuduApi; restore(): void } {
  const original = https.request;
  const { hostname, port } = new URL(kudu.origin);
  https.request = ((options: { method?: string; headers?: Record<string, string>; path?: string }, done?: (res: IncomingMessage) => void) => plainRequest({ hostname, port, method: options.method ?? 'GET', path: options.path ?? '/', headers: { ...options.headers, host: KUDU_HOST } }, done)) as typeof https.request;
  const load = createRequire(import.meta.url)('kudu-api') as (options: { website: string; username: string; password: string }) => KuduApi;
  return { api: load({ website: SITE, username: '$shop', password: TOKEN }), restore: () => { https.request = original; } };
}

/** The last thing that a callback of the client brings is the response. */
export function called<T>(call: (done: Done<T>) => void): Promise<{ readonly value: T; readonly status: number }> {
  return new Promise((resolve, reject) => {
    call((error, value, response) => { if (error instanceof Error) reject(error); else resolve({ value: error === null || error === undefined ? value : error as T, status: (response as IncomingMessage | undefined)?.statusCode ?? 0 }); });
  });
}
