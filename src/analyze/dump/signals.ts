// Owns the words for how a process died on Linux: signals and the codes that say why (signal(7), sigaction(2)).

const NAMES: Readonly<Record<number, readonly [string, string]>> = {
  1: ['SIGHUP', 'its terminal went away'], 2: ['SIGINT', 'it was interrupted'], 3: ['SIGQUIT', 'it was told to quit with a dump'], 4: ['SIGILL', 'it ran an instruction that does not exist'], 5: ['SIGTRAP', 'it ran into a breakpoint, as V8 does on purpose after a fatal error'],
  6: ['SIGABRT', 'it ended itself because it found something impossible'], 7: ['SIGBUS', 'it used an address that has no memory behind it'], 8: ['SIGFPE', 'it divided by zero or the like'], 9: ['SIGKILL', 'it was killed'], 11: ['SIGSEGV', 'it used memory that is not its own'],
  13: ['SIGPIPE', 'nobody reads what it wrote'], 15: ['SIGTERM', 'it was told to end'], 24: ['SIGXCPU', 'its CPU time was used up'], 25: ['SIGXFSZ', 'a file became too large'], 31: ['SIGSYS', 'it made a system call that is forbidden here'],
};
const CODES: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  11: { 1: 'nothing is mapped there', 2: 'the memory there does not allow it', 128: 'the address is no address' },
  7: { 1: 'the address is not aligned', 2: 'there is no memory behind it', 3: 'the file behind it is shorter or failed' },
  8: { 1: 'a whole number divided by zero', 2: 'a whole number too large', 3: 'a number divided by zero' },
  4: { 1: 'unknown instruction', 2: 'unknown operand' },
};
const FAULTS = new Set([4, 5, 7, 8, 11]);
const PAGE_BYTES = 4_096;

export interface Meaning { readonly name: string; readonly meaning: string; readonly faultAddress: boolean }

export function signalMeaning(signal: number, code: number, address: number, sp: number | undefined): Meaning {
  const [name, words] = NAMES[signal] ?? [`signal ${signal}`, 'it was ended by a signal'];
  const sent = code <= 0;                                      // SI_USER, SI_TKILL, …: somebody sent it
  const faultAddress = FAULTS.has(signal) && signal !== 5 && !sent && code !== 128;
  const why = sent ? undefined : CODES[signal]?.[code];
  const where = faultAddress && signal === 11 ? near(address, sp) : undefined;
  const by = sent && FAULTS.has(signal) ? 'the signal was sent by a program, not by a fault' : undefined;
  return { name, meaning: [words, why, where, by].filter((part) => part !== undefined).join('; '), faultAddress };
}

function near(address: number, sp: number | undefined): string | undefined {
  if (address < PAGE_BYTES * 16) return 'a null pointer was followed';
  if (sp !== undefined && Math.abs(address - sp) < PAGE_BYTES * 16) return 'the address is at the end of the stack: a recursion without end is likely';
  return undefined;
}
