// Owns the TCP connections of processes: the tables of their network, with the sockets that each of them holds.
import { parseTcp } from '../parse/proc-net.ts';
import type { Connection } from '../platform.ts';
import { readLink, readText } from './read.ts';
import { socketInodes } from './open-files.ts';

/** Inode of a connection that no process holds: it waits for the end of its time. */
const NOBODY = 0;

/** A process that ends meanwhile is left out, unless it was the only one asked for. @throws PROCESS_GONE, PROCESS_DENIED */
export function readConnections(pids: readonly number[]): Connection[] {
  const networks = new Map<string, number[]>();
  for (const pid of pids) {
    const network = readLink(`/proc/${pid}/ns/net`);
    const key = typeof network === 'string' ? network : `of ${pid}`;
    networks.set(key, [...networks.get(key) ?? [], pid]);
  }
  return [...networks.values()].flatMap((members) => ofNetwork(members, pids.length === 1));
}

function ofNetwork(pids: readonly number[], only: boolean): Connection[] {
  const owners = new Map<number, number>();
  let told: number | undefined;
  for (const pid of pids) {
    try {
      for (const inode of socketInodes(pid)) owners.set(inode, owners.get(inode) ?? pid);
      told ??= pid;
    } catch (error) {
      if (only) throw error;
    }
  }
  if (told === undefined) return [];
  return ['tcp', 'tcp6'].flatMap((file) => parseTcp(readText(`/proc/${told}/net/${file}`) ?? '')).flatMap((row): Connection[] => {
    const pid = owners.get(row.inode);
    if (pid === undefined && row.inode !== NOBODY) return [];
    return [{ ...(pid === undefined ? {} : { pid }), localHost: row.localAddress, localPort: row.localPort, remoteHost: row.remoteAddress, remotePort: row.remotePort, state: row.state }];
  });
}
