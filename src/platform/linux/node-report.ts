// Owns the way to the inspector of a Node process on Linux: SIGUSR1, and its sockets as /proc shows them.
import type { Offer, ProcessInfo } from '../../shared/model.ts';
import type { InspectorDoor } from '../node-inspector.ts';
import { isLoopback, parseTcp } from '../parse/proc-net.ts';
import { catches, innerPid, parseArguments, parseEnviron } from '../parse/proc-text.ts';
import { runtimeOf } from '../roles.ts';
import { socketInodes } from './open-files.ts';
import { readLink, readText, readWhole } from './read.ts';

const SIGUSR1 = 10;

/** Whether a report can be had, without touching the process. An app that handles SIGUSR1 itself cannot be told from outside: it gets that signal, and no report comes. */
export function nodeReportOffer(target: ProcessInfo): Offer {
  if (target.ours === true) return { yes: false, because: 'it is the agent itself or one of its parents' };
  if (runtimeOf(target.name) !== 'node') return { yes: false, because: `${target.name} is not Node` };
  const caught = catches(readText(`/proc/${target.pid}/status`) ?? '', SIGUSR1);
  if (caught === undefined) return { yes: false, because: 'it is not running any more' };
  // Any other program would be ended by the signal.
  if (!caught) return { yes: false, because: 'it does not listen to SIGUSR1, which opens the inspector (started with --disable-sigusr1 or an old Node)' };
  const [mine, its] = [readLink('/proc/self/ns/net'), readLink(`/proc/${target.pid}/ns/net`)];
  if (its !== mine) return { yes: false, because: 'its loopback network is not ours (another container)' };
  return { yes: true };
}

export const inspectorDoor: InspectorDoor = {
  how: 'SIGUSR1; the app may handle that signal itself',
  open: (pid) => { process.kill(pid, 'SIGUSR1'); },
  listening,
  listens: (pid, port) => tcpRows(pid).some((row) => row.state === 'LISTEN' && row.localPort === port),
  taken: (port) => tcpRows(process.pid).some((row) => row.state === 'LISTEN' && row.localPort === port),
  connections: (pid, port) => tcpRows(pid).filter((row) => row.state === 'ESTABLISHED' && row.localPort === port).length,
  words,
  innerPid: (pid) => innerPid(readText(`/proc/${pid}/status`) ?? '') ?? pid,
};

/** Ports this very process listens on, and whether each is for loopback only. */
function listening(pid: number): Map<number, boolean> {
  const own = socketInodes(pid);
  const ports = new Map<number, boolean>();
  for (const row of tcpRows(pid)) if (row.state === 'LISTEN' && own.has(row.inode)) ports.set(row.localPort, isLoopback(row.localAddress));
  return ports;
}

function tcpRows(pid: number): ReturnType<typeof parseTcp> {
  return ['tcp', 'tcp6'].flatMap((file) => parseTcp(readText(`/proc/${pid}/net/${file}`) ?? ''));
}

function words(pid: number): string[] {
  const [cmdline, environ] = [readWhole(`/proc/${pid}/cmdline`), readWhole(`/proc/${pid}/environ`)];
  const options = typeof environ === 'number' ? '' : parseEnviron(environ).find(({ name }) => name === 'NODE_OPTIONS')?.value ?? '';
  return [...options.split(/\s+/), ...typeof cmdline === 'number' ? [] : parseArguments(cmdline)];
}
