// Owns the calls into Windows: kernel32, ntdll, psapi, advapi32 and iphlpapi through koffi, each with its checked result.
import type { LibraryHandle } from 'koffi';
import { Win32Error } from './codes.ts';
import { versionReader } from './versions.ts';

/** A handle is a number here: Windows hands out small ones. 0 is none. */
export type Handle = number;

export const ACCESS = { terminate: 0x0001, readMemory: 0x0010, query: 0x0400, queryLimited: 0x1000, synchronize: 0x0010_0000 } as const;
const STATUS_INFO_LENGTH_MISMATCH = 0xc000_0004;
const TOKEN_QUERY = 0x0008;
const TOKEN_USER = 1;
const TCP_TABLE_OWNER_PID_ALL = 5;
const AF_INET = 2;
const AF_INET6 = 23;
const ERROR_INSUFFICIENT_BUFFER = 122;
const LIST_MODULES_ALL = 3;
const NAME_CHARACTERS = 1_024;
/** 0x014c, 0x01c4: 32-bit Intel and ARM; 0: not under WOW64. */
const MACHINE_UNKNOWN = 0;

/** Every method checks what Windows answers. Buffers are filled in place. @throws Win32Error from each, unless said otherwise */
export interface Win32 {
  openProcess(access: number, pid: number): Handle;
  close(handle: Handle): void;
  /** SystemProcessInformation into the buffer; the bytes needed when it is too small. */
  systemProcesses(into: Buffer): { readonly bytes: number } | { readonly neededBytes: number };
  /** Where the buffer lies: names inside it are told by address. */
  addressOf(buffer: Buffer): number;
  /** NtQueryInformationProcess. */
  queryProcess(handle: Handle, what: number, into: Buffer): void;
  /** Whole or not at all. */
  readMemory(handle: Handle, address: number, into: Buffer): void;
  imageName(handle: Handle): string;
  /** Of the process behind this very handle, which may have ended: 100 ns since 1601. */
  createdAt(handle: Handle): bigint;
  is32Bit(handle: Handle): boolean;
  user(handle: Handle): { readonly sid: string; readonly name: string | undefined };
  terminate(handle: Handle, exitCode: number): void;
  /** Addresses of its program files. */
  modules(handle: Handle): readonly number[];
  moduleName(handle: Handle, module: number): string;
  moduleBytes(handle: Handle, module: number): number;
  /** Of a file; undefined where it has none that can be read. Never throws. */
  fileVersion(path: string): string | undefined;
  /** One region of its memory; undefined behind the last. */
  region(handle: Handle, address: number): { readonly base: number; readonly bytes: number; readonly committed: boolean; readonly readable: boolean } | undefined;
  /** How often this thread is stopped; 0 = it runs. */
  threadStops(id: number): number;
  /** Takes one stop away. */
  resumeThread(id: number): void;
  systemTimes(): { readonly idle: bigint; readonly kernel: bigint; readonly user: bigint };
  memory(): { readonly totalBytes: number; readonly freeBytes: number };
  /** MIB_TCPTABLE_OWNER_PID and its sister for IPv6. */
  tcpTable(version: 4 | 6): Buffer;
  /** Is this function there. */
  has(library: string, name: string): boolean;
}

type Native = (...args: readonly (number | string | Buffer | null)[]) => number;

/** @throws what koffi says when its binary does not load: another processor, a sandbox that refuses it, a broken installation */
export async function openWin32(): Promise<Win32> {
  const { default: koffi } = await import('koffi');
  const libraries = new Map<string, LibraryHandle>();
  const library = (name: string): LibraryHandle => {
    const found = libraries.get(name) ?? koffi.load(name);
    libraries.set(name, found);
    return found;
  };
  const native = (name: string, prototype: string): Native => library(name).func(prototype) as unknown as Native;
  const optional = (name: string, prototype: string): Native | undefined => {
    try {
      return native(name, prototype);
    } catch (error) {
      // koffi: "Cannot find function '…' in shared library".
      if (error instanceof Error && error.message.includes('find function')) return undefined;
      throw error;
    }
  };
  return methods(native, optional, (buffer) => Number(koffi.address(buffer)));
}

type Bind = (library: string, prototype: string) => Native;
type BindOptional = (library: string, prototype: string) => Native | undefined;

function methods(native: Bind, optional: BindOptional, addressOf: (buffer: Buffer) => number): Win32 {
  const lastError = native('kernel32.dll', 'uint32 GetLastError()');
  const ok = (call: string, result: number): void => { if (result === 0) throw new Win32Error(call, lastError()); };
  const toWin32 = native('ntdll.dll', 'uint32 RtlNtStatusToDosError(int32 status)');
  const succeeded = (call: string, status: number): void => { if (status < 0) throw new Win32Error(call, toWin32(status)); };
  const eight = Buffer.alloc(8);
  return {
    ...opening(native, ok),
    ...reading(native, ok, succeeded),
    ...users(native, ok),
    ...parts(native, ok),
    ...threads(native, ok, succeeded),
    ...host(native, ok),
    ...system(native, toWin32, eight),
    addressOf,
    fileVersion: versionReader(native),
    is32Bit: bitness(native, optional, ok),
    has: (library, name) => optional(library, `int ${name}()`) !== undefined,
  };
}

type Ok = (call: string, result: number) => void;

function opening(native: Bind, ok: Ok): Pick<Win32, 'openProcess' | 'close' | 'terminate' | 'createdAt' | 'imageName'> {
  const OpenProcess = native('kernel32.dll', 'intptr_t OpenProcess(uint32 access, int inherit, uint32 pid)');
  const CloseHandle = native('kernel32.dll', 'int CloseHandle(intptr_t handle)');
  const TerminateProcess = native('kernel32.dll', 'int TerminateProcess(intptr_t handle, uint32 code)');
  const GetProcessTimes = native('kernel32.dll', 'int GetProcessTimes(intptr_t handle, void* created, void* exited, void* kernel, void* user)');
  const QueryFullProcessImageNameW = native('kernel32.dll', 'int QueryFullProcessImageNameW(intptr_t handle, uint32 flags, void* name, void* size)');
  const times = Buffer.alloc(32);
  const name = Buffer.alloc(2 * NAME_CHARACTERS);
  const size = Buffer.alloc(4);
  return {
    openProcess: (access, pid) => { const handle = OpenProcess(access, 0, pid); ok('OpenProcess', handle); return handle; },
    close: (handle) => { ok('CloseHandle', CloseHandle(handle)); },
    terminate: (handle, code) => { ok('TerminateProcess', TerminateProcess(handle, code)); },
    createdAt: (handle) => { ok('GetProcessTimes', GetProcessTimes(handle, times, times.subarray(8), times.subarray(16), times.subarray(24))); return times.readBigUInt64LE(0); },
    imageName: (handle) => {
      size.writeUInt32LE(NAME_CHARACTERS);
      ok('QueryFullProcessImageNameW', QueryFullProcessImageNameW(handle, 0, name, size));
      return name.toString('utf16le', 0, 2 * size.readUInt32LE(0));
    },
  };
}

function reading(native: Bind, ok: Ok, succeeded: Ok): Pick<Win32, 'queryProcess' | 'readMemory' | 'region'> {
  const NtQueryInformationProcess = native('ntdll.dll', 'int32 NtQueryInformationProcess(intptr_t handle, uint32 what, void* into, uint32 size, void* got)');
  const ReadProcessMemory = native('kernel32.dll', 'int ReadProcessMemory(intptr_t handle, uintptr_t address, void* into, size_t size, void* got)');
  const VirtualQueryEx = native('kernel32.dll', 'size_t VirtualQueryEx(intptr_t handle, uintptr_t address, void* into, size_t size)');
  const got = Buffer.alloc(8);
  const one = Buffer.alloc(48);                                // MEMORY_BASIC_INFORMATION on 64 bit
  return {
    queryProcess: (handle, what, into) => { succeeded('NtQueryInformationProcess', NtQueryInformationProcess(handle, what, into, into.length, null)); },
    readMemory: (handle, address, into) => { ok('ReadProcessMemory', ReadProcessMemory(handle, address, into, into.length, got)); },
    region: (handle, address) => {
      // 0 with ERROR_INVALID_PARAMETER is how Windows says that there is nothing above.
      if (VirtualQueryEx(handle, address, one, one.length) === 0) return undefined;
      const protection = one.readUInt32LE(36);
      // MEM_COMMIT; neither PAGE_NOACCESS nor PAGE_GUARD.
      return { base: Number(one.readBigUInt64LE(0)), bytes: Number(one.readBigUInt64LE(24)), committed: one.readUInt32LE(32) === 0x1000, readable: (protection & 0x101) === 0 && protection !== 0 };
    },
  };
}

function users(native: Bind, ok: Ok): Pick<Win32, 'user'> {
  const OpenProcessToken = native('advapi32.dll', 'int OpenProcessToken(intptr_t handle, uint32 access, void* token)');
  const GetTokenInformation = native('advapi32.dll', 'int GetTokenInformation(intptr_t token, int what, void* into, uint32 size, void* got)');
  const LookupAccountSidW = native('advapi32.dll', 'int LookupAccountSidW(str16 system, uintptr_t sid, void* name, void* nameSize, void* domain, void* domainSize, void* use)');
  const CloseHandle = native('kernel32.dll', 'int CloseHandle(intptr_t handle)');
  const token = Buffer.alloc(8);
  const into = Buffer.alloc(256);
  const names = new Map<string, string | undefined>();
  return {
    user: (handle) => {
      ok('OpenProcessToken', OpenProcessToken(handle, TOKEN_QUERY, token));
      const opened = Number(token.readBigUInt64LE(0));
      try {
        ok('GetTokenInformation', GetTokenInformation(opened, TOKEN_USER, into, into.length, Buffer.alloc(4)));
      } finally {
        CloseHandle(opened);
      }
      // TOKEN_USER points to the SID behind it: 8 bytes and 4 for each sub-authority.
      const at = 16;
      const sid = into.toString('hex', at, at + 8 + 4 * (into[at + 1] as number));
      if (!names.has(sid)) names.set(sid, account(LookupAccountSidW, Number(into.readBigUInt64LE(0))));
      return { sid, name: names.get(sid) };
    },
  };
}

/** "DOMAIN\name"; undefined where nobody knows the SID, as with application pools seen from a sandbox. */
function account(lookup: Native, sid: number): string | undefined {
  const [name, domain] = [Buffer.alloc(2 * NAME_CHARACTERS), Buffer.alloc(2 * NAME_CHARACTERS)];
  const sizes = Buffer.alloc(12);
  sizes.writeUInt32LE(NAME_CHARACTERS, 0);
  sizes.writeUInt32LE(NAME_CHARACTERS, 4);
  if (lookup(null, sid, name, sizes, domain, sizes.subarray(4), sizes.subarray(8)) === 0) return undefined;
  const text = (buffer: Buffer): string => buffer.toString('utf16le').split('\0')[0] ?? '';
  return text(domain) === '' ? text(name) : `${text(domain)}\\${text(name)}`;
}

function parts(native: Bind, ok: Ok): Pick<Win32, 'modules' | 'moduleName' | 'moduleBytes'> {
  const EnumProcessModulesEx = native('psapi.dll', 'int EnumProcessModulesEx(intptr_t handle, void* into, uint32 size, void* needed, uint32 which)');
  const GetModuleFileNameExW = native('psapi.dll', 'uint32 GetModuleFileNameExW(intptr_t handle, uintptr_t module, void* into, uint32 size)');
  const GetModuleInformation = native('psapi.dll', 'int GetModuleInformation(intptr_t handle, uintptr_t module, void* into, uint32 size)');
  const name = Buffer.alloc(2 * NAME_CHARACTERS);
  const facts = Buffer.alloc(24);
  return {
    modules: (handle) => {
      const needed = Buffer.alloc(4);
      let list = Buffer.alloc(8 * 1_024);
      ok('EnumProcessModulesEx', EnumProcessModulesEx(handle, list, list.length, needed, LIST_MODULES_ALL));
      if (needed.readUInt32LE(0) > list.length) {
        list = Buffer.alloc(needed.readUInt32LE(0));
        ok('EnumProcessModulesEx', EnumProcessModulesEx(handle, list, list.length, needed, LIST_MODULES_ALL));
      }
      return Array.from({ length: Math.min(list.length, needed.readUInt32LE(0)) / 8 }, (_, i) => Number(list.readBigUInt64LE(8 * i)));
    },
    moduleName: (handle, module) => {
      const length = GetModuleFileNameExW(handle, module, name, NAME_CHARACTERS);
      ok('GetModuleFileNameExW', length);
      return name.toString('utf16le', 0, 2 * length);
    },
    moduleBytes: (handle, module) => { ok('GetModuleInformation', GetModuleInformation(handle, module, facts, facts.length)); return facts.readUInt32LE(8); },
  };
}

const THREAD_SUSPEND_COUNT = 35;
const SUSPEND_RESUME = 0x0002, THREAD_QUERY = 0x0040;

function threads(native: Bind, ok: Ok, succeeded: Ok): Pick<Win32, 'threadStops' | 'resumeThread'> {
  const OpenThread = native('kernel32.dll', 'intptr_t OpenThread(uint32 access, int inherit, uint32 id)');
  const ResumeThread = native('kernel32.dll', 'uint32 ResumeThread(intptr_t handle)');
  const NtQueryInformationThread = native('ntdll.dll', 'int32 NtQueryInformationThread(intptr_t handle, uint32 what, void* into, uint32 size, void* got)');
  const CloseHandle = native('kernel32.dll', 'int CloseHandle(intptr_t handle)');
  const count = Buffer.alloc(4);
  const open = <T>(id: number, access: number, use: (handle: Handle) => T): T => {
    const handle = OpenThread(access, 0, id);
    ok('OpenThread', handle);
    try { return use(handle); } finally { CloseHandle(handle); }
  };
  return {
    threadStops: (id) => open(id, THREAD_QUERY, (handle) => {
      succeeded('NtQueryInformationThread', NtQueryInformationThread(handle, THREAD_SUSPEND_COUNT, count, count.length, null));
      return count.readUInt32LE(0);
    }),
    // -1, here as unsigned, is the failure.
    resumeThread: (id) => { open(id, SUSPEND_RESUME, (handle) => { ok('ResumeThread', ResumeThread(handle) === 0xffff_ffff ? 0 : 1); }); },
  };
}

function host(native: Bind, ok: Ok): Pick<Win32, 'systemTimes' | 'memory'> {
  const GetSystemTimes = native('kernel32.dll', 'int GetSystemTimes(void* idle, void* kernel, void* user)');
  const GlobalMemoryStatusEx = native('kernel32.dll', 'int GlobalMemoryStatusEx(void* status)');
  const times = Buffer.alloc(24);
  const status = Buffer.alloc(64);                             // MEMORYSTATUSEX
  return {
    systemTimes: () => {
      ok('GetSystemTimes', GetSystemTimes(times, times.subarray(8), times.subarray(16)));
      return { idle: times.readBigUInt64LE(0), kernel: times.readBigUInt64LE(8), user: times.readBigUInt64LE(16) };
    },
    memory: () => {
      status.writeUInt32LE(status.length, 0);
      ok('GlobalMemoryStatusEx', GlobalMemoryStatusEx(status));
      return { totalBytes: Number(status.readBigUInt64LE(8)), freeBytes: Number(status.readBigUInt64LE(16)) };
    },
  };
}

const SYSTEM_PROCESSES = 5;

function system(native: Bind, toWin32: Native, got: Buffer): Pick<Win32, 'systemProcesses' | 'tcpTable'> {
  const NtQuerySystemInformation = native('ntdll.dll', 'int32 NtQuerySystemInformation(uint32 what, void* into, uint32 size, void* got)');
  let GetExtendedTcpTable: Native | undefined;
  return {
    systemProcesses: (into) => {
      const status = NtQuerySystemInformation(SYSTEM_PROCESSES, into, into.length, got);
      if (status >>> 0 === STATUS_INFO_LENGTH_MISMATCH) return { neededBytes: got.readUInt32LE(0) };
      if (status < 0) throw new Win32Error('NtQuerySystemInformation', toWin32(status));
      return { bytes: got.readUInt32LE(0) };
    },
    tcpTable: (version) => {
      GetExtendedTcpTable ??= native('iphlpapi.dll', 'uint32 GetExtendedTcpTable(void* into, void* size, int order, uint32 family, int what, uint32 reserved)');
      let table = Buffer.alloc(64 * 1_024);
      for (;;) {
        got.writeUInt32LE(table.length, 0);
        const code = GetExtendedTcpTable(table, got, 0, version === 4 ? AF_INET : AF_INET6, TCP_TABLE_OWNER_PID_ALL, 0);
        if (code === 0) return table;
        if (code !== ERROR_INSUFFICIENT_BUFFER || table.length > 16 * 1_024 * 1_024) throw new Win32Error('GetExtendedTcpTable', code);
        table = Buffer.alloc(2 * Math.max(table.length, got.readUInt32LE(0)));
      }
    },
  };
}

/** IsWow64Process2 came with Windows 10; before, IsWow64Process says the same of Intel. */
function bitness(native: Bind, optional: BindOptional, ok: Ok): Win32['is32Bit'] {
  const newer = optional('kernel32.dll', 'int IsWow64Process2(intptr_t handle, void* machine, void* native)');
  const machine = Buffer.alloc(4);
  if (newer !== undefined) return (handle) => { ok('IsWow64Process2', newer(handle, machine, machine.subarray(2))); return machine.readUInt16LE(0) !== MACHINE_UNKNOWN; };
  const older = native('kernel32.dll', 'int IsWow64Process(intptr_t handle, void* is)');
  return (handle) => { ok('IsWow64Process', older(handle, machine)); return machine.readInt32LE(0) !== 0; };
}
