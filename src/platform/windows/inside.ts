// Owns what a process on Windows is made of: its program files, its threads, and the size of what a dump of it would hold.
import { DiagError } from '../../shared/errors.ts';
import type { DumpKind, Module, Variable } from '../platform.ts';
import { reading, readTexts } from './details.ts';
import { INVALID_PARAMETER, Win32Error } from './codes.ts';
import type { Handle, Win32 } from './win32.ts';

/** Lists of threads, modules, handles and the names in them: 3 MB for the largest seen, with room. */
const LISTS_BYTES = 16 * 1024 * 1024;
/** Stacks, and for mini-plus the writable data that they lead to. */
const STACK_BYTES = 2 * 1024 * 1024;
/** A process has a few thousand regions; one that has more than this is estimated by its address space so far. */
const MAX_REGIONS = 1_000_000;

/** Where to ask, and whether a process still lives: one that has ended can be opened as long as its parent holds it, but not read. */
export interface Asked { readonly win32: Win32; lives(pid: number): boolean }

/** Runs `use` on the process; what Windows refuses is told as ours. @throws PROCESS_GONE, PROCESS_DENIED */
function ask<T>({ win32, lives }: Asked, pid: number, what: string, use: (handle: Handle) => T): T {
  try {
    return reading(win32, pid, use);
  } catch (error) {
    if (!(error instanceof Win32Error)) throw error;
    if ((error.call === 'OpenProcess' && error.win32 === INVALID_PARAMETER) || !lives(pid)) throw new DiagError('PROCESS_GONE', { pid }, { cause: error });
    throw new DiagError('PROCESS_DENIED', { pid, what, why: error.message }, { cause: error });
  }
}

/** `versionOf`: of a file; absent, the modules have none. @throws PROCESS_GONE, PROCESS_DENIED */
export function readModules(asked: Asked, pid: number, versionOf?: (path: string) => string | undefined): Module[] {
  const { win32 } = asked;
  const found = ask(asked, pid, 'list the program files of', (handle) => win32.modules(handle).map((module) => ({
    path: win32.moduleName(handle, module), address: `0x${module.toString(16)}`, sizeBytes: win32.moduleBytes(handle, module),
  })));
  if (versionOf === undefined) return found;
  return found.map((module) => { const version = versionOf(module.path); return version === undefined ? module : { ...module, version }; });
}

/** @throws PROCESS_GONE, PROCESS_DENIED */
export function readEnvironment(asked: Asked, pid: number): readonly Variable[] {
  return ask(asked, pid, 'read the environment of', (handle) => readTexts(asked.win32, handle, asked.win32.is32Bit(handle)).variables);
}

/** Bytes a dump takes at most. @throws PROCESS_GONE, PROCESS_DENIED */
export function estimateDump(asked: Asked, pid: number, kind: DumpKind, threads: number): number {
  if (kind === 'mini') return LISTS_BYTES + threads * STACK_BYTES;
  return ask(asked, pid, 'read the memory map of', (handle) => LISTS_BYTES + committed(asked.win32, handle));
}

function committed(win32: Win32, handle: Handle): number {
  let bytes = 0;
  let at = 0;
  for (let i = 0; i < MAX_REGIONS; i += 1) {
    const region = win32.region(handle, at);
    if (region === undefined || region.bytes === 0) break;
    if (region.committed && region.readable) bytes += region.bytes;
    at = region.base + region.bytes;
  }
  return bytes;
}
