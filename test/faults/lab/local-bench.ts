// Owns a run of a fault behind the local App Service: home, agent, front end, worker, traffic, then Diagnose now and what it collected.
import { cp, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deploy } from '../../../scripts/local/deployment.ts';
import { openHome, type Home } from '../../../scripts/local/home.ts';
import { checkout, launch, SITE_NAME, type Launched } from '../../../scripts/local/launcher.ts';
import { defaultLimits } from '../../../scripts/local/limits.ts';
import { header, rowFileName, rowText } from '../../../scripts/local/w3c.ts';
import type { Placed } from '../../../src/analyze/readers.ts';
import { connect } from '../../../src/shared/connect.ts';
import { Rule } from '../../../src/shared/rules.ts';
import type { ArtifactRef } from '../../../src/shared/model.ts';
import { rows as rowsIn } from '../../local/support.ts';
import { freePort } from '../../support/free-port.ts';
import { waitFor } from '../../support/wait.ts';
import type { Asked, History, LabSite, LocalFault } from './fault.ts';
import { recordingOf, type Recording } from './recording.ts';
import { get, load } from './traffic.ts';

const AGENT = join(checkout, 'dist', 'main.js');
const TOKEN = 'a-token-for-tests-only';
/** A person reads the error before the button is found; the observer looks at processes once a second. */
const TO_THE_BUTTON_MS = 2_500;
const ROWS_LATE_MS = 5_000;
const REPORT_MS = 120_000;
const REPLACED_MS = 60_000;
const ASK_AGAIN_MS = 150;

export interface Ran { readonly recording: Recording; readonly tookMs: number }

/** Everything that it starts has ended when it resolves or rejects. */
export async function runLocal(fault: LocalFault): Promise<Ran> {
  const folder = await mkdtemp(join(tmpdir(), 'faults-'));
  const ends: (() => Promise<void> | void)[] = [() => rm(folder, { recursive: true, force: true, maxRetries: 3 })];
  try {
    const home = await openHome(join(folder, 'home'));
    const site = new Site(folder, home, await freePort());
    ends.unshift(() => site.quiet());
    await layApp(fault, home.wwwroot);
    if (fault.history) await layHistory(home, fault.history);
    if (fault.before) ends.unshift(await fault.before(site));
    await layStart(fault, site, home.wwwroot);
    const launched = await raise(fault, site);
    ends.unshift(() => launched.stop());
    await fault.run(site);
    await site.settled();
    return await diagnoseNow(fault, launched, home);
  } finally {
    for (const end of ends) await end();
  }
}

async function layApp(fault: LocalFault, wwwroot: string): Promise<void> {
  await mkdir(wwwroot, { recursive: true });
  await cp(join(import.meta.dirname, '..', fault.app, 'app.cjs'), join(wwwroot, 'server.js'));
}

/** The start line stands in package.json, as the owner of an app would write it. */
async function layStart(fault: LocalFault, site: Site, wwwroot: string): Promise<void> {
  const variables = Object.entries(fault.env?.(site) ?? {}).map(([name, value]) => `${name}='${value}'`).join(' ');
  if (fault.start === undefined && variables === '') return;
  await writeFile(join(wwwroot, 'package.json'), JSON.stringify({ private: true, scripts: { start: `${variables === '' ? '' : `export ${variables}; `}${fault.start ?? 'exec node server.js'}` } }));
}

/** Minutes in which all was well, written and not waited for. */
async function layHistory(home: Home, { minutes, routes }: History): Promise<void> {
  const to = Date.now() - 1_000, from = to - minutes * 60_000;
  const rows: { at: number; text: string }[] = [];
  routes.forEach(({ path, takenMs, everyMs }, r) => {
    for (let n = 0, at = from; at < to; n += 1, at += everyMs) rows.push({ at, text: rowText(SITE_NAME, { at, method: 'GET', stem: path, query: undefined, port: 443, client: `203.0.113.${1 + ((n + r) % 40)}`, userAgent: 'Mozilla/5.0', cookie: undefined, referer: undefined, host: 'shop.example', arrLogId: `0f8fad5b-d9cb-469f-a165-${String(n + r * 100_000).padStart(12, '0')}`, status: 200, substatus: 0, win32: 0, sentBytes: 512, receivedBytes: 300, takenMs: Math.round(takenMs * (0.8 + ((n * 7 + r) % 10) / 25)) }) });
  });
  rows.sort((a, b) => a.at - b.at);
  await writeFile(join(home.rawLogs, rowFileName(home.instance.id, from)), header(from) + rows.map((row) => row.text).join(''));
}

async function raise(fault: LocalFault, site: Site): Promise<Launched> {
  const app = join(site.home, 'site/wwwroot');
  const launched = await launch({
    home: site.home, app, port: Number(new URL(site.url).port), limits: { ...defaultLimits, ...fault.limits }, traffic: false, agent: { file: AGENT, port: await freePort(), token: TOKEN },
    say: () => undefined, onOpen: () => undefined, onGivenUp: () => undefined, signal: new AbortController().signal,
  });
  site.launched = launched;
  return launched;
}

const asked = ({ diagUrl = '' }: Launched): ReturnType<typeof connect> => connect(diagUrl, fetch as Parameters<typeof connect>[1], { authorization: `Bearer ${TOKEN}` });

async function diagnoseNow(fault: LocalFault, launched: Launched, home: Home): Promise<Ran> {
  const diag = asked(launched);
  const clicked = performance.now();
  const { diagnosers } = await diag.diagnosers();
  const { session } = await diag.startSession({ body: { diagnosers: diagnosers.filter((d) => d.preselected && d.id !== 'memory-dump').map(({ id }) => ({ id })), minutes: 15, reason: 'lab' } });
  const { artifacts } = await waitFor('the report', async () => { const one = await diag.session({ params: { session } }); return one.report ? one : undefined; }, REPORT_MS);
  const tookMs = performance.now() - clicked;
  const { window } = await diag.sessionReport({ params: { session } });
  const recording = await recordingOf(fault.name, window, await placedIn(home, artifacts));
  return { tookMs, recording: fault.row === undefined ? recording : { ...recording, files: recording.files.map((file) => (file.kind === 'http-log' ? { ...file, text: changed(file.text, fault.row!) } : file)) } };
}

/** Where the agent keeps the files of its sessions. */
async function placedIn(home: Home, refs: readonly ArtifactRef[]): Promise<Placed[]> {
  const names = (await readdir(join(home.root, 'data'), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  return refs.flatMap((ref) => { const entry = names.find((one) => one.name === ref.name && one.path.includes(ref.session)); return entry ? [{ ref, path: join(entry.path, entry.name) }] : []; });
}

/** Each row by the names of its columns, and back. */
function changed(text: string, row: (fields: Record<string, string>) => void): string {
  let names: string[] = [];
  return text.split('\r\n').map((line) => {
    if (line.startsWith('#Fields: ')) names = line.slice(9).split(' ');
    if (line.startsWith('#') || line === '') return line;
    const fields = Object.fromEntries(line.split(' ').map((word, i) => [names[i] ?? '', word]));
    row(fields);
    return names.map((name) => fields[name]).join(' ');
  }).join('\r\n');
}

class Site implements LabSite {
  readonly url: string;
  readonly home: string;
  readonly folder: string;
  readonly #home: Home;
  readonly #values = new Map<string, string>();
  launched: Launched | undefined;
  #asked = 0;
  readonly #going: Promise<void>[] = [];
  readonly #enough = new AbortController();

  constructor(folder: string, home: Home, port: number) {
    this.folder = folder;
    this.home = home.root;
    this.#home = home;
    this.url = `http://127.0.0.1:${port}`;
  }

  get(path: string, asked?: Asked): Promise<number> {
    this.#asked += 1;
    return get(new URL(path, this.url), asked);
  }

  load(plan: Parameters<LabSite['load']>[0]): Promise<void> {
    this.#asked += Math.ceil(plan.forMs / plan.everyMs);
    return load(this.url, plan);
  }

  onwards(plan: Parameters<LabSite['onwards']>[0]): void {
    this.#going.push(load(this.url, { ...plan, forMs: REPORT_MS }, this.#enough.signal));
  }

  /** Ends what goes on. */
  async quiet(): Promise<void> {
    this.#enough.abort();
    await Promise.all(this.#going);
  }

  pid(): number | undefined { return this.launched?.workerPid(); }

  replaced(old: number | undefined): Promise<number> {
    return waitFor('another worker that answers', async () => {
      const pid = this.pid();
      if (pid === undefined || pid === old) return undefined;
      await sleep(ASK_AGAIN_MS);
      const status = await this.get('/');
      return status > 0 && status < 500 ? pid : undefined;
    }, REPLACED_MS);
  }

  async recycle(): Promise<void> {
    const config = join(this.#home.wwwroot, 'web.config');
    await writeFile(config, '<configuration/>\n', { flag: 'a' });
    await utimes(config, new Date(), new Date());
  }

  async rule(rule: Parameters<LabSite['rule']>[0]): Promise<void> {
    if (!this.launched) throw new Error('no agent yet');
    const diag = asked(this.launched);
    const { version } = await diag.rules();
    await diag.putRule({ params: { rule: rule.id }, body: { rule: Rule.parse(rule), version } });
  }

  async deploy(files: Readonly<Record<string, string>>, message: string): Promise<void> {
    const source = join(this.folder, `deployment-${Date.now()}`);
    await cp(this.#home.wwwroot, source, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(source, name), text);
    await writeFile(join(source, 'web.config'), `<configuration><!-- ${message} --></configuration>\n`);
    await deploy(source, this.#home, message);
  }

  async rows(signature: string): Promise<number> {
    return (await rowsIn(this.home)).filter((r) => `${r['sc-status']}.${r['sc-substatus']}.${r['sc-win32-status']}` === signature).length;
  }

  value(name: string): string { return this.#values.get(name) ?? ''; }
  set(name: string, value: string): void { this.#values.set(name, value); }

  /** All that was asked stands in the log, and the observer has looked since. */
  async settled(): Promise<void> {
    const began = performance.now();
    while ((await rowsIn(this.home)).length < this.#asked && performance.now() - began < ROWS_LATE_MS) await sleep(100);
    await sleep(TO_THE_BUTTON_MS);
  }
}
