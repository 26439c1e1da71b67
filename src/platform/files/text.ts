// Owns the reading of bytes as text: what they are written in, and pieces cut between characters; pure.
import type { FileEncoding } from '../../shared/files.ts';

/** Enough to tell what a file is written in. */
export const HEAD_BYTES = 4_096;
/** UTF-16 without its mark: in texts of the West nearly every other byte is zero. */
const ZERO_SHARE = 0.4;

export interface Decoded { readonly text: string; readonly from: number; readonly to: number }

/** What the beginning of a file is written in. */
export function encodingOf(head: Buffer): { readonly encoding: FileEncoding; readonly markBytes: number } {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: 'utf-8', markBytes: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', markBytes: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', markBytes: 2 };
  if (head.includes(0)) return { encoding: withoutMark(head), markBytes: 0 };
  return { encoding: isUtf8(head) ? 'utf-8' : manyControls(head) ? 'binary' : 'latin1', markBytes: 0 };
}

function withoutMark(head: Buffer): FileEncoding {
  let even = 0, odd = 0;
  for (let i = 0; i < head.length; i += 1) if (head[i] === 0) { if (i % 2 === 0) even += 1; else odd += 1; }
  const pairs = head.length / 2;
  if (odd > pairs * ZERO_SHARE && even === 0) return 'utf-16le';
  if (even > pairs * ZERO_SHARE && odd === 0) return 'utf-16be';
  return 'binary';
}

/** A character that is cut off by the end of the head is no fault. */
function isUtf8(bytes: Buffer): boolean {
  const whole = bytes.subarray(0, bytes.length - utf8Tail(bytes));
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(whole);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function manyControls(head: Buffer): boolean {
  let controls = 0;
  for (const byte of head) if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 27 && byte !== 12) controls += 1;
  return controls > head.length / 20;
}

/** How many bytes at the end begin a character that they do not finish. */
function utf8Tail(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 && byte < 0xf8 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return byte < 0xf8 && length > back ? back : 0;
  }
  return 0;
}

/** Bytes that began at `offset` as text: without half characters at either end (but at the end of the file), and without the mark. */
export function decode(bytes: Buffer, offset: number, isEnd: boolean, { encoding, markBytes }: { readonly encoding: FileEncoding; readonly markBytes: number }): Decoded {
  if (encoding === 'utf-8') return decodeUtf8(bytes, offset, isEnd, markBytes);
  if (encoding === 'latin1' || encoding === 'binary') return { text: bytes.toString('latin1'), from: offset, to: offset + bytes.length };
  return decodeUtf16(bytes, offset, isEnd, encoding === 'utf-16be', markBytes);
}

function decodeUtf8(bytes: Buffer, offset: number, isEnd: boolean, markBytes: number): Decoded {
  let start = 0;
  if (offset > 0) while (start < Math.min(3, bytes.length) && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  const end = isEnd ? bytes.length : bytes.length - utf8Tail(bytes);
  const skip = offset === 0 ? Math.min(markBytes, end) : start;
  return { text: bytes.toString('utf8', skip, end), from: offset === 0 ? 0 : offset + start, to: offset + Math.max(end, start) };
}

function decodeUtf16(bytes: Buffer, offset: number, isEnd: boolean, isBig: boolean, markBytes: number): Decoded {
  let start = offset % 2;
  let end = bytes.length - ((bytes.length - start) % 2);
  const unitAt = (i: number): number => (isBig ? bytes.readUInt16BE(i) : bytes.readUInt16LE(i));
  if (end - start >= 2 && offset > 0 && (unitAt(start) & 0xfc00) === 0xdc00) start += 2;
  if (end - start >= 2 && !isEnd && (unitAt(end - 2) & 0xfc00) === 0xd800) end -= 2;
  const body = Buffer.from(bytes.subarray(offset === 0 ? Math.min(markBytes, end) : start, Math.max(start, end)));
  return { text: (isBig ? body.swap16() : body).toString('utf16le'), from: offset === 0 ? 0 : offset + start, to: isEnd ? offset + bytes.length : offset + Math.max(start, end) };
}

/** A text as the bytes of an encoding. @throws RangeError where it has characters that the encoding has not */
export function encode(text: string, encoding: Exclude<FileEncoding, 'binary'>, bom: boolean): Buffer {
  const marked = bom && encoding !== 'latin1' ? `\ufeff${text}` : text;
  if (encoding === 'utf-8') return Buffer.from(marked);
  if (encoding === 'latin1') {
    const odd = /[^\u0000-\u00ff]/u.exec(text);
    if (odd !== null) throw new RangeError(`the file is written in Latin-1, which has no ${odd[0]}`);
    return Buffer.from(text, 'latin1');
  }
  const bytes = Buffer.from(marked, 'utf16le');
  return encoding === 'utf-16be' ? bytes.swap16() : bytes;
}
