// Owns a core that is written while its process runs: memory is copied, what was written meanwhile is copied again, and only the last of it while the process stands still.
import { rmSync } from 'node:fs';
import { ENTRY_BYTES, PN_XNUM, contentOf, headersOf, isOwnPage, leftOut, pageUp, pieces, presentRuns, readMemory } from './core-file.ts';
import type { Content, CorePlan, Segment } from './core-file.ts';
import { CoreOut } from './core-out.ts';
import { Extents } from './extents.ts';
import { SystemCallError } from './libc.ts';
import type { Libc } from './libc.ts';
import type { FlaggedMapping, Mapping, Range } from './ranges.ts';
import { Refused } from './refused.ts';
import { SYS } from './stub.ts';
import type { Run, WrittenPages } from './written-pages.ts';

const PAGE_BYTES = 4_096;
/** Of the notes of one thread: registers and at most 11 KB of extended state. */
const THREAD_BYTES = 14 * 1024;
/** One scan: its pages are read at once, while they are still what was told. */
const CHUNK_BYTES = 16 * 1024 * 1024;
/** Of one call that reads scattered memory (IOV_MAX). */
const PIECES = 1_024;
const PIECE_BYTES = 16;

export interface TrackedFiles { readonly libc: Libc; readonly pid: number; readonly mem: number; readonly pagemap: number; readonly file: string }

export class TrackedCore {
  readonly #files: TrackedFiles;
  readonly #record: WrittenPages;
  readonly #isExcluded: (mapping: Mapping) => boolean;
  readonly #out: CoreOut;
  readonly #extents: Extents;
  readonly #room: number;
  /** By the mapping's text: those that are known to be under watch or not to be watched. */
  readonly #known = new Map<string, { readonly content: Content; readonly isWatched: boolean }>();
  readonly #local = Buffer.alloc(PIECE_BYTES);
  readonly #remote = Buffer.alloc(PIECES * PIECE_BYTES);
  readonly #remoteWords = new Uint32Array(this.#remote.buffer, this.#remote.byteOffset, PIECES * PIECE_BYTES / 4);
  #buffer = Buffer.alloc(0);

  /** @param threads of the process now: their notes need room in the file */
  constructor(files: TrackedFiles, record: WrittenPages, before: readonly FlaggedMapping[], threads: number) {
    this.#files = files;
    this.#record = record;
    this.#isExcluded = leftOut(before);
    // Headers and notes are written last, when the process may have more threads and mappings than now.
    this.#room = pageUp(256 * 1024 + (before.length * 2 + 4_096) * ENTRY_BYTES + (threads * 2 + 16) * THREAD_BYTES + before.reduce((sum, { path }) => sum + path.length + 26, 0) * 2);
    this.#extents = new Extents(this.#room);
    this.#out = new CoreOut(files.file, files.libc);
  }

  /** Copies what was written since the last round (in the first: everything), while the process runs. @yields bytes copied, at most 64 KiB */
  * round(mappings: readonly Mapping[]): Generator<number> {
    for (const mapping of mappings) {
      const { content, isWatched, isNew } = this.#take(mapping);
      if (content === 'none') continue;
      const to = endOf(mapping, content);
      if (!isWatched) {
        // What the kernel does not watch is read in the pause again, if it can change at all.
        if (isNew) yield* this.#copy(content === 'present' ? presentRuns(this.#files.pagemap, mapping.from, to) : pieces(mapping.from, to), content);
        continue;
      }
      for (let at = mapping.from; at < to; at += CHUNK_BYTES) {
        const end = Math.min(to, at + CHUNK_BYTES);
        const written = this.#record.takeWritten(at, end);
        // Of a file also pages that nobody has touched yet.
        yield* this.#copy(isNew && content !== 'present' ? whole(written, at, end) : written, content);
      }
    }
  }

  /** Memory for what is read in the pause; touched now, so that the stopped process waits for no fresh page. */
  prepare(sizeBytes: number): void {
    if (this.#buffer.length < sizeBytes) this.#buffer = Buffer.allocUnsafeSlow(sizeBytes).fill(1);
  }

  get preparedBytes(): number { return this.#buffer.length; }

  /** What must be read in the pause: changed pages of what belongs into the core. */
  wanted(runs: readonly Run[], mappings: readonly Mapping[]): Range[] {
    const found: Range[] = [];
    let next = 0;
    for (const mapping of mappings) {
      while (next < runs.length && (runs[next] as Run).to <= mapping.from) next += 1;
      let to = -1;
      for (let i = next; i < runs.length; i += 1) {
        const run = runs[i] as Run;
        if (run.from >= mapping.to) break;
        if (!run.changed) continue;
        if (to < 0) to = this.#endInPause(mapping);
        if (run.from >= to) break;
        found.push({ from: Math.max(run.from, mapping.from), to: Math.min(run.to, to) });
      }
    }
    return found;
  }

  /** Reads them, one after the other, into the prepared memory. The process stands still. */
  read(runs: readonly Range[]): void {
    let filled = 0;
    for (let first = 0; first < runs.length; first += PIECES) filled += this.#readSome(runs.slice(first, first + PIECES), filled);
  }

  /** Puts what was read in the pause into the file, and takes out what the process has given back. @yields bytes put, at most 64 KiB */
  * putLast(last: readonly Range[], present: readonly Range[], mappings: readonly Mapping[]): Generator<number> {
    for (const mapping of mappings) this.#cover(mapping, this.#contentInPause(mapping));
    let from = 0;
    for (const run of last) {
      for (const { from: begin, to, at } of this.#extents.places(run.from, run.to)) {
        const place = from + (begin - run.from);
        for (const [a, b] of pieces(0, to - begin)) {
          this.#out.take(at + a, b - a, (into, where, size) => this.#buffer.copy(into, where, place + a, place + a + size));
          yield b - a;
        }
      }
      from += run.to - run.from;
    }
    for (const { at, from: begin, to } of this.#extents.stale(present)) {
      for (const [a, b] of pieces(0, to - begin)) {
        this.#out.take(at + a, b - a, (into, where, size) => { into.fill(0, where, where + size); return size; });
        yield 0;
      }
    }
  }

  /** Writes the headers: the file is a whole core then. @throws Refused when the room that was left for them is too small */
  finish(mappings: readonly Mapping[], notes: Buffer): CorePlan {
    const segments = mappings.flatMap((mapping): Segment[] => {
      const content = this.#contentInPause(mapping);
      if (content === 'none') return [{ mapping, content, fileBytes: 0, at: this.#room }];
      const places = this.#extents.places(mapping.from, endOf(mapping, content));
      return places.map(({ from, to, at }, i) => ({ mapping: { ...mapping, from, to: i === places.length - 1 ? mapping.to : to }, content, fileBytes: to - from, at }));
    });
    const headers = headersOf(segments, notes, segments.length + 1 >= PN_XNUM);
    if (headers.length > this.#room) throw new Refused('busy', 'the process got so many new threads and mappings while it was copied that they have no room in the file');
    this.#out.put(headers, 0);
    this.#out.end(this.#extents.endAt);
    const excludedBytes = mappings.filter((mapping) => this.#isExcluded(mapping)).reduce((sum, { from, to }) => sum + to - from, 0);
    return { segments, headers, sizeBytes: this.#extents.endAt, excludedBytes };
  }

  close(isWhole: boolean): void {
    this.#out.close();
    if (!isWhole) rmSync(this.#files.file, { force: true });
  }

  #take(mapping: Mapping): { readonly content: Content; readonly isWatched: boolean; readonly isNew: boolean } {
    const key = keyOf(mapping);
    const known = this.#known.get(key);
    if (known !== undefined) return { ...known, isNew: false };
    const content = this.#isExcluded(mapping) ? 'none' : contentOf(mapping, ({ from, to, perms }) => perms.includes('w') || presentRuns(this.#files.pagemap, from, to, isOwnPage).next().done !== true);
    const isWatched = content !== 'none' && this.#record.watch({ from: mapping.from, to: endOf(mapping, content) });
    this.#cover(mapping, content);
    this.#known.set(key, { content, isWatched });
    return { content, isWatched, isNew: true };
  }

  #cover(mapping: Mapping, content: Content): void {
    if (content !== 'none') this.#extents.cover(mapping.from, endOf(mapping, content));
  }

  /** Of a file that was mapped in the last moment: the pages that the process has. */
  #contentInPause(mapping: Mapping): Content {
    return this.#known.get(keyOf(mapping))?.content ?? (this.#isExcluded(mapping) ? 'none' : contentOf(mapping, () => true));
  }

  #endInPause(mapping: Mapping): number {
    const content = this.#contentInPause(mapping);
    return content === 'none' ? 0 : endOf(mapping, content);
  }

  * #copy(runs: Iterable<readonly [number, number]>, content: Content): Generator<number> {
    for (const [first, last] of runs) {
      for (const { from, to, at } of this.#extents.places(first, last)) {
        for (const [begin, end] of pieces(from, to)) {
          const size = this.#out.take(at + (begin - from), end - begin, (into, place, sizeBytes) => readMemory(this.#files.mem, into, place, sizeBytes, begin));
          // Of a file all pages belong into the core, also those that the process has not got in its memory.
          if (size > 0 && content === 'present') this.#extents.mark(begin, begin + size);
          yield size;
        }
      }
    }
  }

  /** A place that the kernel is to read; a number that is written into 32 bits keeps its lower ones. */
  #put(index: number, from: number, sizeBytes: number): void {
    this.#remoteWords[index * 4] = from;
    this.#remoteWords[index * 4 + 1] = from / 0x1_0000_0000;
    this.#remoteWords[index * 4 + 2] = sizeBytes;
    this.#remoteWords[index * 4 + 3] = sizeBytes / 0x1_0000_0000;
  }

  #readSome(runs: readonly Range[], at: number): number {
    const sizeBytes = runs.reduce((sum, { from, to }) => sum + to - from, 0);
    const { libc, pid, mem } = this.#files;
    this.#local.writeBigUInt64LE(libc.addressOf(this.#buffer) + BigInt(at), 0);
    this.#local.writeBigUInt64LE(BigInt(sizeBytes), 8);
    runs.forEach(({ from, to }, i) => { this.#put(i, from, to - from); });
    if (readAtOnce(libc, pid, this.#local, this.#remote, runs.length) === sizeBytes) return sizeBytes;
    // Memory that nobody may read in one of them (beyond the end of a mapped file): each by itself, what is missing stays zero.
    let done = at;
    for (const { from, to } of runs) {
      this.#buffer.fill(0, done, done + (to - from));
      readMemory(mem, this.#buffer, done, to - from, from);
      done += to - from;
    }
    return sizeBytes;
  }
}

function readAtOnce(libc: Libc, pid: number, local: Buffer, remote: Buffer, count: number): number {
  try {
    return libc.call('read of memory', SYS.readMemory, pid, libc.addressOf(local), 1, libc.addressOf(remote), count, 0);
  } catch (error) {
    if (error instanceof SystemCallError) return -1;
    throw error;
  }
}

/** The record is asked, so that its pages count as read, and then everything is. */
function* whole(written: Iterable<readonly [number, number]>, from: number, to: number): Generator<readonly [number, number]> {
  for (const _ of written) void _;
  yield [from, to];
}

const endOf = ({ from, to }: Mapping, content: Content): number => (content === 'head' ? from + PAGE_BYTES : to);
const keyOf = ({ from, to, perms, inode, offset }: Mapping): string => `${from}-${to} ${perms} ${inode} ${offset}`;
