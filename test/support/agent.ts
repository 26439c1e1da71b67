// Owns an agent under test: a real one over a home of its own with real logs, a real victim as its site, and its app without a port.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Express } from 'express';
import { startAgent, type Agent } from '../../src/agent/agent.ts';
import { configOf } from '../../src/agent/config.ts';
import { createApp } from '../../src/server/app.ts';
import { createGuard, type Guard } from '../../src/server/guard.ts';
import { checkAnswers } from '../../src/server/mount.ts';
import { victim, type Victim, type VictimOptions } from './victim.ts';

export const TOKEN = 'a-token-for-tests-only';
const root = resolve(import.meta.dirname, '../..');

export interface AgentUnderTest {
  readonly agent: Agent;
  readonly app: Express;
  readonly guard: Guard;
  readonly victim: Victim;
  readonly home: string;
  stop(): Promise<void>;
}

const FIELDS = '#Fields: date time s-sitename cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken';

/** One W3C row as App Service writes it. */
export function w3cRow(at: number, path: string, status: string, takenMs: number): string {
  const [date, time] = new Date(at).toISOString().slice(0, 19).split('T');
  const [code, sub, win32] = status.split('.');
  return `${date} ${time} SHOP GET ${path} X-ARR-LOG-ID=0f8fad5b-d9cb-469f-a165-70867728950e 80 - 10.0.0.1 Mozilla/5.0 - - shop.example ${code} ${sub} ${win32} 512 200 ${takenMs}`;
}

/** A home with a minute of HTTP log (three failures), an application log with a crash, an event log and a deployment. */
export async function layHome(home: string, now: number): Promise<void> {
  const logs = join(home, 'LogFiles');
  await mkdir(join(logs, 'http', 'RawLogs'), { recursive: true });
  await mkdir(join(logs, 'Application'), { recursive: true });
  await mkdir(join(home, 'site', 'deployments', 'abc123'), { recursive: true });
  const rows = Array.from({ length: 60 }, (_, i) => w3cRow(now - 60_000 + i * 1_000, i % 20 === 7 ? '/cart/apply' : `/products/${i}`, i % 20 === 7 ? '502.3.12030' : '200.0.0', 20 + i));
  await writeFile(join(logs, 'http', 'RawLogs', 'a1b2c3-202611210200.log'), `#Software: Microsoft Internet Information Services 8.0\r\n${FIELDS}\r\n${rows.join('\r\n')}\r\n`);
  await writeFile(join(logs, 'Application', 'RD0001-4711-stderr-1700000000000.txt'), `${new Date(now - 30_000).toISOString()} error payment failed password=hunter2hunter2\nTypeError: Cannot read properties of undefined (reading 'percent')\n    at applyVoucher (/home/site/wwwroot/lib/cart.js:41:27)\n    at /home/site/wwwroot/server.js:88:5\n`);
  await writeFile(join(logs, 'eventlog.xml'), `<Events><Event><System><Provider Name="HttpPlatformHandler"/><EventID>1002</EventID><Level>1</Level><TimeCreated SystemTime="${new Date(now - 30_000).toISOString()}"/><EventRecordID>7</EventRecordID><Computer>RD0001</Computer></System><EventData><Data>Process '4711' listening on port '21453' crashed with exit code '1'.</Data></EventData></Event></Events>`);
  await writeFile(join(home, 'site', 'deployments', 'abc123', 'status.xml'), `<?xml version="1.0"?><deployment><id>abc123</id><author>someone</author><deployer>zip</deployer><message>apply vouchers</message><status>Success</status><startTime>${new Date(now - 120_000).toISOString()}</startTime><endTime>${new Date(now - 110_000).toISOString()}</endTime><is_temp>False</is_temp></deployment>`);
}

/** Starts everything, the victim with these variables and arguments besides; `stop` ends and removes it all. Answers are checked against the contract. */
export async function agentUnderTest(options: Pick<VictimOptions, 'nodeOptions' | 'env' | 'args'> = {}): Promise<AgentUnderTest> {
  const top = await mkdtemp(join(tmpdir(), 'agent-test-'));
  const home = join(top, 'home');
  await layHome(home, Date.now());
  const worker = await victim({ ...options, env: { SECRET_KEY: 'marker-secret-value-1234', GREETING: 'hello', ...options.env } });
  const config = configOf({ DIAG_HOME: home, DIAG_TOKEN: TOKEN, DIAG_STATUS_FEED: 'off', DIAG_PROCESSES: String(worker.pid), PORT: '0', PATH: process.env['PATH'] });
  const agent = await startAgent(config, { reportCss: join(root, 'public/report.css') });
  const guard = createGuard({ auth: config.auth, token: agent.token, hosts: config.hosts, base: config.base });
  checkAnswers(true);
  const app = createApp({ agent, guard, base: config.base, publicDir: join(root, 'public') });
  return {
    agent, app, guard, victim: worker, home,
    async stop() {
      await agent.stop();
      await worker.stop();
      await rm(top, { recursive: true, force: true });
    },
  };
}
