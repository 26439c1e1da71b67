// Owns Windows without its calls: where koffi does not load, the agent starts all the same, sees itself and the files, and says what it cannot do.
import { sayError, DiagError } from '../../shared/errors.ts';
import type { Capability, ProcessInfo } from '../../shared/model.ts';
import type { Platform } from '../platform.ts';

export { osName } from './host.ts';

/** The packages that would list processes here need WMI, which App Service forbids: none of this is tried. */
const LOST: ReadonlySet<Capability> = new Set(['processes', 'usage', 'private-bytes', 'handles', 'open-files', 'environment', 'memory-dump', 'node-report', 'restart', 'modules', 'threads', 'connections']);

/** `error`: why the calls do not work: another processor, a sandbox that loads no native module, a broken installation. */
export function openBlind(portable: Platform, error: unknown): Platform {
  const because = `the calls into Windows do not work here (${sayError(error).split('\n')[0] ?? ''})`;
  const refuse = async (what: string): Promise<never> => { throw new DiagError('CAPABILITY_MISSING', { what, because }); };
  const { startedAt } = portable.ownUsage();
  const self: ProcessInfo = { pid: process.pid, startedAt, name: 'node.exe', path: process.execPath, role: 'agent', ours: true };
  return {
    ...portable,
    can: (what) => (LOST.has(what) ? { yes: false, because } : portable.can(what)),
    processes: async (signal) => { signal.throwIfAborted(); return [self]; },
    usage: async (pids, signal) => { signal.throwIfAborted(); return new Map(pids.includes(self.pid) ? [[self.pid, portable.ownUsage()]] : []); },
    openFiles: () => refuse('A list of open files'),
    connections: () => refuse('A list of connections'),
    environment: () => refuse('Reading an environment'),
    modules: () => refuse('A list of program files'),
    threads: () => refuse('A list of threads'),
    dumpEstimate: () => refuse('A memory dump'),
    dump: () => refuse('A memory dump'),
    dumpPause: () => refuse('A memory dump'),
    faultsOffered: () => ({ yes: false, because }),
    dumpAtFault: () => refuse('A dump at a fault'),
    inspect: () => refuse('The inspector'),
    memoryLeft: async () => undefined,
    nodeReportOffered: () => ({ yes: false, because }),
    nodeReport: () => refuse('A diagnostic report'),
    shells: { list: () => [], open: async () => await refuse('A shell') },
    end: async (target) => { if (target.pid === self.pid) throw new DiagError('PROCESS_OURS', { pid: target.pid }); return await refuse('Ending a process'); },
  };
}
