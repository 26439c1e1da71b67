// Owns the system calls of a tracer: ptrace, waitpid and kill through koffi, each result checked, each failure with its name.
import { createRequire } from 'node:module';
import { constants } from 'node:os';

/** include/uapi/linux/ptrace.h */
export const PTRACE = {
  cont: 7, detach: 17, getRegs: 12, setRegs: 13, getFpRegs: 14, setOptions: 0x4200, getEventMessage: 0x4201, getSignal: 0x4202,
  getRegisterSet: 0x4204, seize: 0x4206, interrupt: 0x4207, getSignalMask: 0x420a, getRseq: 0x420f,
} as const;
export const OPTION_TRACE_CLONE = 0x08;
export const OPTION_EXIT_KILL = 0x0010_0000;
export const EVENT_CLONE = 3;
export const EVENT_STOP = 128;
/** Register set of the extended processor state (AVX and beyond). */
export const NT_X86_XSTATE = 0x202;

const WNOHANG = 1;
/** Wait for every child, threads of others and clones too. */
const WALL = 0x4000_0000;
const ECHILD = constants.errno.ECHILD;

/** A system call that failed, with errno's name. */
export class SystemCallError extends Error {
  readonly errno: number;
  constructor(call: string, errno: number) {
    super(`${call}: ${errnoName(errno)}`);
    this.errno = errno;
  }
}

function errnoName(errno: number): string {
  return Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
}

/** How a thread was found by wait. */
export interface Waited { readonly tid: number; readonly status: number }

export interface Libc {
  /** @throws SystemCallError */
  ptrace(request: number, tid: number, address: number | bigint, data: number | bigint | Buffer, what: string): void;
  /** Bytes the kernel filled of a register set. @throws SystemCallError */
  registerSet(tid: number, set: number, into: Buffer): number;
  /** Looks once, does not wait; undefined: nothing to tell; 'none': it is not ours to wait for, or gone. */
  wait(tid: number): Waited | 'none' | undefined;
  addressOf(buffer: Buffer): bigint;
  /** A system call by its number; `what` names it in the error. @throws SystemCallError */
  call(what: string, number: number, ...args: (number | bigint)[]): number;
}

interface Koffi {
  load(path: null): { func(definition: string): (...args: unknown[]) => unknown };
  errno(): number;
  address(value: Buffer): bigint;
}

/** Loads koffi's native part. @throws when its binary is missing for this machine */
export function openLibc(): Libc {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi;
  const libc = koffi.load(null);
  const ptrace = libc.func('long ptrace(long request, int tid, uintptr_t address, uintptr_t data)');
  const waitpid = libc.func('int waitpid(int pid, _Out_ int *status, int options)');
  const syscall = libc.func('long syscall(long number, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e, uintptr_t f)');
  const status: [number] = [0];
  const call = (request: number, tid: number, address: number | bigint, data: number | bigint, what: string): void => {
    if (Number(ptrace(request, tid, address, data)) < 0) throw new SystemCallError(`ptrace ${what} of thread ${tid}`, koffi.errno());
  };
  return {
    addressOf: (buffer) => koffi.address(buffer),
    call(what, number, ...args) {
      const answer = Number(syscall(number, ...Array.from({ length: 6 }, (_, i) => args[i] ?? 0)));
      if (answer < 0) throw new SystemCallError(what, koffi.errno());
      return answer;
    },
    ptrace: (request, tid, address, data, what) => { call(request, tid, address, typeof data === 'object' ? koffi.address(data) : data, what); },
    registerSet(tid, set, into) {
      const vector = Buffer.alloc(16);
      vector.writeBigUInt64LE(koffi.address(into), 0);
      vector.writeBigUInt64LE(BigInt(into.length), 8);
      call(PTRACE.getRegisterSet, tid, set, koffi.address(vector), 'register set');
      return Number(vector.readBigUInt64LE(8));
    },
    wait(tid) {
      const found = Number(waitpid(tid, status, WALL | WNOHANG));
      if (found > 0) return { tid: found, status: status[0] };
      if (found === 0) return undefined;
      const errno = koffi.errno();
      if (errno === ECHILD) return 'none';
      throw new SystemCallError('waitpid', errno);
    },
  };
}

export const isStopped = (status: number): boolean => (status & 0xff) === 0x7f;
export const stopSignal = (status: number): number => (status >> 8) & 0xff;
export const stopEvent = (status: number): number => status >> 16;
