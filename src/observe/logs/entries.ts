// Owns the way from bytes to log entries: lines, then groups, then level and instant.
import type { LogItem, LogNotice } from '../../shared/live.ts';
import { LogFlags } from '../../shared/log-frame.ts';
import type { Level, LogLine } from '../../shared/model.ts';
import { jsonFields } from '../../shared/log-fields.ts';
import { jsonTime, timeOf } from '../../shared/log-time.ts';
import { Grouper, type Entry } from './group.ts';
import { jsonLevel, levelOf } from './level.ts';
import type { Block } from './block.ts';
import { encodeCursor } from './cursor.ts';
import type { LogFile } from './file.ts';
import { fingerprint, LineSplitter, TAIL_BYTES } from './lines.ts';
import type { Output } from './log.ts';
import { textAt } from './masked.ts';
import { codeOf, levelAt, quickLevel } from './quick-level.ts';

/** Level and instant of an entry's text. `near`: an instant close to it, for forms without a year. */
export function judge(text: string, near?: number): { level: Level; at?: number } {
  const fields = jsonFields(text);
  const at = (fields && jsonTime(fields)) ?? timeOf(text, near);
  const level = quickly(text) ?? (fields ? jsonLevel(fields) : levelOf(text));
  return at === undefined ? { level } : { level, at };
}

const QUICK_CHARS = 120;

/** What the quick look at bytes says of an entry of one line, so that a line is of one level wherever it is read. */
function quickly(text: string): Level | undefined {
  const first = text.charCodeAt(0);
  if ((first !== 0x7b && (first < 0x30 || first > 0x39)) || text.includes('\n')) return undefined;
  // The end says whether it is a row or whole JSON; what lies between decides nothing.
  const bytes = Buffer.from(text.length > QUICK_CHARS * 2 ? `${text.slice(0, QUICK_CHARS)}${text.slice(-1)}` : text);
  const code = quickLevel(bytes, 0, bytes.length);
  return code === -1 ? undefined : levelAt(code);
}

/** One entry as the pages see it. */
export function toLine(entry: Entry, source: string, cursor: string, near?: number): LogLine {
  const cut = entry.cutBytes > 0 ? { cutBytes: entry.cutBytes } : {};
  return { source, offset: entry.offset, cursor, ...judge(entry.text, near), text: entry.text, ...cut };
}

export interface ReadOptions {
  readonly baseOffset?: number;             // where the first chunk lies in its file
  readonly near?: number;                   // an instant close to the lines', for forms without a year
  /** The cursor of an entry; without it entries carry an empty one (nothing can be resumed from a copy). */
  cursorOf?(entry: Entry): string;
}

/** The entries of a whole file, in order: grouped, with level and instant. Holds one entry and one chunk at a time.
 *  The chunks are given back when the consumer stops. */
export async function* readEntries(chunks: AsyncIterable<Uint8Array>, source: string, options: ReadOptions = {}): AsyncGenerator<LogLine> {
  let ready: LogLine[] = [];
  const grouper = new Grouper((entry) => ready.push(toLine(entry, source, options.cursorOf?.(entry) ?? '', options.near)));
  const splitter = new LineSplitter(options.baseOffset ?? 0, (line) => grouper.push(line));
  for await (const chunk of chunks) {
    splitter.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    if (ready.length === 0) continue;
    yield* ready;
    ready = [];
  }
  splitter.flush(true);
  grouper.flush();
  yield* ready;
}

/** With what follows it only blank lines. */
function isOneLine(flags: Uint8Array, from: number, to: number): boolean {
  for (let i = from + 1; i < to; i += 1) if (((flags[i] as number) & LogFlags.blank) === 0) return false;
  return true;
}

/** An entry or notice with the cursor that resumes after it. */
export interface Placed { readonly item: LogItem; readonly cursor: string }

interface Work { readonly offset: number; readonly near: number | undefined; texts: string[]; blanks: number; cutBytes: number }

/** Takes a reader's blocks and gives whole entries, each with its own cursor. `enough` ends the taking early. With `levels`, entries of
 *  one line and another level are passed over unmade; those of more lines are judged as a whole by who takes them. */
export class WholeEntries implements Output {
  readonly #source: string;
  readonly #take: (placed: Placed) => void;
  readonly #enough: () => boolean;
  readonly #levels: ReadonlySet<number> | undefined;
  #work: Work | undefined;
  #cursor = '';                             // after the last line of the entry in work
  /** Where the newest entry begins; undefined before the first. With `levels` only. */
  before: string | undefined;

  constructor(source: string, take: (placed: Placed) => void, enough: () => boolean = () => false, levels?: readonly Level[]) {
    this.#source = source;
    this.#take = take;
    this.#enough = enough;
    this.#levels = levels && new Set(levels.map(codeOf));
  }

  notice(notice: LogNotice, cursor: string): void {
    this.flush();
    this.before = undefined;
    this.#take({ item: { notice }, cursor });
  }

  block(block: Block, file: LogFile, cursor: string, near: number | undefined): void {
    if (this.#levels === undefined) this.#all(block, file, near);
    else this.#some(this.#levels, block, file, near);
    this.#cursor = cursor;
  }

  #all(block: Block, file: LogFile, near: number | undefined): void {
    for (let i = 0; i < block.count && !this.#enough(); i += 1) {
      const flags = block.flags[i] as number;
      if ((flags & LogFlags.joins) === 0) {
        if (i > 0) this.#cursor = this.#cursorAt(block, file, i);
        this.flush();
      }
      this.#add(block, i, flags, near);
    }
  }

  #some(levels: ReadonlySet<number>, block: Block, file: LogFile, near: number | undefined): void {
    const { count, flags } = block;
    for (let from = 0, to = 0; from < count; from = to) {
      const goesOn = ((flags[from] as number) & LogFlags.joins) !== 0;
      to = from + 1;
      while (to < count && ((flags[to] as number) & LogFlags.joins) !== 0) to += 1;
      const isLast = to === count;
      if (!goesOn && from === 0) this.flush();
      if (!goesOn && !isLast && !levels.has((flags[from] as number) & LogFlags.level) && isOneLine(flags, from, to)) continue;
      if (!goesOn && isLast) this.before = from > 0 ? this.#cursorAt(block, file, from) : this.#cursor;
      for (let i = from; i < to; i += 1) this.#add(block, i, flags[i] as number, near);
      if (isLast) continue;
      this.#cursor = this.#cursorAt(block, file, to);
      this.flush();
    }
  }

  /** Gives the entry in work. */
  flush(): void {
    const work = this.#work;
    this.#work = undefined;
    if (work === undefined || this.#enough()) return;
    const text = work.texts.join('\n');
    const cut = work.cutBytes > 0 ? { cutBytes: work.cutBytes } : {};
    this.#take({ item: { line: { source: this.#source, offset: work.offset, cursor: this.#cursor, ...judge(text, work.near), text, ...cut } }, cursor: this.#cursor });
  }

  #add(block: Block, i: number, flags: number, near: number | undefined): void {
    if ((flags & LogFlags.blank) !== 0) { if (this.#work) this.#work.blanks += 1; return; }
    this.#work ??= { offset: block.offset + (block.places[i] as number), near, texts: [], blanks: 0, cutBytes: 0 };
    for (; this.#work.blanks > 0; this.#work.blanks -= 1) this.#work.texts.push('');
    this.#work.texts.push(textAt(block, i));
    this.#work.cutBytes += block.cuts.get(i) ?? 0;
  }

  /** The cursor before line `i`. The end of a line that was cut is not in the block: such a place is known by the file's beginning alone. */
  #cursorAt(block: Block, file: LogFile, i: number): string {
    const end = block.starts[i] as number;
    const tailLength = block.cuts.size > 0 ? Math.min(TAIL_BYTES, end - (block.starts[i - 1] as number)) : Math.min(TAIL_BYTES, end);
    const known = block.cuts.get(i - 1) === undefined;
    const tail = known ? fingerprint(block.bytes, end - tailLength, end) : 0;
    return encodeCursor(file.mark(this.#source, block.offset + (block.places[i] as number), known ? tailLength : 0, known ? tail : fingerprint(block.bytes, 0, 0)));
  }
}
