// Owns the binary form of a batch of log lines on the live socket: written once by the agent for all who follow, read by the page and the CLI.
import { z } from 'zod';
import { instantOf } from './log-fields.ts';
import type { LogItem } from './live.ts';
import { At, Level, type LogLine } from './model.ts';
import { jsonAs } from './json-as.ts';

// Little endian: u8 mark, u8 version, u16 nothing, u32 bytes of the head, u32 channel, u32 lines, f64 offset of the first line in the file,
// the head as JSON, a byte of flags for each line, its place from the offset on as u32, then the text, each line with an LF.
const MARK = 0xd1;
const VERSION = 1;
const FIXED_BYTES = 24;

/** Of each line: the number of its level (its place in the schema) and how it stands to the line above. */
export const LogFlags = { level: 7, joins: 8, blank: 16 } as const;

const Head = z.object({
  cursor: z.string(),                                          // where the batch ends: resume after it
  passed: z.number().int(),                                    // entries of this channel that the filter left out, ever
  cuts: z.array(z.tuple([z.number().int(), z.number().int()])).optional(), // line, bytes left out of it
  ats: z.array(z.tuple([z.number().int(), At])).optional(),    // line, its instant, where the mask took away what said it
});
type Head = z.infer<typeof Head>;

export interface FrameParts extends Head { readonly channel: number; readonly lines: number; readonly offset: number; readonly textBytes: number }

/** A frame with room for flags, places and text, which the caller fills in. */
export function makeFrame(parts: FrameParts, allocate: (size: number) => Uint8Array): { readonly bytes: Uint8Array; readonly flagsAt: number; readonly placesAt: number; readonly textAt: number } {
  // At a thousand lines a second each line is a frame: what would be memory of its own for each head is spared.
  const plain = parts.cuts === undefined && parts.ats === undefined && PLAIN.test(parts.cursor);
  const encoded = plain ? undefined : encoder.encode(headOf(parts));
  const passed = String(parts.passed);
  const headBytes = encoded?.length ?? BEFORE.length + parts.cursor.length + BETWEEN.length + passed.length + AFTER.length;
  const flagsAt = FIXED_BYTES + headBytes;
  const placesAt = flagsAt + parts.lines;
  const textAt = placesAt + parts.lines * 4;
  const bytes = allocate(textAt + parts.textBytes);
  bytes[0] = MARK;
  bytes[1] = VERSION;
  bytes[2] = bytes[3] = 0;
  putUint32(bytes, 4, headBytes);
  putUint32(bytes, 8, parts.channel);
  putUint32(bytes, 12, parts.lines);
  double.setFloat64(0, parts.offset, true);
  for (let i = 0; i < 8; i += 1) bytes[16 + i] = double.getUint8(i);
  if (encoded === undefined) putAscii(bytes, putAscii(bytes, putAscii(bytes, putAscii(bytes, putAscii(bytes, FIXED_BYTES, BEFORE), parts.cursor), BETWEEN), passed), AFTER);
  else bytes.set(encoded, FIXED_BYTES);
  return { bytes, flagsAt, placesAt, textAt };
}

function headOf({ cursor, passed, cuts, ats }: FrameParts): string {
  return JSON.stringify({ cursor, passed, ...(cuts === undefined ? {} : { cuts }), ...(ats === undefined ? {} : { ats }) } satisfies Head);
}

/** Returns the place behind. */
function putAscii(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i += 1) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

export function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** The channel of a frame, which tells who asked for it; undefined when it is none of ours. */
export function channelOf(bytes: Uint8Array): number | undefined {
  if (bytes.length < FIXED_BYTES || bytes[0] !== MARK || bytes[1] !== VERSION) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(8, true);
}

export interface LogFrame { readonly channel: number; readonly cursor: string; readonly passed: number; readonly items: readonly LogItem[] }

// The browser and Node have both; shared/ knows the types of neither.
declare class TextEncoder { encode(text: string): Uint8Array }
declare class TextDecoder { constructor(label: string, options: { ignoreBOM: boolean }); decode(bytes: Uint8Array): string }
const encoder = new TextEncoder();
/** A cursor that stands in JSON as it is, and the head around it. */
const PLAIN = /^[a-z0-9.]*$/;
const BEFORE = '{"cursor":"';
const BETWEEN = '","passed":';
const AFTER = '}';
/** Scratch of makeFrame(). */
const double = new DataView(new ArrayBuffer(8));
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The entries of a frame; undefined when it is none of ours, or torn. Lines that go on an entry sent before come first, as `more`.
 *  `near`: an instant close to the lines', for forms of time without a year. */
export function readFrame(bytes: Uint8Array, source: string, near?: number): LogFrame | undefined {
  const channel = channelOf(bytes);
  if (channel === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines = view.getUint32(12, true);
  const flagsAt = FIXED_BYTES + view.getUint32(4, true);
  const textAt = flagsAt + lines * 5;
  if (textAt > bytes.length) return undefined;
  const head = jsonAs(Head, decoder.decode(bytes.subarray(FIXED_BYTES, flagsAt)));
  const texts = decoder.decode(bytes.subarray(textAt)).split('\n');
  if (head === undefined || texts.length !== lines + 1) return undefined;
  const offset = view.getFloat64(16, true);
  const cuts = new Map(head.cuts);
  const ats = new Map(head.ats);
  const joined = new Joined(source, head.cursor, near);
  for (let i = 0; i < lines; i += 1) {
    const flags = bytes[flagsAt + i] as number;
    joined.line(texts[i] as string, flags, offset + view.getUint32(flagsAt + lines + i * 4, true), cuts.get(i), ats.get(i));
  }
  return { channel, cursor: head.cursor, passed: head.passed, items: joined.end() };
}

interface Work { readonly offset: number; text: string; level: Level; cutBytes: number; readonly at: number | undefined; blanks: number; readonly more: boolean }

/** Joins the lines of a frame into entries. */
class Joined {
  readonly #items: LogItem[] = [];
  readonly #source: string;
  readonly #cursor: string;
  readonly #near: number | undefined;
  #work: Work | undefined;

  constructor(source: string, cursor: string, near: number | undefined) {
    this.#source = source;
    this.#cursor = cursor;
    this.#near = near;
  }

  line(raw: string, flags: number, offset: number, cutBytes = 0, at?: number): void {
    const text = tidy(raw);
    const level = Level.options[flags & LogFlags.level] ?? 'unknown';
    const joins = (flags & LogFlags.joins) !== 0;
    if ((flags & LogFlags.blank) !== 0) {
      this.#work ??= { offset, text: '', level, cutBytes, at, blanks: 0, more: true };
      this.#work.blanks += 1;
      return;
    }
    if (joins && this.#work !== undefined) {
      const { text: above, more } = this.#work;
      // A frame that begins with blank lines and goes on with text: they stood between this text and what was sent before.
      this.#work.text = above === '' && more ? `${'\n'.repeat(this.#work.blanks)}${text}` : `${above}${'\n'.repeat(this.#work.blanks + 1)}${text}`;
      this.#work.blanks = 0;
      this.#work.level = level;
      this.#work.cutBytes += cutBytes;
      return;
    }
    this.#hand();
    this.#work = { offset, text, level, cutBytes, at, blanks: 0, more: joins };
  }

  end(): readonly LogItem[] {
    this.#hand();
    return this.#items;
  }

  #hand(): void {
    const work = this.#work;
    this.#work = undefined;
    if (work === undefined || (work.more && work.text === '')) return;
    const cut = work.cutBytes > 0 ? { cutBytes: work.cutBytes } : {};
    if (work.more) { this.#items.push({ more: { source: this.#source, offset: work.offset, cursor: this.#cursor, level: work.level, text: work.text, ...cut } }); return; }
    const at = work.at ?? instantOf(work.text, this.#near);
    const line: LogLine = { source: this.#source, offset: work.offset, cursor: this.#cursor, level: work.level, text: work.text, ...(at === undefined ? {} : { at }), ...cut };
    this.#items.push({ line });
  }
}

/** As the agent shows a line in a page of the log: without its carriage return and NULs. */
function tidy(raw: string): string {
  const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
  return line.includes('\0') ? line.replaceAll('\0', '') : line;
}
