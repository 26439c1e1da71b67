// Owns the counting of connections by the end they lead to: what they are of is the remote end, the port that each took for itself says nothing.
import type { ConnectionsFile } from '../../shared/artifacts.ts';
import type { Connection } from '../../platform/platform.ts';

/** More kinds of ends are counted, not listed. */
const MAX_ENDS = 5_000;

/** Outbound: "10.0.0.4:*" to "10.0.0.9:1433". Inbound: "0.0.0.0:8080" from "10.0.0.2:*". Listening: "0.0.0.0:8080" to "*". */
export function endsOf(connections: readonly Connection[]): Pick<ConnectionsFile, 'ends' | 'more'> {
  const listening = new Set(connections.filter((c) => c.state === 'LISTEN').map((c) => c.localPort));
  const counted = new Map<string, ConnectionsFile['ends'][number]>();
  for (const one of connections) {
    const end = { ...(one.pid === undefined ? {} : { pid: one.pid }), ...sides(one, listening.has(one.localPort)), state: one.state };
    const key = `${end.pid ?? ''} ${end.local} ${end.remote} ${end.state}`;
    counted.set(key, { ...end, count: (counted.get(key)?.count ?? 0) + 1 });
  }
  const ends = [...counted.values()].sort((a, b) => b.count - a.count || (keyOf(a) < keyOf(b) ? -1 : 1));
  return { ends: ends.slice(0, MAX_ENDS), more: Math.max(0, ends.length - MAX_ENDS) };
}

function sides(one: Connection, inbound: boolean): { local: string; remote: string } {
  if (one.state === 'LISTEN') return { local: written(one.localHost, one.localPort), remote: '*' };
  return inbound
    ? { local: written(one.localHost, one.localPort), remote: written(one.remoteHost, '*') }
    : { local: written(one.localHost, '*'), remote: written(one.remoteHost, one.remotePort) };
}

/** True of an end that the app itself connected to. */
export function isOutbound(end: { readonly remote: string }): boolean {
  return !end.remote.endsWith('*');
}

const keyOf = (end: ConnectionsFile['ends'][number]): string => `${end.local} ${end.remote} ${end.state} ${end.pid ?? ''}`;
const written = (host: string, port: number | '*'): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
