// Owns the TCP connections of processes as the network tables of Windows have them.
import { DiagError } from '../../shared/errors.ts';
import { parseTcpTable, shownAddress } from '../parse/tcp-table.ts';
import type { Connection } from '../platform.ts';
import { Win32Error } from './codes.ts';
import type { Win32 } from './win32.ts';

/** Owner of a connection that only waits to end; of every one where the owner is not told (wine, perhaps a sandbox). */
const NOBODY = 0;

/** @throws CAPABILITY_MISSING where the sandbox denies the tables */
export function readConnections(win32: Win32, pids: readonly number[]): Connection[] {
  const asked = new Set(pids);
  try {
    const rows = [...parseTcpTable(win32.tcpTable(4), 4), ...parseTcpTable(win32.tcpTable(6), 6)];
    return rows.filter((row) => row.pid === NOBODY || asked.has(row.pid)).map((row) => ({
      ...(row.pid === NOBODY ? {} : { pid: row.pid }), localHost: shownAddress(row.localAddress), localPort: row.localPort, remoteHost: shownAddress(row.remoteAddress), remotePort: row.remotePort, state: row.state,
    }));
  } catch (error) {
    if (!(error instanceof Win32Error)) throw error;
    throw new DiagError('CAPABILITY_MISSING', { what: 'A list of connections', because: `Windows did not give its tables of connections: ${error.message}` }, { cause: error });
  }
}
