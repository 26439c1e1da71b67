// Owns the real thing for tests of diagnosers: a home with real logs, a real victim as its site, the real platform, store and observer.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DiagnoserChoice, Session } from '../../src/shared/model.ts';
import { openPlatform } from '../../src/platform/choose.ts';
import type { Platform } from '../../src/platform/platform.ts';
import { openLogs } from '../../src/observe/logs/index.ts';
import { startObserver, type Observer } from '../../src/observe/observer.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { analyzers } from '../../src/analyze/analyzers/index.ts';
import { diagnosers } from '../../src/analyze/diagnosers/index.ts';
import { createSessions, type Sessions } from '../../src/analyze/session.ts';
import { victim, type Victim } from '../support/victim.ts';

/** In the environment and on the command line, and repeated in every log: must never come out. */
export const MARKER = 'Mk7-marker/secret+value%41';
/** Nowhere but on the command line. */
export const PASSWORD = 'Pw9-command-line';

export interface RealWorld {
  readonly home: string;
  readonly platform: Platform;
  readonly store: Store;
  readonly observed: Observer;
  readonly victim: Victim;
  readonly sessions: Sessions;
  put(path: string, content: string | Buffer): Promise<string>;
  /** Runs one session to its end. */
  diagnose(choices?: readonly DiagnoserChoice[], more?: { minutes?: number }): Promise<Session>;
  /** The bytes of an artifact, by its name. */
  read(session: Session, name: string): Promise<string>;
  close(): Promise<void>;
}

export interface RealSettings { readonly env?: Readonly<Record<string, string>>; readonly program?: string; readonly noVictim?: true; /** Further processes of the site. */ readonly also?: readonly number[]; readonly artifactBytes?: number; /** The file: the victim carries it, and reports to this home. */ readonly preload?: string }

export async function realWorld(settings: RealSettings = {}): Promise<RealWorld> {
  const top = await mkdtemp(join(tmpdir(), 'diagnosers-'));
  const home = join(top, 'home');
  const site = { WEBSITE_SITE_NAME: 'shop', WEBSITE_INSTANCE_ID: `a1b2c3${'0'.repeat(58)}` };
  const inside = settings.preload === undefined ? {} : { ...site, DIAG_HOME: home, NODE_OPTIONS: `--require=${settings.preload}` };
  const target = await victim({ env: { API_SECRET: MARKER, GREETING: 'hello', ...inside, ...settings.env }, args: ['--label', MARKER, '--password', PASSWORD], nodeOptions: ['--inspect-port=0'] });
  const env = { ...site, PATH: process.env['PATH'], HOME: process.env['HOME'] };
  const platform = await openPlatform({ home, env, temp: join(top, 'temp'), processes: { pids: [...settings.noVictim ? [] : [target.pid], ...settings.also ?? []] } });
  const store = await openStore({ platform, limits: settings.artifactBytes === undefined ? {} : { artifactBytes: settings.artifactBytes } });
  const ending = new AbortController();
  const observed = await startObserver({ platform, store, logs: openLogs({ platform }), signal: ending.signal });
  const put = async (path: string, content: string | Buffer): Promise<string> => {
    const file = join(home, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    return file;
  };
  const sessions = createSessions({ platform, store, observed, diagnosers, analyzers, toolVersion: '9.9.9', reportCss: 'body{}' });
  return {
    home, platform, store, observed, victim: target, sessions,
    put,
    async diagnose(choices, more = {}) {
      return (await sessions.start({ askedBy: 'test', ...(choices && { diagnosers: choices }), ...more })).done;
    },
    async read(session, name) {
      const ref = session.artifacts.find((a) => a.name === name);
      if (!ref) throw new Error(`no ${name} among ${session.artifacts.map((a) => a.name).join(', ')}`);
      return readFile(await store.artifacts.path(ref), 'utf8');
    },
    async close() {
      sessions.active()?.cancel();
      await sessions.idle();
      ending.abort();
      await observed.stopped;
      await store.close();
      platform.close();
      await target.stop();
      await rm(top, { recursive: true, force: true });
    },
  };
}

export const FIELDS = '#Fields: date time s-sitename cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken';

export function httpRow(at: number, more: { path?: string; query?: string; cookie?: string; referer?: string; status?: string } = {}): string {
  const [date, time] = new Date(at).toISOString().slice(0, 19).split('T');
  return `${date} ${time} SHOP GET ${more.path ?? '/cart'} ${more.query ?? '-'} 443 - 10.0.0.1 Mozilla/5.0 ${more.cookie ?? '-'} ${more.referer ?? '-'} shop.azurewebsites.net ${more.status ?? '200 0 0'} 100 200 5`;
}

export const httpFile = (rows: readonly string[]): string => `#Software: Microsoft Internet Information Services 8.0\r\n${FIELDS}\r\n${rows.map((r) => `${r}\r\n`).join('')}`;

export const eventXml = (events: readonly { at: number; id: number; text: string }[]): string =>
  `<Events>${events.map((e, i) => `<Event><System><Provider Name="HttpPlatformHandler"/><EventID>${e.id}</EventID><Level>1</Level><TimeCreated SystemTime="${new Date(e.at).toISOString()}"/><EventRecordID>${i}</EventRecordID><Computer>RD1</Computer></System><EventData><Data>${e.text}</Data></EventData></Event>`).join('')}</Events>`;
