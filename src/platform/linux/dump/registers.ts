// Owns the layout of x86-64 registers as ptrace and core files have them, and what the kernel would do with an interrupted system call.

/** struct user_regs_struct: 27 words, in this order. */
export const REGISTERS_BYTES = 27 * 8;
const ORDER = ['r15', 'r14', 'r13', 'r12', 'rbp', 'rbx', 'r11', 'r10', 'r9', 'r8', 'rax', 'rcx', 'rdx', 'rsi', 'rdi', 'origRax', 'rip', 'cs', 'eflags', 'rsp', 'ss', 'fsBase', 'gsBase', 'ds', 'es', 'fs', 'gs'] as const;
export type RegisterName = (typeof ORDER)[number];
/** The general registers that a frame of ours restores, in the order in which they are popped. */
export const POPPED: readonly RegisterName[] = ORDER.slice(0, 15);

export const registerAt = (name: RegisterName): number => ORDER.indexOf(name) * 8;
export const readRegister = (registers: Buffer, name: RegisterName): bigint => registers.readBigUInt64LE(registerAt(name));
export const readSigned = (registers: Buffer, name: RegisterName): bigint => registers.readBigInt64LE(registerAt(name));
export const writeRegister = (registers: Buffer, name: RegisterName, value: bigint): void => { registers.writeBigInt64LE(BigInt.asIntN(64, value), registerAt(name)); };

/** include/linux/errno.h: what an interrupted system call holds in rax at the stop; user space never sees these. */
const RESTART_SYS = -512n, RESTART_NO_INTR = -513n, RESTART_NO_HANDLER = -514n, RESTART_BLOCK = -516n;
const RESTART_SYSCALL = 219n;
const SYSCALL_BYTES = 2n;

/** Was the thread inside a system call when it was stopped. */
export const inSystemCall = (registers: Buffer): boolean => readSigned(registers, 'origRax') >= 0n;

/**
 * The registers with which user space must go on when we send it there ourselves: the kernel starts an interrupted system call again on its way out,
 * which it does not do for a thread that comes back from our code, so it is done here in the same way (arch/x86/kernel/signal.c).
 */
export function resumable(stopped: Buffer): Buffer {
  const registers = Buffer.from(stopped);
  if (!inSystemCall(stopped)) return registers;
  const result = readSigned(stopped, 'rax');
  if (result === RESTART_SYS || result === RESTART_NO_INTR || result === RESTART_NO_HANDLER) writeRegister(registers, 'rax', readSigned(stopped, 'origRax'));
  else if (result === RESTART_BLOCK) writeRegister(registers, 'rax', RESTART_SYSCALL);
  else return registers;
  writeRegister(registers, 'rip', readRegister(stopped, 'rip') - SYSCALL_BYTES);
  return registers;
}
