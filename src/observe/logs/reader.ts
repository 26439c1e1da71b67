// Owns the reading of one log in order: from file to file through rotation, truncation, deletion and re-creation, saying each.
import { basename } from 'node:path';
import type { LogNotice } from '../../shared/live.ts';
import { bytes } from '../../shared/units.ts';
import { Cutter, type Block, type Holds } from './block.ts';
import { encodeCursor, type Mark } from './cursor.ts';
import { locate, nextAfter, nextAfterGone, rotatedSince } from './family.ts';
import { LogFile, stateAt, type FileState } from './file.ts';
import { Guard, GUARD_BYTES } from './guard.ts';
import type { Log, Output, Place, Step } from './log.ts';
import { fingerprint, TAIL_BYTES } from './lines.ts';

/** One read: large enough for a busy log, small enough for a hundred logs. */
const BLOCK_BYTES = 256 * 1_024;
/** Read before the place where a reading begins, to know whether its first line goes on an entry. */
const PRIME_BYTES = 16 * 1_024;
/** Files read before the present one that are remembered, to tell them from new ones of the same instant. */
const VISITED = 32;
/** Tries to resume in a log that is rotated all the time, before its place counts as gone. */
const RESUMES = 20;
/** The inode of a cursor that was made while there was no file. */
export const NO_FILE = '0';

export type { Log, Output, Place, Step } from './log.ts';

function stateKey(state: FileState): string { return `${state.ino} ${state.sizeBytes} ${state.changedNs}`; }

export class LogReader {
  readonly #log: Log;
  readonly #output: Output;
  readonly #now: () => number;
  readonly #holds: Holds | undefined;
  readonly #block: Buffer;
  #file: LogFile | undefined;
  readonly #guard = new Guard();     // the bytes before #offset
  #offset = 0;
  #cutter: Cutter;
  #missing: 'no' | 'moved' | 'deleted' = 'no';
  #settled = false;                  // the old file was read once more after its name led elsewhere
  #near: number | undefined;
  #sizeSeen = 0;                     // of the present file: what was there and is gone is lost
  #emptySince: bigint | undefined;   // the file had nothing when it was opened: what it was given and lost again meanwhile is in younger rotations
  #emptyNext: string | undefined;    // inode of an empty file that has the log's name now, while the old one is still read
  #restedAs: string | undefined;     // what the log's name led to when it was last read to its end
  #toEmpty = false;                  // does not wait for the new file's first bytes
  readonly #visited: string[] = [];  // inodes read lately

  constructor(log: Log, now: () => number, output: Output, holds?: Holds, blockBytes = BLOCK_BYTES) {
    this.#block = Buffer.allocUnsafeSlow(blockBytes + GUARD_BYTES);
    this.#log = log;
    this.#now = now;
    this.#output = output;
    this.#holds = holds;
    this.#cutter = this.#cutterAt(0);
  }

  get file(): LogFile | undefined { return this.#file; }
  /** Where the next line will begin: everything before was handed over. */
  get place(): Place { return { ino: this.#file?.ino ?? NO_FILE, offset: this.#cutter.start }; }
  /** The offset of the next byte to read in the present file. */
  get next(): number { return this.#offset; }
  /** Whole lines wait for those that follow. */
  get holding(): boolean { return this.#cutter.holding; }
  get pendingLine(): boolean { return this.#cutter.pendingLine; }
  /** The bytes before `next`, as they were read. */
  get guard(): Buffer { return this.#guard.bytes; }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /** Starts in this file, which the reader now owns. False when it was emptied since it was opened: the offset is of bytes that are gone. */
  async startIn(file: LogFile, offset: number): Promise<boolean> {
    const state = await file.state();
    await this.#file?.close();
    this.#visited.push(file.ino);
    if (this.#visited.length > VISITED) this.#visited.shift();
    this.#file = file;
    this.#missing = 'no';
    this.#settled = false;
    this.#emptyNext = undefined;
    this.#near = state.changedAt;
    this.#sizeSeen = state.sizeBytes;
    this.#emptySince = state.sizeBytes === 0 ? state.changedNs : undefined;
    await this.#moveTo(offset);
    return offset === 0 || (this.#guard.length === Math.min(TAIL_BYTES, offset) && await file.sameHead());
  }

  /** Starts after a cursor, wherever its bytes lie now. What is gone is said. */
  async resume(mark: Mark): Promise<void> {
    for (let i = 0; i < RESUMES; i += 1) {
      const file = await locate(this.#log.path, mark, this.#log.roots);
      if (!file) break;
      const there = await this.startIn(file, mark.offset);
      if (!there || fingerprint(this.guard, this.guard.length - mark.tailLength) !== mark.tail) continue; // emptied between the finding and the opening
      // Later than the mark by a millisecond at least: within the same one, what was read and what was not look alike.
      if (mark.offset === 0 && mark.headLength === 0) this.#emptySince = BigInt(mark.changedAt + 1) * 1_000_000n;
      return;
    }
    await this.#resumeAfter(mark);
  }

  async #resumeAfter(mark: Mark): Promise<void> {
    const next = await nextAfterGone(this.#log.path, mark, this.#log.roots);
    if (!next) { this.#missing = 'deleted'; await this.#say({ kind: 'deleted', text: `${this.#name} is not there now; the reading goes on when it is back.` }); return; }
    await this.startIn(next, 0);
    if (mark.ino === NO_FILE) { await this.#say({ kind: 'created', text: `${this.#name} was created.` }); return; }
    const why = next.ino === mark.ino ? 'was emptied' : 'was replaced';
    await this.#say({ kind: 'lost', text: `${this.#name} ${why} after ${bytes(mark.offset)} of it were read; what was written to it since then and is gone cannot be counted.` });
  }

  /** Is the log as it was when it was last read to its end? One look at its name, where a step costs several. */
  async rests(): Promise<boolean> {
    if (this.#restedAs === undefined) return false;
    const now = await stateAt(this.#log.path);
    return now !== undefined && stateKey(now) === this.#restedAs;
  }

  /** What a step does most of the time, without a promise: reads more of the open file, which is still the same. Undefined where that
   *  cannot be told at once: nothing was taken, and a step finds out. */
  stepNow(): Step | undefined {
    const file = this.#file;
    const guard = this.#guard.length;
    if (!file || guard < TAIL_BYTES || file.headIsShort) return undefined;
    const got = file.readNow(this.#block, this.#offset - guard);
    if (got === undefined || !this.#guard.fits(got)) return undefined;
    this.#restedAs = undefined;
    if (got.length > guard) this.#take(got);
    return got.length === this.#block.length ? 'more' : 'idle';
  }

  /** Reads one block, or finds out why there is none. `limit` stops at this offset of the present file. `quick`: a file that has
   *  nothing new is left at that; whether it is still the log is looked at another time. */
  async step(limit = Infinity, quick = false): Promise<Step> {
    const file = this.#file;
    this.#restedAs = undefined;
    if (!file) return this.#appear();
    const guard = this.#guard.length;
    const want = Math.min(this.#block.length - guard, limit - this.#offset);
    if (want <= 0) return 'idle';
    const into = this.#block.subarray(0, guard + want);
    const got = file.readNow(into, this.#offset - guard) ?? await file.read(into, this.#offset - guard);
    if (!this.#guard.fits(got)) return this.#rewritten(file);
    if (got.length === guard) return limit !== Infinity || (quick && !file.headIsShort) ? 'idle' : this.#atEnd(file);
    if (this.#offset === 0) {
      file.learnFirst(got);
      if (await this.#hadMore(file)) return 'more';
    }
    // After the bytes, not before: had the file been emptied and refilled in between, these would be the new ones.
    // A full guard that fits is proof enough by itself.
    if ((guard < TAIL_BYTES || file.headIsShort) && !await file.sameHead()) return this.#rewritten(file);
    this.#take(got);
    if (got.length === guard + want || limit !== Infinity) return 'more';
    return quick ? 'idle' : this.#atEnd(file);
  }

  /** A step that also goes from the end of a file into a next one that has nothing yet. */
  async stepIntoEmpty(): Promise<Step> {
    this.#toEmpty = true;
    try { return await this.step(); } finally { this.#toEmpty = false; }
  }

  /** Hands over lines that are held back; with `line`, also one that has no end yet. */
  flush(line: 'keep-line' | 'open-line' | 'end'): void { this.#cutter.flush(line); }

  /** The cursor of the present place. */
  async cursor(): Promise<string> {
    const file = this.#file;
    if (!file) return encodeCursor({ source: this.#log.source, ino: NO_FILE, bornAt: 0, changedAt: Math.max(0, Math.floor(this.#now())), offset: 0, headLength: 0, head: 0, tailLength: 0, tail: 0 });
    return encodeCursor(await file.markAt(this.#log.source, this.place.offset));
  }

  /** Bytes of the open file, the guard first. */
  #take(got: Buffer): void {
    const guard = this.#guard.length;
    this.#offset += got.length - guard;
    this.#sizeSeen = Math.max(this.#sizeSeen, this.#offset);
    this.#settled = false;
    this.#guard.goOn(got);
    this.#cutter.push(got, guard);
  }

  #mark(file: LogFile): Mark { return file.mark(this.#log.source, this.#offset, this.#guard.tailLength, this.#guard.tail); }

  get #name(): string { return basename(this.#log.path); }

  async #moveTo(offset: number): Promise<void> {
    this.#offset = offset;
    this.#guard.begin(this.#file && offset > 0 ? await this.#file.before(offset) : Buffer.alloc(0));
    this.#cutter = this.#cutterAt(offset);
    if (this.#file && offset > 0) {
      const from = Math.max(0, offset - PRIME_BYTES);
      this.#cutter.prime(await this.#file.read(Buffer.allocUnsafe(offset - from), from), from === 0);
    }
  }

  #cutterAt(offset: number): Cutter { return new Cutter(offset, (block) => this.#hand(block), this.#holds); }

  #hand(block: Block): void {
    const file = this.#file;
    if (!file) return;
    this.#output.block(block, file, encodeCursor(file.mark(this.#log.source, block.end, block.tailLength, block.tail)), this.#near);
  }

  async #say(notice: LogNotice): Promise<void> {
    this.#output.notice({ ...notice, at: this.#now() }, await this.cursor());
  }

  /** No file yet: it appears, or there is nothing to do. */
  async #appear(): Promise<Step> {
    const file = await LogFile.open(this.#log.path, this.#log.roots);
    if (!file) {
      if (this.#missing === 'no') { this.#missing = 'deleted'; await this.#say({ kind: 'deleted', text: `${this.#name} is not there; its lines come when it is.` }); }
      return 'idle';
    }
    await this.startIn(file, 0);
    await this.#say({ kind: 'created', text: `${this.#name} was created.` });
    return 'more';
  }

  /** The file is shorter than what was read, or its bytes are others: it was emptied in place. A copy made before (copytruncate) has the rest. */
  async #rewritten(file: LogFile): Promise<Step> {
    const mark = this.#mark(file);
    const rest = await locate(this.#log.path, mark, this.#log.roots);
    if (rest) {
      // The unfinished line goes on in the copy, so it is kept as it is.
      this.#file = rest;
      this.#settled = false;
      await file.close();
      return 'more';
    }
    const read = this.#offset;
    const lostBytes = Math.max(0, this.#sizeSeen - read);
    this.flush('end');
    const next = await nextAfterGone(this.#log.path, mark, this.#log.roots);
    if (next && next.ino !== file.ino) await this.startIn(next, 0);
    else {
      await next?.close();
      await file.forgetHead();
      await this.#moveTo(0);
    }
    const lost = lostBytes > 0 ? `at least ${bytes(lostBytes)} that were seen in it were not read` : 'what was written after the last look at it, if anything, cannot be counted';
    await this.#say({ kind: 'truncated', text: `${this.#name} was emptied after ${bytes(read)} of it were read; ${lost}.`, ...(lostBytes > 0 ? { lostBytes } : {}) });
    return 'more';
  }

  /** The log was empty when we opened it, and has lines now: were there others in between, which a copytruncate took away? */
  async #hadMore(file: LogFile): Promise<boolean> {
    const since = this.#emptySince;
    this.#emptySince = undefined;
    const earlier = since === undefined ? undefined : await rotatedSince(this.#log.path, since, file, this.#visited, this.#log.roots);
    if (!earlier) return false;
    await this.startIn(earlier, 0);
    return true;
  }

  async #atEnd(file: LogFile): Promise<Step> {
    const now = await stateAt(this.#log.path);
    if (now?.ino === file.ino) {
      this.#missing = 'no';
      this.#sizeSeen = Math.max(this.#sizeSeen, now.sizeBytes);
      if (now.sizeBytes === this.#offset) this.#restedAs = stateKey(now);
      return now.sizeBytes > this.#offset ? 'more' : 'idle';
    }
    // A writer may have added to the old file between our read and its renaming: look once more, then leave it.
    if (!this.#settled) { this.#settled = true; return 'more'; }
    if (!now) return this.#nameIsFree(file);
    if (this.#offset === 0 && await this.#hadMore(file)) return 'more';
    if (now.sizeBytes > 0 || this.#toEmpty) return this.#goOn(file);
    // A rotator may make the new file before the writer lets go of the old one, so an empty one can wait; files in between cannot.
    if (now.ino === this.#emptyNext) return 'idle';
    this.#emptyNext = now.ino;
    return this.#goOn(file, now.ino);
  }

  async #nameIsFree(file: LogFile): Promise<Step> {
    if (this.#missing === 'no') {
      this.#missing = (await file.state()).links === 0 ? 'deleted' : 'moved';
      if (this.#missing === 'deleted') await this.#say({ kind: 'deleted', text: `${this.#name} was deleted; its last lines were read.` });
    }
    return 'idle';
  }

  /** Leaves a file that was read to its end for the one that follows it, unless that is the one to be left waiting. */
  async #goOn(file: LogFile, but?: string): Promise<Step> {
    const mark = this.#mark(file);
    const next = await nextAfter(this.#log.path, file, mark, this.#log.roots);
    if (!next || next.ino === file.ino || next.ino === but) { await next?.close(); return 'idle'; }
    const gone = this.#missing === 'deleted' || (await file.state()).links === 0;
    this.flush('end');
    const cut = file.cut === undefined ? undefined : `${basename(file.path)} was read up to ${bytes(this.#offset)}: ${file.cut}.`;
    await this.startIn(next, 0);
    if (cut !== undefined) await this.#say({ kind: 'lost', text: cut });
    if (!gone) await this.#say({ kind: 'rotated', text: `${this.#name} was rotated; the lines of ${basename(next.path)} follow.` });
    else await this.#say({ kind: 'created', text: `${this.#name} was deleted and created again; lines of files that came and went in between cannot be counted.` });
    return 'more';
  }
}
