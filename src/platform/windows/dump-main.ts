// Owns the short-lived program that writes one minidump: outside of the agent, so that a fault, a cancel or the agent's own end hurts nobody.
import koffi from 'koffi';
import { instantOf } from '../parse/nt-processes.ts';
import type { DumpKind } from '../platform.ts';
import { INVALID_PARAMETER, PROC_NOT_FOUND, Win32Error } from './codes.ts';
import type { DumpAnswer, DumpOrder } from './dump-words.ts';
import { openWin32, type Win32 } from './win32.ts';

/** MINIDUMP_TYPE. full is what ProcDump calls -ma, mini-plus -mp, mini -mm. */
const HANDLES = 0x4, UNLOADED = 0x20, THREADS = 0x1000, REGIONS = 0x800;
const TYPES: Readonly<Record<DumpKind, number>> = {
  full: 0x2 | HANDLES | UNLOADED | REGIONS | THREADS | 0x2_0000,                  // full memory; what cannot be read is left out
  'mini-plus': 0x1 | 0x40 | 0x100 | 0x200 | HANDLES | UNLOADED | REGIONS | THREADS, // data segments, referenced and private writable memory
  mini: UNLOADED | THREADS,
};
const QUERY_AND_READ = 0x0410, CREATE_PROCESS = 0x80, DUPLICATE = 0x40;
/** GetCurrentProcess() */
const OWN_PROCESS = -1;
const GENERIC_READ_WRITE = 0xc000_0000;
const CREATE_ALWAYS = 2;
const INVALID_HANDLE = -1;
/** Clone of the address space, handles with their names and types, threads with their registers; no job of the target may keep the clone. */
const CAPTURE = 0x1 | 0x4 | 0x8 | 0x10 | 0x20 | 0x80 | 0x100 | 0x0400_0000 | 0x0800_0000 | 0x2000_0000;
const CONTEXT_ALL = 0x0010_001f;
const IS_PROCESS_SNAPSHOT = 16;
/** Offsets in the packed structures of minidumpapiset.h. */
const CALLBACK_TYPE_AT = 12;
const S_FALSE = 1;

type Fn = (...args: readonly (number | bigint | string | Buffer | null)[]) => number;
type Answer = Extract<DumpAnswer, { done: unknown }>['done'];

const kernel32 = koffi.load('kernel32.dll');
const lastError = kernel32.func('uint32 GetLastError()') as unknown as () => number;
const CreateFileW = kernel32.func('intptr_t CreateFileW(str16 name, uint32 access, uint32 share, void* security, uint32 how, uint32 flags, intptr_t template)') as unknown as Fn;
const MiniDumpWriteDump = koffi.load('dbghelp.dll').func('int MiniDumpWriteDump(intptr_t process, uint32 pid, intptr_t file, uint32 type, void* exception, void* user, void* callback)') as unknown as Fn;

/** A clone first where one is asked for; where it does not work the process itself, saying why. @throws Win32Error */
function write(win32: Win32, order: DumpOrder): Answer {
  const process = win32.openProcess(QUERY_AND_READ | DUPLICATE, order.pid);
  if (instantOf(win32.createdAt(process)) !== order.startedAt) throw new Win32Error('OpenProcess', INVALID_PARAMETER);
  const cloned = order.clone ? attempt(() => ofClone(win32, order)) : 'not asked for';
  if (typeof cloned === 'number') return { cloned: true, pausedMs: cloned };
  return { cloned: false, why: cloned, pausedMs: intoFile(win32, order, (file) => timed(() => { dump(process, order, file, null); })) };
}

function intoFile<T>(win32: Win32, order: DumpOrder, use: (file: number) => T): T {
  const file = CreateFileW(order.file, GENERIC_READ_WRITE, 0, null, CREATE_ALWAYS, 0x80, 0);
  if (file === INVALID_HANDLE) throw new Win32Error('CreateFileW', lastError());
  try {
    return use(file);
  } finally {
    win32.close(file);
  }
}

/** What Windows refuses, as words. */
function attempt<T>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    if (error instanceof Win32Error) return error.message;
    throw error;
  }
}

function dump(process: number, order: DumpOrder, file: number, callback: Buffer | null): void {
  if (MiniDumpWriteDump(process, order.pid, file, TYPES[order.kind], null, null, callback) === 0) throw new Win32Error('MiniDumpWriteDump', lastError());
}

/** MiniDumpWriteDump keeps all threads stopped from its beginning to its end, so its time is the pause. */
function timed(work: () => void): number {
  const from = performance.now();
  work();
  return Math.round((performance.now() - from) * 10) / 10;
}

/** A dump of a copy-on-write clone; gives the pause, which is the time of making the clone. @throws Win32Error */
function ofClone(win32: Win32, order: DumpOrder): number {
  if (!win32.has('kernel32.dll', 'PssCaptureSnapshot')) throw new Win32Error('PssCaptureSnapshot', PROC_NOT_FOUND);
  const PssCaptureSnapshot = kernel32.func('uint32 PssCaptureSnapshot(intptr_t process, uint32 flags, uint32 context, void* snapshot)') as unknown as Fn;
  const PssFreeSnapshot = kernel32.func('uint32 PssFreeSnapshot(intptr_t process, intptr_t snapshot)') as unknown as Fn;
  const process = win32.openProcess(QUERY_AND_READ | DUPLICATE | CREATE_PROCESS, order.pid);
  const snapshot = Buffer.alloc(8);
  let code = 0;
  const pausedMs = timed(() => { code = PssCaptureSnapshot(process, CAPTURE, CONTEXT_ALL, snapshot); });
  if (code !== 0) throw new Win32Error('PssCaptureSnapshot', code);
  const handle = Number(snapshot.readBigUInt64LE(0));
  try {
    intoFile(win32, order, (file) => { dumpSnapshot(handle, order, file); });
    return pausedMs;
  } finally {
    PssFreeSnapshot(OWN_PROCESS, handle);
  }
}

/** A callback must tell that the handle is a snapshot's (documented with PssCaptureSnapshot: IsProcessSnapshotCallback). */
function dumpSnapshot(snapshot: number, order: DumpOrder, file: number): void {
  const type = koffi.pointer(koffi.proto('int DumpCallback(void* parameter, void* input, void* output)'));
  const callback = koffi.register((_: unknown, input: unknown, output: unknown) => {
    if (koffi.decode(input, CALLBACK_TYPE_AT, 'uint32') === IS_PROCESS_SNAPSHOT) koffi.encode(output, 'int32', S_FALSE);
    return 1;
  }, type);
  const facts = Buffer.alloc(16);                              // MINIDUMP_CALLBACK_INFORMATION
  facts.writeBigUInt64LE(callback, 0);
  try {
    dump(snapshot, order, file, facts);
  } finally {
    koffi.unregister(callback);
  }
}

function say(answer: DumpAnswer): void { process.stdout.write(`${JSON.stringify(answer)}\n`); }

async function main(): Promise<void> {
  try {
    const order = JSON.parse(process.argv[2] ?? '') as DumpOrder;
    say({ done: write(await openWin32(), order) });
  } catch (error) {
    const gone = error instanceof Win32Error && error.call === 'OpenProcess' && error.win32 === INVALID_PARAMETER;
    say({ failed: error instanceof Error ? error.message : String(error), ...(gone ? { gone } : {}) });
    process.exitCode = 1;
  }
}

void main();
