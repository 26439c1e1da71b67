// Owns reading the small text files of one process: environ, cmdline, status, maps, and /etc/passwd.
import type { Variable } from '../platform.ts';

/** Variables of /proc/PID/environ: `NAME=value` ended by NUL. Pieces without a name are left out: a program may have overwritten the block. */
export function parseEnviron(block: Uint8Array): Variable[] {
  const variables: Variable[] = [];
  for (const piece of Buffer.from(block).toString('utf8').split('\0')) {
    const equals = piece.indexOf('=');
    if (equals > 0) variables.push({ name: piece.slice(0, equals), value: piece.slice(equals + 1) });
  }
  return variables;
}

/** The value of one variable, searched on the bytes without making strings of the others. */
export function findVariable(block: Buffer, name: string): string | undefined {
  const key = Buffer.from(`${name}=`);
  for (let at = block.indexOf(key); at >= 0; at = block.indexOf(key, at + 1)) {
    if (at > 0 && block[at - 1] !== 0) continue;
    const end = block.indexOf(0, at);
    return block.toString('utf8', at + key.length, end < 0 ? block.length : end);
  }
  return undefined;
}

/** Arguments of /proc/PID/cmdline. A program that set its own title may leave one string padded with NULs or spaces. */
export function parseArguments(block: Uint8Array): string[] {
  const parts = Buffer.from(block).toString('utf8').split('\0');
  while (parts.length > 0 && (parts.at(-1) ?? '').trim() === '') parts.pop();
  return parts;
}

/** Is this signal (by number) caught by the process, as /proc/PID/status says; undefined when the line is not there. */
export function catches(status: string, signal: number): boolean | undefined {
  const mask = field(status, 'SigCgt');
  if (mask === undefined || !/^[0-9a-f]+$/i.test(mask)) return undefined;
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

/** Has the process this capability (by number) in effect. */
export function hasCapability(status: string, capability: number): boolean {
  const mask = field(status, 'CapEff');
  return mask !== undefined && /^[0-9a-f]+$/i.test(mask) && ((BigInt(`0x${mask}`) >> BigInt(capability)) & 1n) === 1n;
}

/** The pid as the process itself knows it: the innermost of its pid namespaces. */
export function innerPid(status: string): number | undefined {
  const last = field(status, 'NSpid')?.split(/\s+/).at(-1);
  return last === undefined ? undefined : Number(last);
}

function field(status: string, name: string): string | undefined {
  for (const line of status.split('\n')) if (line.startsWith(`${name}:`)) return line.slice(name.length + 1).trim();
  return undefined;
}

/** Bytes that gcore writes for /proc/PID/maps: what is private or anonymous, also where no page is present and where nothing may be read
 *  (V8 reserves 600 MiB so): gdb 13 writes all of that as zeros, not as holes (measured: 694 MB for a Node process of 44 MB). */
export function coreBytes(maps: string): number {
  let total = 0;
  for (const line of maps.split('\n')) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) ([r-][w-][x-])([ps]) \S+ \S+ (\d+)\s*(.*)$/.exec(line);
    if (match === null) continue;
    const [, from = '0', to = '0', rights = '---', sharing, inode, name = ''] = match;
    if (name === '[vsyscall]' || name === '[vvar]') continue;
    const anonymous = inode === '0' || name.endsWith('(deleted)') || name.startsWith('/dev/shm/');
    if (anonymous || (sharing === 'p' && rights[1] === 'w')) total += Number.parseInt(to, 16) - Number.parseInt(from, 16);
  }
  return total;
}

/** User names of /etc/passwd by id; a line that is not one is skipped. */
export function parsePasswd(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name, , id] = line.split(':');
    if (name !== undefined && name !== '' && id !== undefined && /^\d+$/.test(id) && !names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}
