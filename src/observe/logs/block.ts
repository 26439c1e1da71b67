// Owns the cut of a log's bytes into blocks of whole lines: where each lies, whether it goes on the entry above, and its level.
import { LogFlags } from '../../shared/log-frame.ts';
import { judge } from './entries.ts';
import { Joining } from './group.ts';
import { levelWith } from './level.ts';
import { clean, fingerprint, LineRest, TAIL_BYTES } from './lines.ts';
import { codeOf, levelAt, quickLevel, UNKNOWN } from './quick-level.ts';

const LF = 10;
const CR = 13;
/** The open entry's text that is kept for those who judge it as a whole; more of it than this stands for itself. */
const MAX_OPEN_BYTES = 256 * 1_024;

/** Lines that follow each other in one file. Valid only while it is handed over: bytes and tables are used again for the next. */
export interface Block {
  readonly bytes: Buffer;                  // each line ends with LF, also one that was cut or had no end yet
  readonly count: number;
  readonly starts: Uint32Array;            // count + 1 places in `bytes`
  readonly places: Uint32Array;            // count + 1 places in the file, from `offset` on
  readonly flags: Uint8Array;              // see LogFlags
  readonly offset: number;
  readonly end: number;                    // in the file
  readonly cuts: ReadonlyMap<number, number>; // bytes left out, by line
  /** What the file holds of the entry that the first lines go on: raw lines with their LF, empty when the block begins with an entry. */
  readonly before: Buffer;
  readonly tailLength: number;
  readonly tail: number;                   // fingerprint of the `tailLength` bytes before `end`
}

/** An entry that goes on for longer than this is handed on as it is. */
const MAX_HELD_BYTES = 64 * 1_024;
const NONE = Buffer.alloc(0);

/** Whether the last entry of these bytes may still change what was before its end (a secret whose end is not there yet). */
export type Holds = (entry: Buffer) => boolean;

/** Feeds on chunks and hands on blocks of whole lines. */
export class Cutter {
  readonly #take: (block: Block) => void;
  readonly #holds: Holds;
  readonly #rest: LineRest;
  readonly #joining = new Joining(() => this.#lazyText());
  #room = Buffer.allocUnsafeSlow(4_096);   // #open lies in it
  #open: Buffer = NONE;                    // raw lines of the entry in work
  #held: Buffer = NONE;                    // whole lines that wait for the next
  #level = UNKNOWN;
  #starts = new Uint32Array(4_097);
  #places = new Uint32Array(4_097);
  #flags = new Uint8Array(4_096);
  #cuts = new Map<number, number>();
  #lazyBytes: Buffer = NONE;
  #lazyFrom = 0;
  #lazyTo = 0;

  constructor(offset: number, take: (block: Block) => void, holds: Holds = () => false) {
    this.#rest = new LineRest(offset);
    this.#take = take;
    this.#holds = holds;
  }

  /** Everything before was handed on. */
  get start(): number { return this.#rest.start - this.#held.length; }
  get next(): number { return this.#rest.next; }
  get pendingLine(): boolean { return this.#rest.openBytes > 0; }
  get holding(): boolean { return this.#held.length > 0; }

  /** `known`: bytes at the chunk's beginning that were pushed before. Where the unfinished line is among them it need not be put together. */
  push(chunk: Buffer, known = 0): void {
    const from = this.start;
    const open = this.#rest.openBytes;
    const again = open <= known ? open : 0;
    const whole = this.#rest.push(chunk.subarray(known - again), again);
    if (whole === undefined) return;
    const bytes = this.#held.length === 0 ? whole.bytes : Buffer.concat([this.#held, whole.bytes]);
    const heldLines = this.#held.length;
    this.#held = NONE;
    this.#hand(bytes, from, whole.firstCut === 0 ? undefined : { at: heldLines, bytes: whole.firstCut });
  }

  /** Hands on what is held back; with `line` also the unfinished line, as it is. At the `end` of a file nothing may follow any more. */
  flush(line: 'keep-line' | 'open-line' | 'end'): void {
    const from = this.start;
    const open = line === 'keep-line' ? undefined : this.#rest.flush(line === 'end');
    const held = this.#held;
    this.#held = NONE;
    if (held.length > 0) this.#hand(held, from, undefined, true);
    if (open !== undefined) this.#hand(open.bytes, open.offset, open.cut === 0 ? undefined : { at: 0, bytes: open.cut }, true, open.sizeBytes);
    if (line !== 'keep-line') { this.#joining.end(); this.#open = NONE; }
  }

  /** Reads what lies before the first line, so that it is known whether that one begins an entry. Nothing of it is handed on. */
  prime(bytes: Buffer, fromStart: boolean): void {
    const lines = bytes.subarray(fromStart ? 0 : bytes.indexOf(LF) + 1, bytes.lastIndexOf(LF) + 1);
    if (lines.length === 0 || bytes.at(-1) !== LF) return;
    const count = this.#table(lines, fromStart ? 0 : 1, undefined);
    if (count > 0) this.#keepOpen(lines, count);
  }

  #hand(bytes: Buffer, offset: number, cut: { at: number; bytes: number } | undefined, all = false, sizeBytes?: number): void {
    if (this.#cuts.size > 0) this.#cuts = new Map();
    const before = this.#open;
    let count = this.#table(bytes, offset, cut);
    let used = bytes;
    const last = this.#lastStart(count);
    if (!all && this.#mayHold(last, bytes)) {
      this.#held = Buffer.from(bytes.subarray(this.#starts[last]));
      used = bytes.subarray(0, this.#starts[last]);
      count = last;
      this.#joining.end();
    }
    if (sizeBytes !== undefined) this.#places[count] = sizeBytes;
    if (count === 0) return;
    const end = offset + (this.#places[count] as number);
    const goesOn = ((this.#flags[0] as number) & LogFlags.joins) !== 0;
    const { tailLength, tail } = sizeBytes === undefined && !this.#cuts.has(count - 1) ? tailOf(used, this.#cuts.size === 0 ? 0 : this.#starts[count - 1] as number) : this.#rest.lastTail;
    this.#take({ bytes: used, count, starts: this.#starts, places: this.#places, flags: this.#flags, offset, end, cuts: this.#cuts, before: goesOn ? before : NONE, tailLength, tail });
    this.#keepOpen(used, count);
  }

  /** The last entry waits when its end decides about its beginning; one that was handed on in part does not. */
  #mayHold(last: number, bytes: Buffer): boolean {
    if (((this.#flags[last] as number) & LogFlags.joins) !== 0 || this.#cuts.size > 0) return false;
    const entry = bytes.subarray(this.#starts[last]);
    return entry.length < MAX_HELD_BYTES && this.#holds(entry);
  }

  /** Where the last entry of the table begins; 0 when it began before. */
  #lastStart(count: number): number {
    let last = count - 1;
    while (last > 0 && ((this.#flags[last] as number) & LogFlags.joins) !== 0) last -= 1;
    return Math.max(0, last);
  }

  /** Copied into memory that is used again: what was handed on before is let go of. */
  #keepOpen(bytes: Buffer, count: number): void {
    const last = this.#lastStart(count);
    const from = this.#starts[last] as number;
    const kept = last === 0 && ((this.#flags[0] as number) & LogFlags.joins) !== 0 ? this.#open.length : 0;
    const ownBytes = bytes.length - from;
    if (kept > 0 || ownBytes > MAX_OPEN_BYTES) this.#joining.settle();
    const at = kept + ownBytes > MAX_OPEN_BYTES ? 0 : kept;
    const size = at + Math.min(ownBytes, MAX_OPEN_BYTES);
    if (size > this.#room.length) {
      const room = Buffer.allocUnsafeSlow(Math.max(size, this.#room.length * 2));
      this.#open.copy(room);
      this.#room = room;
    }
    bytes.copy(this.#room, at, from, from + size - at);
    this.#open = this.#room.subarray(0, size);
    if (at > 0 || this.#lazyBytes !== bytes) return;
    // Most entries are never asked for their text: it is read from the copy, should it be.
    this.#lazyBytes = this.#room;
    this.#lazyFrom -= from;
    this.#lazyTo -= from;
  }

  /** Fills the tables; returns how many lines there are. */
  #table(bytes: Buffer, offset: number, cut: { at: number; bytes: number } | undefined): number {
    let count = 0;
    let extra = 0;
    // The byte order mark of the file belongs to no line.
    let at = offset === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    while (at < bytes.length) {
      const lf = bytes.indexOf(LF, at);
      if (count === this.#flags.length) this.#grow();
      this.#starts[count] = at;
      this.#places[count] = count === 0 ? 0 : at + extra;
      if (cut !== undefined && cut.at === at) { this.#cuts.set(count, cut.bytes); extra += cut.bytes; }
      this.#flags[count] = this.#look(bytes, at, lf);
      count += 1;
      at = lf + 1;
    }
    this.#starts[count] = bytes.length;
    this.#places[count] = bytes.length + extra;
    return count;
  }

  #grow(): void {
    const size = this.#flags.length * 2;
    const [starts, places, flags] = [new Uint32Array(size + 1), new Uint32Array(size + 1), new Uint8Array(size)];
    starts.set(this.#starts);
    places.set(this.#places);
    flags.set(this.#flags);
    [this.#starts, this.#places, this.#flags] = [starts, places, flags];
  }

  #look(bytes: Buffer, from: number, lf: number): number {
    const to = lf > from && bytes[lf - 1] === CR ? lf - 1 : lf;
    if (this.#joining.plain) {
      const quick = quickLevel(bytes, from, to);
      if (quick !== -1) {
        this.#joining.begin(lf + 1 - from);
        this.#lazyBytes = bytes;
        this.#lazyFrom = from;
        this.#lazyTo = to;
        this.#level = quick;
        return quick;
      }
    }
    const text = clean(bytes.toString('utf8', from, to));
    const belongs = this.#joining.next(text, lf + 1 - from);
    if (belongs === 'new') this.#level = codeOf(judge(text).level);
    else if (belongs === 'joins') this.#level = codeOf(this.#levelWith(text, bytes, from));
    return belongs === 'new' ? this.#level : this.#level | LogFlags.joins | (belongs === 'blank' ? LogFlags.blank : 0);
  }

  /** Printed JSON says its level only when it is whole. */
  #levelWith(line: string, bytes: Buffer, from: number): ReturnType<typeof levelAt> {
    if (line !== '}' || this.#level !== UNKNOWN) return levelWith(levelAt(this.#level), line);
    const start = bytes.lastIndexOf('\n{\n', from);
    const text = start === -1 ? `${this.#open.toString('utf8')}${bytes.toString('utf8', 0, from)}` : bytes.toString('utf8', start + 1, from);
    return text.startsWith('{') && text.length < MAX_OPEN_BYTES ? judge(`${text}}`).level : 'unknown';
  }

  #lazyText(): string { return clean(this.#lazyBytes.toString('utf8', this.#lazyFrom, this.#lazyTo)); }
}

function tailOf(bytes: Buffer, from: number): { tailLength: number; tail: number } {
  const tailLength = Math.min(TAIL_BYTES, bytes.length - from);
  return { tailLength, tail: fingerprint(bytes, bytes.length - tailLength, bytes.length) };
}
