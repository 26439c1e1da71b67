// Owns a whole system on Windows for journeys: the built agent behind an iisnode-like proxy on a pipe below /diag, and the demo app with the preload as its worker.
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { connect } from '../../src/shared/connect.ts';
import type { Walked } from './steps.ts';
import { command, request } from './system.ts';
import { startWindowsHost, type WindowsHost, type WindowsProgram } from './windows.ts';
import { waitFor } from './wait.ts';
import { pipeName, type Folder } from './wine.ts';

const root = resolve(import.meta.dirname, '../..');

export interface WindowsSystem extends Walked {
  readonly host: WindowsHost;
  readonly siteUrl: string;
  /** The home as Linux sees it. */
  readonly home: string;
  readonly instance: string;
  readonly agent: WindowsProgram;
  stop(): Promise<void>;
}

export interface WindowsSystemOptions {
  /** Starts this package instead of the built program as it lies in dist/: a Windows path of its folder, and its entry. */
  readonly program?: { readonly entry: string; readonly cwd: string };
}

export async function startWindowsSystem(options: WindowsSystemOptions = {}): Promise<WindowsSystem> {
  const host = await startWindowsHost();
  const [home, staged] = await Promise.all([layHome(host), options.program === undefined ? stage(host) : undefined]);
  const instance = randomBytes(32).toString('hex');
  const [diagPipe, sitePipe] = [pipeName(), pipeName()];
  const marks = { HOME: home.windows, WEBSITE_SITE_NAME: 'shop', WEBSITE_INSTANCE_ID: instance, WEBSITE_HOSTNAME: 'shop.azurewebsites.net', WEBSITE_SKU: 'Standard', WEBSITE_NODE_DEFAULT_VERSION: '~20', REGION_NAME: 'North Europe' };
  const program = options.program ?? { entry: `${staged?.windows}\\dist\\main.js`, cwd: staged?.windows ?? '' };
  const worker = await keepWorker(host, { ...marks, PORT: sitePipe, WEBSITE_IIS_SITE_NAME: 'shop', APP_POOL_ID: 'shop', NODE_OPTIONS: `--require=${program.cwd}\\dist\\preload.js` }, `${home.windows}\\site\\wwwroot`);
  const agent = await host.start([program.entry], { cwd: program.cwd, env: { ...marks, PORT: diagPipe, WEBSITE_IIS_SITE_NAME: '~1shop', APP_POOL_ID: '~1shop', IISNODE_VERSION: '0.2.26', WEBSITE_COUNTERS_APP: COUNTERS } });
  const [diagProxy, siteProxy] = await Promise.all([host.proxy({ to: diagPipe, below: '/diag' }), host.proxy({ to: sitePipe })]);
  const diagUrl = `http://127.0.0.1:${diagProxy.port}/diag`;
  const siteUrl = `http://127.0.0.1:${siteProxy.port}`;
  // The guard asks for the header that a page of another site cannot send.
  const diag = connect(diagUrl, fetch as Parameters<typeof connect>[1]);
  await waitFor('the agent to answer on its pipe', async () => (await diag.alive()).name === 'diag', 60_000).catch((error: unknown) => { throw new Error(`${String(error)}\n${agent.stdout()}\n${agent.stderr()}`); });
  return {
    host, diag, diagUrl, siteUrl, agent, instance,
    home: home.linux,
    pid: () => worker.pid(),
    get: (path, form) => request(new URL(path, siteUrl), form),
    cli: (...args) => command([...args, '--url', diagUrl]),
    async stop() {
      worker.leave();
      await host.close();
      await home.remove();
      await staged?.remove();
    },
  };
}

/** Text as App Service computes it, with the leftovers of a longer one behind its end. */
const COUNTERS = '{"userTime":156250,"kernelTime":625000,"pageFaults":4801,"processes":2,"processLimit":32,"threads":31,"threadLimit":512,"connections":11,"connectionLimit":300,"sections":3,"sectionLimit":256,"namedPipes":1,"namedPipeLimit":128,"remoteDirMonitors":0,"remoteDirMonitorLimit":500,"activeConnections":1,"activeConnectionLimit":0,"readIoBytes":9001,"writeIoBytes":12,"otherIoBytes":77,"privateBytes":88354816,"handles":641,"contextSwitches":1019,"remoteOpens":17,"availMemoryBytes":1234567890}0}';

async function layHome(host: WindowsHost): Promise<Folder> {
  const home = await host.wine.folder('home');
  for (const path of ['LogFiles/http/RawLogs', 'LogFiles/Application', 'site/deployments']) await mkdir(join(home.linux, path), { recursive: true });
  await cp(join(root, 'scripts/local/demo'), join(home.linux, 'site/wwwroot'), { recursive: true });
  await writeFile(join(home.linux, 'LogFiles/eventlog.xml'), '<Events></Events>');
  return home;
}

/** The program as `npm run build` leaves it; koffi is found where an installation would have it. */
async function stage(host: WindowsHost): Promise<Folder> {
  const folder = await host.wine.stage('agent');
  await readFile(join(root, 'dist/main.js')).catch((error: unknown) => { throw new Error('dist/main.js is missing: npm run build', { cause: error }); });
  await Promise.all(['dist', 'public', 'package.json'].map((name) => cp(join(root, name), join(folder.linux, name), { recursive: true, filter: (path) => !path.endsWith('.map') })));
  return folder;
}

interface Worker { pid(): number | undefined; leave(): void }

/** Starts the app again when it has ended, as iisnode does. */
async function keepWorker(host: WindowsHost, env: Readonly<Record<string, string>>, cwd: string): Promise<Worker> {
  let left = false;
  let current: WindowsProgram | undefined;
  const raise = async (): Promise<void> => {
    const made = await host.start([`${cwd}\\server.js`], { env, cwd });
    current = made;
    void made.exited.then(async () => {
      current = undefined;
      if (!left) await raise();
    }).catch((error: unknown) => { if (!left) throw error; });
  };
  await raise();
  return { pid: () => current?.pid, leave: () => { left = true; } };
}
