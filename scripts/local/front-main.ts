// Owns the front end process: home, event log, worker and listener of one site, from its launcher's order to its end.
import { resolve } from 'node:path';
import { deploy } from './deployment.ts';
import { type EventLog, openEventLog } from './eventlog.ts';
import { startFront } from './front.ts';
import { openHome } from './home.ts';
import { takeHome } from './home-lock.ts';
import type { FromFront, FrontOrder, ToFront } from './link.ts';
import { startRestartPipe } from './restart-pipe.ts';
import { RotatingFile } from './rotating-file.ts';
import { header, rowFileName } from './w3c.ts';
import { Worker, type WorkerState } from './worker.ts';

/** Raw logs kept: with files of 10 MB about 100 MB, where App Service keeps 35 MB by default; the oldest go. */
const ROW_FILES_KEPT = 10;

/** Without a launcher everything is to be gone within 2 s: an app that takes its time over SIGTERM gets this much of them. */
const ORPHAN_GRACE_MS = 500;

function tell(message: FromFront): void {
  if (process.connected) process.send?.(message, () => undefined); // a launcher that has gone is noticed by `disconnect`
}

function portFor(state: WorkerState): number | 'stopped' | undefined {
  if (state.is === 'stopped') return 'stopped';
  return state.is === 'starting' || state.is === 'ready' ? state.port : undefined;
}

/** Raises everything; resolves with what ends it again, given the grace of the worker. */
async function serve(order: FrontOrder): Promise<(graceMs: number) => Promise<void>> {
  const home = await openHome(order.home);
  const release = await takeHome(home);
  if (order.deploy) await deploy(order.app, home, 'contoso-shop, the demo app');
  const app = order.deploy ? home.wwwroot : resolve(order.app);
  const events: EventLog = await openEventLog(home.logFiles, home.instance.computer);
  const short = home.instance.id.slice(0, 6);
  const rows = new RotatingFile({
    folder: home.rawLogs,
    nameAt: (at) => rowFileName(home.instance.id, at),
    owns: (name) => name.startsWith(`${short}-`) && name.endsWith('.log'),
    maxBytes: order.limits.rowFileBytes,
    maxFiles: ROW_FILES_KEPT,
    head: header,
    lost: (pieces) => `#Remark: ${pieces} rows could not be written\r\n`,
  });
  let state: WorkerState = { is: 'down' };
  const front = await startFront({
    port: order.port, site: order.site.name, defaultHostname: order.site.hostname, limits: order.limits, rows,
    worker: () => portFor(state),
  });
  tell({ is: 'listening', port: front.port });
  const worker = new Worker({
    app, home, site: order.site, limits: order.limits, events, openOn: (at) => front.openOn(at),
    onState: (next) => {
      state = next;
      tell({ is: 'worker', state: next });
    },
  });
  const pipe = await startRestartPipe(order.restartPipe, (pid, step) => worker.replace(pid, step));
  process.on('message', (message: ToFront) => {
    if (message.do === 'start-worker') worker.start();
  });
  return async (graceMs) => {
    front.quiesce();
    await pipe.close();
    await worker.stop(graceMs); // what was in flight ends with it, and its rows say so
    await front.close();
    await events.flushed();
    await release();
  };
}

/** Ends once, for whatever reason comes first: the launcher's word, its disappearance, or a signal. */
async function main(): Promise<void> {
  const order = JSON.parse(process.argv[2] ?? '') as FrontOrder; // our own launcher wrote it
  const ended = new Promise<number>((end) => {
    const { stopGraceMs } = order.limits;
    process.on('message', (message: ToFront) => { if (message.do === 'stop') end(stopGraceMs); });
    process.once('SIGTERM', () => end(stopGraceMs));
    process.once('disconnect', () => end(Math.min(stopGraceMs, ORPHAN_GRACE_MS)));
  });
  process.on('SIGINT', () => undefined); // the terminal's Ctrl+C is the launcher's to judge
  try {
    const stop = await serve(order);
    await stop(await ended);
    process.exit(0);
  } catch (error) {
    tell({ is: 'refused', why: error instanceof Error ? error.message : String(error) });
    process.exitCode = 3;
    if (process.connected) process.disconnect();
  }
}

await main();
