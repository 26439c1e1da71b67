// Owns the way from bytes to log entries: lines, then groups, then level and instant.
import type { Level, LogLine } from '../../shared/model.ts';
import { Grouper, type Entry } from './group.ts';
import { jsonLevel, levelOf, undocker } from './level.ts';
import { LineSplitter } from './lines.ts';
import { jsonTime, timeOf } from './time.ts';

const MAX_JSON_CHARS = 64 * 1_024; // parsing a longer line for its level costs more than the level is worth

/** Level and instant of an entry's text. `near`: an instant close to it, for forms without a year. */
export function judge(text: string, near?: number): { level: Level; at?: number } {
  const fields = jsonFields(text);
  const at = (fields && jsonTime(fields)) ?? timeOf(text, near);
  const level = fields ? jsonLevel(fields) : levelOf(text);
  return at === undefined ? { level } : { level, at };
}

/** The fields of an entry that is one JSON object, also behind Docker's time. */
export function jsonFields(text: string): Readonly<Record<string, unknown>> | undefined {
  const body = text.startsWith('{') ? text : undocker(text);
  if (!body.startsWith('{') || body.length > MAX_JSON_CHARS || !body.trimEnd().endsWith('}')) return undefined;
  try {
    return JSON.parse(body) as Record<string, unknown>; // an object, for it begins with a brace
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
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
