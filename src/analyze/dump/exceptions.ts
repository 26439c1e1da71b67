// Owns the words for Windows' exception codes (ntstatus.h, winnt.h).
import { hex } from './bytes.ts';

const NAMES: Readonly<Record<number, readonly [string, string]>> = {
  0xc0000005: ['access violation', 'it used memory that is not its own'], 0xc0000006: ['in-page error', 'memory could not be read from its file: the disk or the share failed'], 0xc0000017: ['no memory', 'there was no memory left'],
  0xc000001d: ['illegal instruction', 'it ran an instruction that does not exist on this machine'], 0xc0000094: ['integer division by zero', 'it divided by zero'], 0xc0000095: ['integer overflow', 'a whole number became too large'],
  0xc00000fd: ['stack overflow', 'the stack was full: a recursion without end is likely'], 0xc0000374: ['heap corruption', 'the lists of the memory allocator were destroyed'], 0xc0000409: ['fail fast', 'it ended itself because it found something impossible, such as a buffer written beyond its end or an abort'],
  0xc0000420: ['assertion failure', 'a check inside the program failed'], 0xc00000fe: ['protected page', 'a guarded page was touched'], 0xc0000135: ['library not found', 'a library is missing'], 0xc000013a: ['control C', 'it was interrupted'], 0xc0000602: ['fail fast', 'it ended itself because it found something impossible'],
  0x80000001: ['guard page', 'a guarded page was touched'], 0x80000003: ['breakpoint', 'it ran into a breakpoint, as V8 does on purpose after a fatal error'], 0x80000004: ['single step', 'a debugger stepped through it'],
  0xe06d7363: ['C++ exception', 'an exception of C++ that nobody caught'], 0xe0434352: ['.NET exception', 'an exception of .NET that nobody caught'], 0xe0434f4d: ['.NET exception', 'an exception of .NET that nobody caught'], 0x40010006: ['debug text', 'it wrote a text for a debugger'], 0x406d1388: ['thread name', 'it named a thread for a debugger'],
  0xe0000001: ['V8 fatal error', 'V8 ended the process'],
};
const FAIL_FAST: Readonly<Record<number, string>> = { 2: 'a buffer on the stack was written beyond its end', 3: 'a list was destroyed', 5: 'an argument was not valid', 7: 'the program called abort()' };

export function exceptionMeaning(code: number, facts: readonly number[]): { name: string; meaning: string; address?: number } {
  const [name, words] = NAMES[code] ?? [`exception ${hex(code)}`, 'its code is not one of the known ones'];
  const [what, where] = facts;
  if ((code === 0xc0000005 || code === 0xc0000006) && what !== undefined && where !== undefined) {
    const did = what === 0 ? 'reading' : what === 1 ? 'writing' : what === 8 ? 'running' : 'using';
    return { name, meaning: `${words}, ${did} at ${hex(where)}${where < 65_536 ? '; a null pointer was followed' : ''}`, address: where };
  }
  const why = code === 0xc0000409 && what !== undefined ? FAIL_FAST[what] : undefined;
  return { name, meaning: why ?? words };
}
