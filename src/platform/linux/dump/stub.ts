// Owns the piece of machine code that runs inside the target, and the frame on which it finds its work and the way back.
import { POPPED, readRegister, writeRegister } from './registers.ts';

/**
 * x86-64, position independent. r12: system calls to make, r13: how many; r14: ranges for madvise(MADV_DONTFORK), r15: how many; rsp: the frame.
 * It needs nobody: whether its tracer lives or not, it does all of its work, restores every register and jumps back to where the thread was.
 * The only other way is that of a clone's child, which ends at once (it is kept stopped by the tracer as long as there is one).
 *
 *   next:  test r13,r13; jz pairs
 *          mov rax,[r12]; mov rdi,[r12+8]; mov rsi,[r12+16]; mov rdx,[r12+24]; xor r10d,r10d; xor r8d,r8d; xor r9d,r9d
 *          syscall
 *          cmp qword [r12],56; jne kept; test rax,rax; jz child        56: clone
 *   kept:  mov [r12],rax; add r12,32; dec r13; jmp next
 *   pairs: test r15,r15; jz out
 *          mov eax,28; mov rdi,[r14]; mov rsi,[r14+8]; mov edx,10; syscall      28: madvise, 10: MADV_DONTFORK
 *          add r14,16; dec r15; jmp pairs
 *   out:   pop r15 … pop rdi; popfq; pop rsp; jmp [slot]
 *   child: xor edi,edi; mov eax,231; syscall; jmp child               231: exit_group
 *   slot:  the address to go back to
 */
const CODE = Buffer.from(
  '4d85ed7437498b0424498b7c2408498b742410498b5424184531d24531c04531c90f05' +
  '49833c243875054885c0744d498904244983c42049ffcdebc4' +
  '4d85ff741cb81c000000498b3e498b7608ba0a0000000f054983c61049ffcfebdf' +
  '415f415e415d415c5d5b415b415a4159415858595a5e5f9d5cff250c000000' +
  '31ffb8e70000000f05ebf590', 'hex');
const SLOT_AT = CODE.length;
export const STUB_BYTES = SLOT_AT + 8;

const CALL_BYTES = 32;
const PAIR_BYTES = 16;
/** What lies below a thread's stack pointer may be in use (System V ABI). */
const RED_ZONE_BYTES = 128n;

export interface Call { readonly number: number; readonly a: number; readonly b: number; readonly c: number }
/** arch/x86/entry/syscalls/syscall_64.tbl */
export const SYS = { close: 3, ioctl: 16, madvise: 28, clone: 56, wait4: 61, readMemory: 310, userfaultfd: 323, pidfdOpen: 434, pidfdGetfd: 438 } as const;
export const MADV_DOFORK = 11;

/** The code with its way back. */
export function stubCode(backTo: bigint): Buffer {
  const slot = Buffer.alloc(8);
  slot.writeBigUInt64LE(backTo);
  return Buffer.concat([CODE, slot]);
}

export interface Frame {
  /** Where its bytes go in the target: below the red zone of the thread's stack. */
  readonly at: bigint;
  readonly bytes: Buffer;
  /** Address of the result of each call, once made. */
  resultAt(call: number): bigint;
  /** The registers with which the thread enters the stub. */
  readonly enter: Buffer;
}

/** Ranges as the stub reads them: made before the pause, since a process of 4 GiB has thousands. */
export function pairsOf(ranges: readonly { from: number; to: number }[]): Buffer {
  const pairs = Buffer.alloc(ranges.length * PAIR_BYTES);
  ranges.forEach(({ from, to }, index) => {
    pairs.writeBigUInt64LE(BigInt(from), index * PAIR_BYTES);
    pairs.writeBigUInt64LE(BigInt(to - from), index * PAIR_BYTES + 8);
  });
  return pairs;
}

export const NO_PAIRS = pairsOf([]);

/** @param resume where and how the thread goes on afterwards (see `resumable`) @param calls made first @param pairs get MADV_DONTFORK then (see `pairsOf`) */
export function frameFor(resume: Buffer, stubAt: bigint, calls: readonly Call[], pairs: Buffer): Frame {
  const restored = (POPPED.length + 2) * 8;
  const size = restored + calls.length * CALL_BYTES + pairs.length;
  const at = (readRegister(resume, 'rsp') - RED_ZONE_BYTES - BigInt(size)) & ~15n;
  const bytes = Buffer.alloc(size);
  POPPED.forEach((name, index) => { bytes.writeBigUInt64LE(readRegister(resume, name), index * 8); });
  bytes.writeBigUInt64LE(readRegister(resume, 'eflags'), restored - 16);
  bytes.writeBigUInt64LE(readRegister(resume, 'rsp'), restored - 8);
  calls.forEach((call, index) => { [call.number, call.a, call.b, call.c].forEach((word, k) => { bytes.writeBigInt64LE(BigInt(word), restored + index * CALL_BYTES + k * 8); }); });
  const pairsAt = restored + calls.length * CALL_BYTES;
  pairs.copy(bytes, pairsAt);
  const enter = Buffer.from(resume);
  writeRegister(enter, 'rsp', at);
  writeRegister(enter, 'rip', stubAt);
  writeRegister(enter, 'r12', at + BigInt(restored));
  writeRegister(enter, 'r13', BigInt(calls.length));
  writeRegister(enter, 'r14', at + BigInt(pairsAt));
  writeRegister(enter, 'r15', BigInt(pairs.length / PAIR_BYTES));
  writeRegister(enter, 'origRax', -1n);                        // no system call of the kernel's to start again
  return { at, bytes, enter, resultAt: (call) => at + BigInt(restored + call * CALL_BYTES) };
}

/** Does a thread with these registers stand in the stub. */
export function isInStub(registers: Buffer, stubAt: number): boolean {
  const at = Number(readRegister(registers, 'rip'));
  return at >= stubAt && at < stubAt + STUB_BYTES;
}
