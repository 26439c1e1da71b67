// Owns what is read once of a new process: path, command line, variables, user and bitness, from its own memory where Windows lets us.
import { basename } from 'node:path/win32';
import { parseCommandLine, parseEnvironmentBlock, valueOf } from '../parse/windows-text.ts';
import { instantOf } from '../parse/nt-processes.ts';
import type { Variable } from '../platform.ts';
import { marksOf, shownCommand, type Marked, type SiteMark } from '../site-mark.ts';
import { Win32Error } from './codes.ts';
import { ACCESS, type Handle, type Win32 } from './win32.ts';

/** Windows bounds an environment block to 32,767 characters for CreateProcess; one made otherwise may be larger. */
const MAX_BLOCK_BYTES = 1024 * 1024;

export interface Details extends Marked {
  readonly name: string;
  readonly path: string | undefined;
  readonly args: readonly string[];
  readonly commandLine: string | undefined;    // masked
  readonly sid: string | undefined;
  readonly user: string | undefined;
  readonly bits: 32 | 64 | undefined;
  /** Its variables could be read. */
  readonly known: boolean;
}

/** Offsets in the process environment block and its parameters, for 64-bit processes and for 32-bit ones under WOW64. */
const LAYOUTS = {
  64: { bits: 64, pointer: 8, parameters: 0x20, commandLine: 0x70, environment: 0x80, environmentBytes: 0x3f0 },
  32: { bits: 32, pointer: 4, parameters: 0x10, commandLine: 0x40, environment: 0x48, environmentBytes: 0x290 },
} as const;
type Layout = (typeof LAYOUTS)[32 | 64];

const BASIC_INFORMATION = 0;
const WOW64_INFORMATION = 26;

/** Opens a process to read from it, gives its handle to `use`, and closes it. @throws Win32Error */
export function reading<T>(win32: Win32, pid: number, use: (handle: Handle) => T): T {
  const handle = win32.openProcess(ACCESS.query | ACCESS.readMemory, pid);
  try {
    return use(handle);
  } finally {
    win32.close(handle);
  }
}

/** Undefined when this very process cannot be opened at all: it has ended, or it is one of Windows' own. */
export function readDetails(win32: Win32, pid: number, startedAt: number, fallbackName: string, mark: SiteMark | undefined): Details | undefined {
  const handle = attempt(() => win32.openProcess(ACCESS.query | ACCESS.readMemory, pid)) ?? attempt(() => win32.openProcess(ACCESS.queryLimited, pid));
  if (handle === undefined) return undefined;
  try {
    // The pid may have gone to another process since the snapshot.
    if (instantOf(win32.createdAt(handle)) !== startedAt) return undefined;
    return detailsOf(win32, handle, fallbackName, mark);
  } finally {
    win32.close(handle);
  }
}

function detailsOf(win32: Win32, handle: Handle, fallbackName: string, mark: SiteMark | undefined): Details {
  const path = attempt(() => win32.imageName(handle));
  const is32Bit = attempt(() => win32.is32Bit(handle));
  const user = attempt(() => win32.user(handle));
  const texts = attempt(() => readTexts(win32, handle, is32Bit === true));
  const args = parseCommandLine(texts?.commandLine ?? '');
  return {
    name: path === undefined ? fallbackName : basename(path), path, args,
    commandLine: shownCommand(texts?.commandLine ?? ''),
    sid: user?.sid,
    user: user?.name,
    bits: is32Bit === undefined ? undefined : is32Bit ? 32 : 64,
    known: texts !== undefined,
    ...marksOf((name) => valueOf(texts?.variables ?? [], name), mark),
  };
}

/** What Windows does not let us read is absent. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Win32Error) return undefined;
    throw error;
  }
}

/** @throws Win32Error */
export function readTexts(win32: Win32, handle: Handle, is32Bit: boolean): { readonly commandLine: string; readonly variables: readonly Variable[] } {
  const layout = is32Bit ? LAYOUTS[32] : LAYOUTS[64];
  const parameters = pointer(win32, handle, environmentBlock(win32, handle, is32Bit) + layout.parameters, layout);
  return { commandLine: commandLine(win32, handle, parameters, layout), variables: environment(win32, handle, parameters, layout) };
}

/** Address of the process environment block. */
function environmentBlock(win32: Win32, handle: Handle, is32Bit: boolean): number {
  const answer = Buffer.alloc(is32Bit ? 8 : 48);
  win32.queryProcess(handle, is32Bit ? WOW64_INFORMATION : BASIC_INFORMATION, answer);
  return Number(answer.readBigUInt64LE(is32Bit ? 0 : 8));
}

function read(win32: Win32, handle: Handle, address: number, bytes: number): Buffer {
  const into = Buffer.alloc(bytes);
  if (bytes > 0) win32.readMemory(handle, address, into);
  return into;
}

function pointer(win32: Win32, handle: Handle, address: number, layout: Layout): number {
  const bytes = read(win32, handle, address, layout.pointer);
  return layout.pointer === 8 ? Number(bytes.readBigUInt64LE(0)) : bytes.readUInt32LE(0);
}

function commandLine(win32: Win32, handle: Handle, parameters: number, layout: Layout): string {
  const bytes = read(win32, handle, parameters + layout.commandLine, 2).readUInt16LE(0);
  // UNICODE_STRING: two lengths, then the pointer at its own alignment.
  return read(win32, handle, pointer(win32, handle, parameters + layout.commandLine + layout.pointer, layout), bytes).toString('utf16le');
}

function environment(win32: Win32, handle: Handle, parameters: number, layout: Layout): Variable[] {
  const bytes = pointer(win32, handle, parameters + layout.environmentBytes, layout);
  return parseEnvironmentBlock(read(win32, handle, pointer(win32, handle, parameters + layout.environment, layout), Math.min(bytes, MAX_BLOCK_BYTES)));
}
