// Owns the way to the inspector of a Node process on Windows: a thread that Node itself prepared, and its sockets as the network tables show them.
import type { Offer, ProcessInfo } from '../../shared/model.ts';
import { namedPort, type InspectorDoor } from '../node-inspector.ts';
import { isLoopbackAddress, parseTcpTable, type TcpRow } from '../parse/tcp-table.ts';
import { parseCommandLine, valueOf } from '../parse/windows-text.ts';
import { runtimeOf } from '../roles.ts';
import { reading, readTexts } from './details.ts';
import { Win32Error } from './codes.ts';
import type { Win32 } from './win32.ts';

/** Whether a report can be had, without touching the process. */
export function inspectorOffer(target: ProcessInfo): Offer {
  if (target.ours === true) return { yes: false, because: 'it is the agent itself or one of its parents' };
  if (runtimeOf(target.name) !== 'node') return { yes: false, because: `${target.name} is not Node` };
  // Node starts a thread at an address inside the target: one of the other bitness would be ended by it.
  if (target.bits !== undefined && target.bits !== (process.arch === 'ia32' ? 32 : 64)) return { yes: false, because: `it is a ${target.bits}-bit process and the agent is not` };
  return { yes: true };
}

export function inspectorDoor(win32: Win32): InspectorDoor {
  const rows = (): TcpRow[] => [...parseTcpTable(win32.tcpTable(4), 4), ...parseTcpTable(win32.tcpTable(6), 6)];
  // Where the owner is not told (0: wine, perhaps a sandbox) only the port that the process itself names can be its inspector's; its answer then names its pid.
  const listeners = (pid: number): TcpRow[] => {
    const { port } = namedPort(words(win32, pid));
    return rows().filter((row) => row.state === 'LISTEN' && (row.pid === pid || (row.pid === 0 && row.localPort === port)));
  };
  return {
    how: 'Node was told to open it',
    open: (pid) => { debugProcess(pid); },
    listening: (pid) => new Map(listeners(pid).map((row) => [row.localPort, isLoopbackAddress(row.localAddress)])),
    listens: (pid, port) => listeners(pid).some((row) => row.localPort === port),
    taken: (port) => rows().some((row) => row.state === 'LISTEN' && row.localPort === port),
    connections: (pid, port) => rows().filter((row) => (row.pid === pid || row.pid === 0) && row.state === 'ESTABLISHED' && row.localPort === port).length,
    words: (pid) => words(win32, pid),
    innerPid: (pid) => pid,
  };
}

/** Node's own counterpart of SIGUSR1; not documented, but what `node inspect -p` does. */
function debugProcess(pid: number): void {
  const { _debugProcess: debug } = process as unknown as { _debugProcess?: (pid: number) => void };
  if (debug === undefined) throw new Error('this Node cannot open the inspector of another process');
  debug(pid);
}

function words(win32: Win32, pid: number): string[] {
  try {
    return reading(win32, pid, (handle) => {
      const { commandLine, variables } = readTexts(win32, handle, win32.is32Bit(handle));
      return [...(valueOf(variables, 'NODE_OPTIONS') ?? '').split(/\s+/), ...parseCommandLine(commandLine)];
    });
  } catch (error) {
    if (error instanceof Win32Error) return [];
    throw error;
  }
}
