// Owns what a process has open: descriptors with their paths, sockets with their two ends.
import { readdirSync } from 'node:fs';
import { DiagError } from '../../shared/errors.ts';
import { endpoint, parseTcp, parseUnix } from '../parse/proc-net.ts';
import { GONE, readLink, readText, refusal } from './read.ts';

/** More are counted in a last line: a process that leaks has its limit (often 65,536) full of the same. */
const KEPT_FILES = 10_000;

/** One line per descriptor, by number: a path, "tcp 127.0.0.1:80 LISTEN", "tcp 10.0.0.4:51000 -> 10.0.0.9:1433 ESTABLISHED",
 *  "unix /run/x.sock", or what the kernel calls it ("pipe:[123]", "anon_inode:[eventpoll]"). @throws PROCESS_GONE, PROCESS_DENIED */
export function readOpenFiles(pid: number): string[] {
  const numbers = descriptors(pid);
  let sockets: ReadonlyMap<number, string> | undefined;     // most processes of a machine have none
  let fresh = false;
  const nameOf = (inode: number): string | undefined => {
    sockets ??= socketNames(pid);
    // Opened since the names were read, or one without a name.
    if (!sockets.has(inode) && !fresh) { fresh = true; sockets = socketNames(pid, true); }
    return sockets.get(inode);
  };
  const files: string[] = [];
  for (const number of numbers.slice(0, KEPT_FILES)) {
    const link = readLink(`/proc/${pid}/fd/${number}`);
    if (typeof link !== 'string') continue;               // closed since, or the process ended: what was read stays true
    const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
    files.push(inode === undefined ? link : nameOf(Number(inode)) ?? link);
  }
  if (numbers.length > KEPT_FILES) files.push(`(${numbers.length - KEPT_FILES} more)`);
  return files;
}

function descriptors(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map(Number).sort((a, b) => a - b);
  } catch (error) {
    if (refusal(error) === GONE) throw new DiagError('PROCESS_GONE', { pid }, { cause: error });
    throw new DiagError('PROCESS_DENIED', { pid, what: 'list the open files of', why: 'it belongs to another user' }, { cause: error });
  }
}

/** A search asks for one process after the other; the kernel walks its whole table of connections for each reading (10 ms where that is large). */
const SAME_NETWORK_MS = 250;
let last: { readonly network: string; readonly at: number; readonly names: ReadonlyMap<number, string> } | undefined;

/** The network as this process sees it: it may live in a network namespace of its own. */
function socketNames(pid: number, anew = false): ReadonlyMap<number, string> {
  const network = readLink(`/proc/${pid}/ns/net`);
  const now = performance.now();
  if (!anew && last !== undefined && last.network === network && now - last.at < SAME_NETWORK_MS) return last.names;
  const names = readSocketNames(pid);
  if (typeof network === 'string') last = { network, at: now, names };
  return names;
}

function readSocketNames(pid: number): Map<number, string> {
  const names = new Map<number, string>();
  for (const [inode, path] of parseUnix(readText(`/proc/${pid}/net/unix`) ?? '')) names.set(inode, `unix ${path}`);
  for (const file of ['tcp', 'tcp6']) {
    for (const row of parseTcp(readText(`/proc/${pid}/net/${file}`) ?? '')) {
      const local = endpoint(row.localAddress, row.localPort);
      names.set(row.inode, row.state === 'LISTEN' ? `tcp ${local} LISTEN` : `tcp ${local} -> ${endpoint(row.remoteAddress, row.remotePort)} ${row.state}`);
    }
  }
  return names;
}

/** Inodes of the sockets a process holds. */
export function socketInodes(pid: number): Set<number> {
  const inodes = new Set<number>();
  for (const number of descriptors(pid)) {
    const link = readLink(`/proc/${pid}/fd/${number}`);
    const inode = typeof link === 'string' ? /^socket:\[(\d+)\]$/.exec(link)?.[1] : undefined;
    if (inode !== undefined) inodes.add(Number(inode));
  }
  return inodes;
}
