// Owns the facts of the machine for people: what Node knows everywhere, and what systeminformation adds where it works.
import { arch, availableParallelism, cpus, hostname, loadavg, machine, release, totalmem, type, uptime, version } from 'node:os';
import { count, bytes, duration, percent } from '../shared/units.ts';
import type { HostFact } from '../shared/surroundings.ts';
import { within } from './clock.ts';

/** systeminformation starts small programs; where one hangs, the facts that Node knows have to do. */
const MORE_LIMIT_MS = 4_000;

/** `windows`: systeminformation asks WMI there, which App Service forbids; it is not tried. */
export async function readHostFacts(windows: boolean, signal: AbortSignal): Promise<HostFact[]> {
  signal.throwIfAborted();
  // A disk may be mounted twice at one place.
  return [...new Map([...known(windows), ...(windows ? [] : await more(signal))].map((fact) => [fact.id, fact])).values()];
}

function known(windows: boolean): HostFact[] {
  const processor = cpus()[0];
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  return [
    { id: 'os', title: 'System', value: windows ? `${version()}, ${release()}` : `${type()} ${release()}` },
    { id: 'architecture', title: 'Architecture', value: machine() === arch() ? arch() : `${machine()}, Node runs as ${arch()}` },
    { id: 'host', title: 'Host name', value: hostname() },
    { id: 'processors', title: 'Processors', value: `${count(availableParallelism())}${processor === undefined ? '' : `, ${processor.model.trim()}${processor.speed > 0 ? ` at ${count(processor.speed)} MHz` : ''}`}` },
    { id: 'memory', title: 'Memory of the machine', value: bytes(totalmem()) },
    { id: 'uptime', title: 'Running for', value: duration(uptime() * 1_000) },
    ...(one + five + fifteen > 0 ? [{ id: 'load', title: 'Load of 1, 5 and 15 minutes', value: [one, five, fifteen].map((n) => n.toFixed(2)).join(', ') }] : []),
    { id: 'agent-node', title: 'Node of the agent', value: `${process.version}, V8 ${process.versions.v8}, OpenSSL ${process.versions.openssl}` },
  ];
}

async function more(signal: AbortSignal): Promise<HostFact[]> {
  const limit = within(MORE_LIMIT_MS, signal);
  const late = new Promise<undefined>((resolve) => { limit.addEventListener('abort', () => { resolve(undefined); }, { once: true }); });
  const asked = await Promise.race([ask(), late]);
  signal.throwIfAborted();
  return asked ?? [];
}

async function ask(): Promise<HostFact[]> {
  const { default: systeminformation } = await import('systeminformation');
  const [os, disks] = await Promise.all([systeminformation.osInfo(), systeminformation.fsSize()]);
  return [
    ...(os.distro === '' ? [] : [{ id: 'distribution', title: 'Distribution', value: [os.distro, os.release, os.codename === '' ? '' : `(${os.codename})`].filter((part) => part !== '').join(' ') }]),
    ...disks.slice(0, MAX_DISKS).map((disk) => ({ id: `disk ${disk.mount}`, title: `Disk ${disk.mount}`, value: `${bytes(disk.used)} of ${bytes(disk.size)} used (${percent(disk.use)}), ${disk.type}` })),
  ];
}

/** A container shows the same disk under many names. */
const MAX_DISKS = 12;
