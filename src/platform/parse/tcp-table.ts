// Owns reading Windows' tables of TCP connections with their owners (MIB_TCPTABLE_OWNER_PID, MIB_TCP6TABLE_OWNER_PID).

import { addressText } from './address.ts';
import type { TcpState } from './proc-net.ts';

export interface TcpRow { readonly state: TcpState; readonly localAddress: string; readonly localPort: number; readonly remoteAddress: string; readonly remotePort: number; readonly pid: number }

/** Offsets in a row; ports are in network order in the low half of four bytes. */
const LAYOUTS = {
  4: { bytes: 24, state: 0, address: 4, addressBytes: 4, port: 8, remote: 12, remotePort: 16, pid: 20 },
  6: { bytes: 56, address: 0, addressBytes: 16, port: 20, remote: 24, remotePort: 44, state: 48, pid: 52 },
} as const;
/** MIB_TCP_STATE, in the words of Linux. */
const STATES: readonly TcpState[] = ['UNKNOWN', 'CLOSE', 'LISTEN', 'SYN_SENT', 'SYN_RECV', 'ESTABLISHED', 'FIN_WAIT1', 'FIN_WAIT2', 'CLOSE_WAIT', 'CLOSING', 'LAST_ACK', 'TIME_WAIT', 'CLOSE'];

export function parseTcpTable(table: Buffer, version: 4 | 6): TcpRow[] {
  const layout = LAYOUTS[version];
  const rows: TcpRow[] = [];
  const count = table.length < 4 ? 0 : table.readUInt32LE(0);
  for (let i = 0, at = 4; i < count && at + layout.bytes <= table.length; i += 1, at += layout.bytes) {
    rows.push({
      state: STATES[table.readUInt32LE(at + layout.state)] ?? 'UNKNOWN',
      localAddress: table.toString('hex', at + layout.address, at + layout.address + layout.addressBytes),
      localPort: table.readUInt16BE(at + layout.port),
      remoteAddress: table.toString('hex', at + layout.remote, at + layout.remote + layout.addressBytes),
      remotePort: table.readUInt16BE(at + layout.remotePort),
      pid: table.readUInt32LE(at + layout.pid),
    });
  }
  return rows;
}

/** An address as the rows have it, for people. */
export function shownAddress(hex: string): string {
  return addressText(Buffer.from(hex, 'hex'));
}

/** Of an address as the rows have it: 127.0.0.0/8, ::1, and the first inside the second's space. */
export function isLoopbackAddress(hex: string): boolean {
  return hex.length === 8 ? hex.startsWith('7f') : /^0{31}1$|^0{20}f{4}7f/.test(hex);
}
