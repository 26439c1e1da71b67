// Owns the masking of log files as they stream: whole lines in, masked bytes out, in the file's own encoding.
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import type { MaskedText } from './masker.ts';

/** Lines are gathered to blocks of about this size: large enough for the search, small enough not to hold the event loop (about 2 ms). */
const BLOCK_BYTES = 64 * 1024;
/** A longer line is cut here; what follows is counted and left out. As the live tail does. */
export const MAX_LINE_BYTES = 1024 * 1024;
/** Dropped from the end of a cut line: the cut may lie inside a secret, whose first half no pattern knows. */
const CUT_MARGIN_BYTES = 4 * 1024;
/** A PEM private key is kept in one block up to this size: 16384-bit RSA is 12,700 characters. */
const MAX_KEY_BYTES = 32 * 1024;
const LF = 10;

export interface Tally { masked: number; cutBytes: number; bytes: number; foreign?: string }

export const newTally = (): Tally => ({ masked: 0, cutBytes: 0, bytes: 0 });

/** The bytes [start, end) of a file in chunks; ends at the file's end when that comes first. */
export function readSpan(path: string, start: number, end: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
  if (end <= start) return nothing();
  return createReadStream(path, { start, end: end - 1, highWaterMark: BLOCK_BYTES, signal }) as AsyncIterable<Uint8Array>;
}

async function* nothing(): AsyncGenerator<Uint8Array> { /* an empty span has no chunk */ }

/** Blocks of whole lines; a line longer than MAX_LINE_BYTES is cut. Memory: one block and one line. */
export async function* lineBlocks(chunks: AsyncIterable<Uint8Array>, tally: Tally): AsyncGenerator<Buffer> {
  let carry: Buffer = Buffer.alloc(0);
  let skipping = false;
  for await (const chunk of chunks) {
    let bytes: Buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (skipping) {
      const end = bytes.indexOf(LF);
      tally.cutBytes += end < 0 ? bytes.length : end;
      if (end < 0) continue;
      bytes = bytes.subarray(end);
      skipping = false;
    }
    carry = carry.length === 0 ? Buffer.from(bytes) : Buffer.concat([carry, bytes]);
    const whole = bytes.includes(LF) ? wholeLines(carry) : 0;
    if (whole > 0) {
      yield carry.subarray(0, whole);
      carry = carry.subarray(whole);
    }
    if (carry.length <= MAX_LINE_BYTES) continue;
    const kept = lineStart(carry, MAX_LINE_BYTES - CUT_MARGIN_BYTES);
    tally.cutBytes += carry.length - kept;
    yield Buffer.concat([carry.subarray(0, kept), Buffer.from(' [line cut]')]);
    carry = Buffer.alloc(0);
    skipping = true;
  }
  if (carry.length > 0) yield carry;
}

/** Up to which byte the block can go: after its last line, but not between the two ends of a private key. */
function wholeLines(block: Buffer): number {
  const end = block.lastIndexOf(LF) + 1;
  const key = block.lastIndexOf('PRIVATE KEY-----', end);
  const begin = key < 0 ? -1 : block.lastIndexOf('-----BEGIN', key);
  if (begin < 0 || key - begin > 60 || end - begin > MAX_KEY_BYTES || block.subarray(key, end).includes('-----END')) return end;
  return block.lastIndexOf(LF, begin) + 1;
}

/** Not inside a UTF-8 character: steps back over its following bytes. */
function lineStart(bytes: Buffer, at: number): number {
  let cut = at;
  while (cut > at - 4 && ((bytes[cut] ?? 0) & 0xC0) === 0x80) cut -= 1;
  return cut;
}

/** The same lines with `mask` applied. UTF-8 stays UTF-8, other single-byte text keeps its bytes, UTF-16 becomes UTF-8 (`tally.foreign`). */
export async function* masked(chunks: AsyncIterable<Uint8Array>, mask: (text: string) => MaskedText, tally: Tally): AsyncGenerator<Buffer> {
  for await (const block of lineBlocks(utf8Of(chunks, tally), tally)) {
    const encoding = isUtf8(block) ? 'utf8' : 'latin1';
    const { text, count } = mask(block.toString(encoding));
    tally.masked += count;
    const out = count === 0 ? block : Buffer.from(text, encoding);
    tally.bytes += out.length;
    yield out;
  }
}

/** UTF-16 (Windows PowerShell's redirect writes it) hides secrets from every pattern: it is read as what it is. */
async function* utf8Of(chunks: AsyncIterable<Uint8Array>, tally: Tally): AsyncGenerator<Uint8Array> {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let first = true;
  for await (const chunk of chunks) {
    if (first && chunk.length > 0) {
      const encoding = utf16(chunk);
      if (encoding) { decoder = new TextDecoder(encoding); tally.foreign = encoding; }
      first = false;
    }
    yield decoder ? Buffer.from(decoder.decode(chunk, { stream: true })) : chunk;
  }
  if (decoder) yield Buffer.from(decoder.decode());
}

/** By its mark, or by a zero byte beside every letter at the start; a span out of the middle has no mark. */
function utf16(chunk: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (chunk[0] === 0xFF && chunk[1] === 0xFE) return 'utf-16le';
  if (chunk[0] === 0xFE && chunk[1] === 0xFF) return 'utf-16be';
  const probe = chunk.subarray(0, 256);
  if (probe.length < 8) return undefined;
  const zeros = [0, 0];
  probe.forEach((byte, i) => { if (byte === 0) zeros[i % 2] = (zeros[i % 2] ?? 0) + 1; });
  if ((zeros[1] ?? 0) > probe.length * 0.4 && zeros[0] === 0) return 'utf-16le';
  if ((zeros[0] ?? 0) > probe.length * 0.4 && zeros[1] === 0) return 'utf-16be';
  return undefined;
}
