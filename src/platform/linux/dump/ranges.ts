// Owns the address ranges of a process: what they are, which of them a fork would leave out, and how to bring those along with few calls.

/** One mapping. Addresses are below 2^53, so numbers hold them. */
export interface Mapping {
  readonly from: number;
  readonly to: number;
  readonly perms: string;        // "rw-p"
  readonly offset: number;       // in the file
  readonly inode: number;
  readonly path: string;         // "", a file, "[heap]", "/memfd:x (deleted)"
}
export interface FlaggedMapping extends Mapping { readonly flags: ReadonlySet<string> }
export interface Range { readonly from: number; readonly to: number }

const LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ (\d+) *(.*)$/;

function parseLine(line: string): Mapping | undefined {
  const found = LINE.exec(line);
  if (found === null) return undefined;
  const [, from = '', to = '', perms = '', offset = '', inode = '', path = ''] = found;
  return { from: parseInt(from, 16), to: parseInt(to, 16), perms, offset: parseInt(offset, 16), inode: Number(inode), path };
}

/** Lines of an earlier read, by their text: most come again, and looking them up is many times cheaper than reading them. */
export type KnownLines = Map<string, Mapping | undefined>;

/** /proc/PID/maps. The vsyscall page above 2^63 is left out: it is the kernel's own. */
export function parseMaps(text: string, known: KnownLines = new Map()): Mapping[] {
  const all: Mapping[] = [];
  for (const line of text.split('\n')) {
    const mapping = known.has(line) ? known.get(line) : parseLine(line);
    known.set(line, mapping);
    if (mapping !== undefined && mapping.to < Number.MAX_SAFE_INTEGER) all.push(mapping);
  }
  return all;
}

/** /proc/PID/smaps, of which only VmFlags is wanted. */
export function parseSmaps(text: string): FlaggedMapping[] {
  const all: FlaggedMapping[] = [];
  let head: Mapping | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('VmFlags:')) {
      if (head !== undefined && head.to < Number.MAX_SAFE_INTEGER) all.push({ ...head, flags: new Set(line.slice(8).trim().split(' ')) });
      head = undefined;
    } else if (/^[0-9a-f]/.test(line)) {
      head = parseLine(line) ?? head;
    }
  }
  return all;
}

/** A fork leaves this mapping out (MADV_DONTFORK). Device memory has the flag from its driver: it is never touched. */
export const leftOutOfFork = (flags: ReadonlySet<string>): boolean => flags.has('dc') && !isDevice(flags);
const isDevice = (flags: ReadonlySet<string>): boolean => flags.has('io') || flags.has('pf');
/** The app asked that it never be dumped (MADV_DONTDUMP). */
export const leftOutOfDumps = (flags: ReadonlySet<string>): boolean => flags.has('dd') || isDevice(flags);

/** Neighbours that touch become one. */
export function joined(ranges: readonly Range[]): Range[] {
  const all: { from: number; to: number }[] = [];
  for (const { from, to } of ranges) {
    const last = all.at(-1);
    if (last !== undefined && last.to === from) last.to = to;
    else all.push({ from, to });
  }
  return all;
}

export interface ForkPlan {
  /** Calls of MADV_DOFORK before the fork. They may cover ranges that need none: for those the call changes nothing. */
  readonly spans: readonly Range[];
  /** Exactly the ranges that get MADV_DONTFORK back. */
  readonly back: readonly Range[];
  /** Mappings that are new or changed since the flags were read: their flags are not known, so nothing is done to them. */
  readonly unknown: readonly Mapping[];
}

/** The flags read shortly before the pause, made ready so that in it they are only looked up. */
export interface KnownFlags {
  readonly same: ReadonlyMap<number, FlaggedMapping>;
  readonly flagged: readonly Range[];
  readonly plain: readonly Range[];
}

export function knownFlags(before: readonly FlaggedMapping[]): KnownFlags {
  return {
    same: new Map(before.map((mapping) => [mapping.from, mapping])),
    flagged: joined(before.filter(({ flags }) => leftOutOfFork(flags))),
    plain: joined(before.filter(({ flags }) => !leftOutOfFork(flags) && !isDevice(flags))),
  };
}

/**
 * What to do in the pause, from the flags known before it and the mappings as they are in it (`now`).
 * A mapping counts as known when the same addresses and permissions are, or when flagged neighbours cover all of it.
 */
export function planFork({ same, flagged, plain }: KnownFlags, now: readonly Mapping[]): ForkPlan {
  const back: Range[] = [];
  const unknown: Mapping[] = [];
  const spans: { from: number; to: number }[] = [];
  let open: { from: number; to: number } | undefined;
  for (const mapping of now) {
    const known = same.get(mapping.from);
    const kind = known !== undefined && known.to === mapping.to && known.perms === mapping.perms ? kindOf(known.flags) : covered(flagged, mapping) ? 'flagged' : covered(plain, mapping) ? 'plain' : 'unknown';
    if (kind === 'flagged') {
      back.push(mapping);
      if (open === undefined) spans.push(open = { from: mapping.from, to: mapping.to });
      open.to = mapping.to;
    } else if (kind !== 'plain') {
      open = undefined;                                        // a call must not reach over it
      if (kind === 'unknown' && mapping.inode === 0) unknown.push(mapping);
    }
  }
  return { spans, back: joined(back), unknown };
}

function kindOf(flags: ReadonlySet<string>): 'flagged' | 'plain' | 'device' {
  return isDevice(flags) ? 'device' : leftOutOfFork(flags) ? 'flagged' : 'plain';
}

/** Does one of the (sorted, joined) ranges hold all of the mapping. */
function covered(ranges: readonly Range[], { from, to }: Range): boolean {
  const found = ranges[firstEndingAfter(ranges, from)];
  return found !== undefined && found.from <= from && found.to >= to;
}

/** Place of the mapping that holds the address; -1 where none does. */
export function placeOf(mappings: readonly Mapping[], address: number): number {
  const index = firstEndingAfter(mappings, address);
  return (mappings[index]?.from ?? Infinity) <= address ? index : -1;
}

/** Of ranges in order of their addresses. */
function firstEndingAfter(ranges: readonly Range[], address: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle] as Range).to <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}
