// Owns reading /proc/PID/net/tcp, tcp6 and unix: which socket inode is which connection.
import { addressText } from './address.ts';

export interface TcpRow { readonly localAddress: string; readonly localPort: number; readonly remoteAddress: string; readonly remotePort: number; readonly state: TcpState; readonly inode: number }
export type TcpState = 'ESTABLISHED' | 'SYN_SENT' | 'SYN_RECV' | 'FIN_WAIT1' | 'FIN_WAIT2' | 'TIME_WAIT' | 'CLOSE' | 'CLOSE_WAIT' | 'LAST_ACK' | 'LISTEN' | 'CLOSING' | 'UNKNOWN';

/** include/net/tcp_states.h; index = the number in the file. */
const STATES: readonly TcpState[] = ['UNKNOWN', 'ESTABLISHED', 'SYN_SENT', 'SYN_RECV', 'FIN_WAIT1', 'FIN_WAIT2', 'TIME_WAIT', 'CLOSE', 'CLOSE_WAIT', 'LAST_ACK', 'LISTEN', 'CLOSING'];

/** Rows of tcp or tcp6; a line that is not one (the head, a torn one) is skipped. Addresses stand there as words of the machine's byte order: little-endian on every machine App Service has. */
export function parseTcp(text: string): TcpRow[] {
  const rows: TcpRow[] = [];
  for (const line of text.split('\n')) {
    const match = /^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]{2}) \S+ \S+ \S+ +\d+ +\d+ (\d+) /.exec(line);
    if (match === null) continue;
    const [, local = '', localPort = '', remote = '', remotePort = '', state = '', inode = ''] = match;
    rows.push({
      localAddress: address(local), localPort: Number.parseInt(localPort, 16),
      remoteAddress: address(remote), remotePort: Number.parseInt(remotePort, 16),
      state: STATES[Number.parseInt(state, 16)] ?? 'UNKNOWN', inode: Number(inode),
    });
  }
  return rows;
}

function address(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  for (let i = 0; i + 4 <= bytes.length; i += 4) bytes.subarray(i, i + 4).reverse();
  return addressText(bytes);
}

/** "10.0.0.4:443", "[::1]:9229". */
export function endpoint(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Is this an address that only the same machine reaches. */
export function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.');
}

/** Path (or abstract name) by inode of /proc/PID/net/unix; sockets without a name are left out. */
export function parseUnix(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const match = /^[0-9a-f]+: [0-9A-F]+ [0-9A-F]+ [0-9A-F]+ [0-9A-F]+ [0-9A-F]+ +(\d+) (\S.*)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) names.set(Number(match[1]), match[2]);
  }
  return names;
}
