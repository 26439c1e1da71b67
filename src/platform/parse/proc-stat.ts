// Owns reading /proc/PID/stat and /proc/PID/statm: numbers straight from the bytes, since this runs for every process every second.

/** Facts: proc_pid_stat(5). Times in clock ticks since boot or since the start, memory in pages. */
export interface ProcStat {
  readonly pid: number;
  readonly comm: string;
  readonly state: string;             // one letter: R S D T t Z X I
  readonly parent: number;
  readonly kernelThread: boolean;
  readonly cpuTicks: number;          // user + system
  readonly threads: number;
  readonly startTicks: number;
  readonly residentPages: number;
}

const SPACE = 0x20;
const ZERO = 0x30;
const MINUS = 0x2d;
const CLOSING = 0x29;
const OPENING = 0x28;
const PF_KTHREAD = 0x0020_0000;       // include/linux/sched.h
/** Fields are counted from the one after the name: field 3 of the manual page is 0 here. */
const FIELD = { state: 0, parent: 1, flags: 6, user: 11, system: 12, priority: 15, threads: 17, start: 19, resident: 21 } as const;
const wanted = new Float64Array(FIELD.resident + 1);

/** One line of /proc/PID/stat in the first `length` bytes. The name may hold spaces, newlines and parentheses: the last `)` ends it. Undefined when the line is not whole. */
export function parseStat(line: Buffer, length: number): ProcStat | undefined {
  const opening = line.indexOf(OPENING);
  const closing = line.lastIndexOf(CLOSING, length - 1);
  if (opening < 1 || closing < opening || closing + 2 >= length) return undefined;
  if (numbersAfter(line, closing + 2, length) <= FIELD.resident) return undefined;
  const number = (field: number): number => wanted[field] as number;
  return {
    pid: numberAt(line, 0, opening - 1),
    comm: line.toString('utf8', opening + 1, closing),
    state: String.fromCharCode(line[closing + 2] as number),
    parent: number(FIELD.parent),
    kernelThread: (number(FIELD.flags) & PF_KTHREAD) !== 0,
    cpuTicks: number(FIELD.user) + number(FIELD.system),
    threads: number(FIELD.threads),
    startTicks: number(FIELD.start),
    residentPages: number(FIELD.resident),
  };
}

/** The same line of a thread: what a look at one process wants besides. */
export interface ThreadStat extends ProcStat { readonly userTicks: number; readonly systemTicks: number; readonly priority: number }

export function parseThreadStat(line: Buffer, length: number): ThreadStat | undefined {
  const stat = parseStat(line, length);
  return stat === undefined ? undefined : { ...stat, userTicks: wanted[FIELD.user] as number, systemTicks: wanted[FIELD.system] as number, priority: wanted[FIELD.priority] as number };
}

/** Resident and shared pages of /proc/PID/statm. */
export function parseStatm(line: Uint8Array, length: number): { readonly residentPages: number; readonly sharedPages: number } | undefined {
  if (numbersAfter(line, 0, length) < 3) return undefined;
  return { residentPages: wanted[1] as number, sharedPages: wanted[2] as number };
}

/** Puts the space-separated numbers from `from` into `wanted` and says how many there were; a letter counts as a field. */
function numbersAfter(line: Uint8Array, from: number, length: number): number {
  let field = 0;
  let value = 0;
  let sign = 1;
  for (let i = from; i < length && field < wanted.length; i += 1) {
    const byte = line[i] as number;
    if (byte >= ZERO && byte <= 0x39) value = value * 10 + byte - ZERO;
    else if (byte === MINUS) sign = -1;
    else if (byte === SPACE || byte === 0x0a) {
      wanted[field] = sign * value;
      field += 1;
      value = 0;
      sign = 1;
    }
  }
  return field;
}

function numberAt(line: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i += 1) value = value * 10 + (line[i] as number) - ZERO;
  return value;
}
