// Owns the reading of one log in order: from file to file through rotation, truncation, deletion and re-creation, saying each.
import { basename } from 'node:path';
import type { LogItem, LogNotice } from '../../shared/live.ts';
import { bytes } from '../../shared/units.ts';
import { encodeCursor, type Mark } from './cursor.ts';
import { toLine } from './entries.ts';
import { locate, nextAfter, nextAfterGone } from './family.ts';
import { LogFile, stateAt } from './file.ts';
import { Grouper, type Entry } from './group.ts';
import { fingerprint, LineSplitter, TAIL_BYTES } from './lines.ts';

/** One read: large enough for a busy log, small enough for a hundred logs. */
const BLOCK_BYTES = 128 * 1_024;

/** The inode of a cursor that was made while there was no file. */
const NO_FILE = '0';

/** A place within a file that is known by its inode: only for comparing within this process, while the file is open. */
export interface Place { readonly ino: string; readonly offset: number }

/** A line or notice with the file it is from, where it ends, and the cursor that resumes after it. */
export interface Placed { readonly item: LogItem; readonly ino: string; readonly end: number; readonly cursor: string }

export interface Log {
  readonly source: string;      // id
  readonly path: string;
  readonly roots: readonly string[];
}

/** What one step found: more may come at once, or nothing until the file changes. */
export type Step = 'more' | 'idle';

export class LogReader {
  readonly #log: Log;
  readonly #take: (placed: Placed) => void;
  readonly #now: () => number;
  readonly #block = Buffer.allocUnsafe(BLOCK_BYTES + TAIL_BYTES);
  #file: LogFile | undefined;
  #guard: Buffer = Buffer.alloc(0);  // the bytes before #offset: should they differ at the next read, the file was rewritten
  #offset = 0;
  #splitter: LineSplitter;
  #grouper: Grouper;
  #missing: 'no' | 'moved' | 'deleted' = 'no';
  #settled = false;                  // the old file was read once more after its name led elsewhere
  #near: number | undefined;

  constructor(log: Log, now: () => number, take: (placed: Placed) => void) {
    this.#log = log;
    this.#now = now;
    this.#take = take;
    this.#grouper = new Grouper((entry) => this.#entry(entry));
    this.#splitter = new LineSplitter(0, (line) => this.#grouper.push(line));
  }

  get file(): LogFile | undefined { return this.#file; }
  /** Where the next entry will begin: everything before was handed over. */
  get place(): Place { return { ino: this.#file?.ino ?? NO_FILE, offset: this.#grouper.start ?? this.#splitter.start }; }
  /** The offset of the next byte to read in the present file. */
  get next(): number { return this.#offset; }
  /** An entry waits for its end. */
  get pending(): boolean { return this.#grouper.start !== undefined || this.#splitter.start < this.#splitter.next; }
  get pendingLine(): boolean { return this.#splitter.start < this.#splitter.next; }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /** Starts in this file, which the reader now owns. */
  async startIn(file: LogFile, offset: number): Promise<void> {
    await this.#file?.close();
    this.#file = file;
    this.#missing = 'no';
    this.#settled = false;
    this.#near = (await file.state()).changedAt;
    await this.#moveTo(offset);
  }

  /** Starts after a cursor, wherever its bytes lie now. What is gone is said. */
  async resume(mark: Mark): Promise<void> {
    const file = await locate(this.#log.path, mark, this.#log.roots);
    if (file) { await this.startIn(file, mark.offset); return; }
    const next = await nextAfterGone(this.#log.path, mark, this.#log.roots);
    if (!next) { this.#missing = 'deleted'; await this.#say({ kind: 'deleted', text: `${this.#name} is not there now; the reading goes on when it is back.` }); return; }
    await this.startIn(next, 0);
    if (mark.ino === NO_FILE) { await this.#say({ kind: 'created', text: `${this.#name} was created.` }); return; }
    const why = next.ino === mark.ino ? 'was emptied' : 'was replaced';
    await this.#say({ kind: 'lost', text: `${this.#name} ${why} after ${bytes(mark.offset)} of it were read; what was written to it since then and is gone cannot be counted.` });
  }

  /** Reads one block, or finds out why there is none. `limit` stops at this offset of the present file. */
  async step(limit = Infinity): Promise<Step> {
    const file = this.#file;
    if (!file) return this.#appear();
    const guard = this.#guard.length;
    const want = Math.min(BLOCK_BYTES, limit - this.#offset);
    if (want <= 0) return 'idle';
    const got = await file.read(this.#block.subarray(0, guard + want), this.#offset - guard);
    if (got.length < guard || !got.subarray(0, guard).equals(this.#guard)) return this.#rewritten(file);
    if (got.length === guard) return limit === Infinity ? this.#atEnd(file) : 'idle';
    if (file.headIsShort) await file.learnHead();
    const chunk = got.subarray(guard);
    this.#offset += chunk.length;
    this.#settled = false;
    this.#guard = Buffer.from(got.subarray(-TAIL_BYTES));
    this.#splitter.push(chunk);
    return 'more';
  }

  /** Hands over the entry in work; with `line`, also a line that has no end yet. */
  flush(line: 'keep-line' | 'open-line' | 'end'): void {
    if (line !== 'keep-line') this.#splitter.flush(line === 'end');
    this.#grouper.flush();
  }

  /** The cursor of the present place. */
  async cursor(): Promise<string> {
    const file = this.#file;
    if (!file) return encodeCursor({ source: this.#log.source, ino: NO_FILE, bornAt: 0, changedAt: Math.max(0, Math.floor(this.#now())), offset: 0, headLength: 0, head: 0, tailLength: 0, tail: 0 });
    return encodeCursor(await file.markAt(this.#log.source, this.place.offset));
  }

  get #name(): string { return basename(this.#log.path); }

  async #moveTo(offset: number): Promise<void> {
    this.#offset = offset;
    this.#guard = this.#file && offset > 0 ? await this.#file.before(offset) : Buffer.alloc(0);
    this.#splitter = new LineSplitter(offset, (line) => this.#grouper.push(line));
    this.#grouper = new Grouper((entry) => this.#entry(entry));
  }

  #entry(entry: Entry): void {
    const file = this.#file;
    if (!file) return;
    const cursor = encodeCursor(file.mark(this.#log.source, entry.end, entry.tailLength, entry.tail));
    this.#take({ item: { line: toLine(entry, this.#log.source, cursor, this.#near) }, ino: file.ino, end: entry.end, cursor });
  }

  async #say(notice: LogNotice): Promise<void> {
    const { ino, offset } = this.place;
    this.#take({ item: { notice: { ...notice, at: this.#now() } }, ino, end: offset, cursor: await this.cursor() });
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
    const mark = file.mark(this.#log.source, this.#offset, this.#guard.length, fingerprint(this.#guard));
    const rest = await locate(this.#log.path, mark, this.#log.roots);
    if (rest) {
      // The unfinished line goes on in the copy, so it is kept as it is.
      this.#file = rest;
      this.#settled = false;
      await file.close();
      return 'more';
    }
    const read = this.#offset;
    this.flush('end');
    await file.forgetHead();
    await this.#moveTo(0);
    await this.#say({ kind: 'truncated', text: `${this.#name} was emptied after ${bytes(read)} of it were read; lines written just before that may be lost, and cannot be counted.` });
    return 'more';
  }

  async #atEnd(file: LogFile): Promise<Step> {
    const now = await stateAt(this.#log.path);
    if (now?.ino === file.ino) { this.#missing = 'no'; return 'idle'; }
    // A writer may have added to the old file between our read and its renaming: look once more, then leave it.
    if (!this.#settled) { this.#settled = true; return 'more'; }
    if (!now) return this.#nameIsFree(file);
    // A rotator may make the new file before the writer lets go of the old one.
    if (now.sizeBytes === 0) return 'idle';
    return this.#goOn(file);
  }

  async #nameIsFree(file: LogFile): Promise<Step> {
    if (this.#missing === 'no') {
      this.#missing = (await file.state()).links === 0 ? 'deleted' : 'moved';
      if (this.#missing === 'deleted') await this.#say({ kind: 'deleted', text: `${this.#name} was deleted; its last lines were read.` });
    }
    return 'idle';
  }

  /** Leaves a file that was read to its end for the one that follows it. */
  async #goOn(file: LogFile): Promise<Step> {
    const mark = file.mark(this.#log.source, this.#offset, this.#guard.length, fingerprint(this.#guard));
    const next = await nextAfter(this.#log.path, file, mark, this.#log.roots);
    if (!next || next.ino === file.ino) { await next?.close(); return 'idle'; }
    const deleted = this.#missing === 'deleted' || (await file.state()).links === 0;
    this.flush('end');
    await this.startIn(next, 0);
    await this.#say(deleted ? { kind: 'created', text: `${this.#name} was deleted and created again.` } : { kind: 'rotated', text: `${this.#name} was rotated; the lines of ${basename(next.path)} follow.` });
    return 'more';
  }
}
