// Owns what application logs say went wrong: exceptions grouped by type, message and place, and error entries that are none, in bounded memory.
import type { LogLine } from '../../shared/model.ts';
import { readEntries } from '../../observe/logs/entries.ts';
import { exceptionOf } from '../../observe/logs/exception.ts';
import type { ArtifactReader } from '../contracts.ts';
import { byText, cut, oneLine, shortFile } from './words.ts';

export interface Seen { readonly at: number | undefined; readonly pid: number | undefined; readonly order: number; readonly fatal: boolean }
export interface StackFrame { readonly text: string; readonly ours: boolean }
export interface ExceptionGroup {
  readonly key: string;
  readonly type: string;                                       // "TypeError"
  readonly message: string;                                    // one line
  readonly place: string | undefined;                          // "lib/cart.js:41", the topmost frame of the app's own code
  readonly frames: readonly StackFrame[];
  readonly sample: LogLine;                                    // the first entry, cut
  count: number;
  fatal: number;                                               // of these, entries that say that the process ends
  readonly seen: Seen[];                                       // at most SEEN_KEPT
}
export interface ErrorGroup { readonly text: string; readonly sample: LogLine; count: number; lastAt: number | undefined }
export interface LogFacts {
  readonly entries: number;
  readonly files: number;
  readonly withTime: number;
  readonly exceptions: readonly ExceptionGroup[];              // most first
  readonly errors: readonly ErrorGroup[];                      // error and fatal entries that are no exception, most first
  readonly errorEntries: number;
  readonly otherGroups: number;                                // entries of groups beyond the bound
}

const MAX_GROUPS = 200;
const SEEN_KEPT = 2_000;
const FRAMES_KEPT = 40;
/** What an exception's entry must contain somewhere; spares the search in ordinary lines. */
const MAY_BE_EXCEPTION = /Error|Exception|Traceback|Fatal|panic|Unhandled|Uncaught/i;
/** Said by runtimes when the process ends of it. */
const FATAL = /(?:^|\n)Node\.js v\d|uncaught|unhandled|(?:^|\n)panic:|fatal error/i;
/** iisnode's and our local App Service's names: <computer>-<pid>-stderr-<ms>.txt */
const OUTPUT_FILE = /-(\d{1,10})-(?:stdout|stderr)-\d{6,20}/;
const TRACE_PID = /PID\[(\d{1,10})\]/;

/** The process that wrote this entry, where file name or text say it. */
export function writerOf(name: string, text: string): number | undefined {
  const match = OUTPUT_FILE.exec(name) ?? TRACE_PID.exec(text.slice(0, 200));
  return match ? Number(match[1]) : undefined;
}

/** Gathers entries one by one; the same for a finished log and for the newest lines of a live one. */
export class LogGathering {
  #entries = 0;
  #withTime = 0;
  #errorEntries = 0;
  #otherGroups = 0;
  readonly #exceptions = new Map<string, ExceptionGroup>();
  readonly #errors = new Map<string, ErrorGroup>();

  /** `name` is the file's, which may tell the process. */
  add(line: LogLine, name: string): void {
    this.#entries += 1;
    if (line.at !== undefined) this.#withTime += 1;
    const isError = line.level === 'error' || line.level === 'fatal';
    if (isError) this.#errorEntries += 1;
    const exception = isError || line.text.includes('\n') ? MAY_BE_EXCEPTION.test(line.text) ? exceptionOf(line.text) : undefined : undefined;
    if (exception) this.#exception(exception, line, name);
    else if (isError) this.#error(line);
  }

  #exception(found: NonNullable<ReturnType<typeof exceptionOf>>, line: LogLine, name: string): void {
    const message = oneLine(found.message, 200);
    const own = found.frames.find((f) => f.ours && f.file !== undefined) ?? found.frames.find((f) => f.file !== undefined);
    const place = own?.file === undefined ? undefined : `${shortFile(own.file)}${own.line === undefined ? '' : `:${own.line}`}`;
    const type = oneLine(found.type, 80);
    const key = `${type}|${shape(message)}|${place ?? ''}`;
    const group = this.#exceptions.get(key) ?? this.#newGroup(key, { type, message, place, frames: found.frames.slice(0, FRAMES_KEPT).map((f) => ({ text: oneLine(f.text, 300), ours: f.ours })) }, line);
    if (!group) { this.#otherGroups += 1; return; }
    const fatal = FATAL.test(line.text) || line.level === 'fatal';
    group.count += 1;
    if (fatal) group.fatal += 1;
    if (group.seen.length < SEEN_KEPT) group.seen.push({ at: line.at, pid: writerOf(name, line.text), order: this.#entries, fatal });
  }

  #newGroup(key: string, what: Pick<ExceptionGroup, 'type' | 'message' | 'place' | 'frames'>, line: LogLine): ExceptionGroup | undefined {
    if (this.#exceptions.size >= MAX_GROUPS) return undefined;
    const made: ExceptionGroup = { key, ...what, sample: { ...line, text: cut(line.text) }, count: 0, fatal: 0, seen: [] };
    this.#exceptions.set(key, made);
    return made;
  }

  #error(line: LogLine): void {
    const text = oneLine(line.text, 200);
    const key = shape(text);
    const known = this.#errors.get(key);
    if (known) { known.count += 1; known.lastAt = line.at ?? known.lastAt; return; }
    if (this.#errors.size >= MAX_GROUPS) { this.#otherGroups += 1; return; }
    this.#errors.set(key, { text, sample: { ...line, text: cut(line.text) }, count: 1, lastAt: line.at });
  }

  told(files: number): LogFacts {
    return {
      entries: this.#entries, files, withTime: this.#withTime, errorEntries: this.#errorEntries, otherGroups: this.#otherGroups,
      exceptions: [...this.#exceptions.values()].sort((a, b) => b.fatal - a.fatal || b.count - a.count || byText(a.key, b.key)),
      errors: [...this.#errors.values()].sort((a, b) => b.count - a.count || byText(a.text, b.text)),
    };
  }
}

/** The text with what differs from time to time folded: instants, numbers, ids, quoted values. */
function shape(text: string): string {
  return text.replace(/[0-9a-f]{8}-[0-9a-f-]{27,}|0x[0-9a-f]+|\d+/gi, '#').slice(0, 160);
}

/** The facts of all application logs of a session. */
export async function logFacts(readers: readonly ArtifactReader[], cancel: AbortSignal): Promise<LogFacts> {
  const gathering = new LogGathering();
  for (const reader of readers) {
    for await (const line of readEntries(reader.stream() as AsyncIterable<Uint8Array>, reader.ref.name)) {
      cancel.throwIfAborted();
      gathering.add(line, reader.ref.name);
    }
  }
  return gathering.told(readers.length);
}
