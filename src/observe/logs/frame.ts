// Owns the making of frames: lines of a block, all or some, as one buffer that is sent to everybody who asked for the same.
import { LogFlags, makeFrame, putUint32 } from '../../shared/log-frame.ts';
import type { Block } from './block.ts';
import type { Masked } from './masked.ts';
import { allocate, type FramePool, type Lease } from './pool.ts';

/** One batch of lines for the wire, and what is lost with it when somebody is too slow for it. */
export interface Frame { readonly bytes: Buffer; readonly entries: number; readonly lines: number; readonly cursor: string; readonly passed: number; /** Of memory that is used again. */ readonly lease?: Lease | undefined }

export interface Chosen {
  /** The lines of the block, in order; undefined for all of them. */
  readonly lines: readonly number[] | undefined;
  /** Lines of an entry that began before the block and is sent only now: their text, and where the first lies in the file. */
  readonly above?: { readonly texts: readonly string[]; readonly offset: number; readonly level: number } | undefined;
}

export interface FrameHead { readonly channel: number; readonly cursor: string; readonly passed: number }

/** With a pool, a large frame's memory comes from there. */
export function frameOf(head: FrameHead, block: Block, masked: Masked, chosen: Chosen, pool?: FramePool): Frame {
  return chosen.lines === undefined && masked.texts.size === 0 ? wholeFrame(head, block, pool) : someFrame(head, block, masked, chosen);
}

/** No lines: only how many were left out so far. */
export function emptyFrame(head: FrameHead): Frame {
  const { bytes } = makeFrame({ ...head, lines: 0, offset: 0, textBytes: 0 }, allocate);
  return { bytes: bytes as Buffer, entries: 0, lines: 0, cursor: head.cursor, passed: head.passed };
}

/** So few are sooner written one by one than by a view of them. */
const FEW = 16;

/** The block as it is: three copies. */
function wholeFrame(head: FrameHead, block: Block, pool: FramePool | undefined): Frame {
  let lease: Lease | undefined;
  const room = (size: number): Buffer => {
    if (pool === undefined) return allocate(size);
    const taken = pool.take(size);
    ({ lease } = taken);
    return taken.bytes;
  };
  const { count, starts, places, flags, bytes } = block;
  const from = starts[0] as number;
  const to = starts[count] as number;
  const { channel, cursor, passed } = head;
  const parts = { channel, cursor, passed, lines: count, offset: block.offset, textBytes: to - from };
  const made = makeFrame(block.cuts.size === 0 ? parts : { ...parts, cuts: [...block.cuts] }, room);
  const out = made.bytes as Buffer;
  if (count < FEW) {
    for (let i = 0; i < count; i += 1) { out[made.flagsAt + i] = flags[i] as number; putUint32(out, made.placesAt + i * 4, places[i] as number); }
  } else {
    out.set(flags.subarray(0, count), made.flagsAt);
    out.set(new Uint8Array(places.buffer, places.byteOffset, count * 4), made.placesAt); // every system Node runs on is little endian
  }
  bytes.copy(out, made.textAt, from, to);
  return { bytes: out, entries: entriesOf(flags, count), lines: count, cursor, passed, lease };
}

function entriesOf(flags: Uint8Array, count: number): number {
  let entries = 0;
  for (let i = 0; i < count; i += 1) if (((flags[i] as number) & LogFlags.joins) === 0) entries += 1;
  return entries;
}

interface Part { readonly flags: number; readonly place: number; readonly bytes: Buffer }

function someFrame(head: FrameHead, block: Block, masked: Masked, chosen: Chosen): Frame {
  const { above } = chosen;
  const lines = chosen.lines ?? Array.from({ length: block.count }, (_, i) => i);
  const offset = above?.offset ?? block.offset;
  const first = above?.texts.map((text, i): Part => ({ flags: above.level | (i === 0 ? 0 : LogFlags.joins), place: 0, bytes: Buffer.from(`${text}\n`) })) ?? [];
  const parts = [...first, ...lines.map((line) => partOf(block, masked, line, block.offset - offset))];
  const cuts = lines.flatMap((line, i): [number, number][] => { const cut = block.cuts.get(line); return cut === undefined ? [] : [[first.length + i, cut]]; });
  const placeOf = new Map(masked.ats.length === 0 ? [] : lines.map((line, i) => [line, first.length + i]));
  const ats = masked.ats.flatMap(([line, at]): [number, number][] => { const place = placeOf.get(line); return place === undefined ? [] : [[place, at]]; });
  const more = { ...(cuts.length === 0 ? {} : { cuts }), ...(ats.length === 0 ? {} : { ats }) };
  const made = makeFrame({ ...head, ...more, lines: parts.length, offset, textBytes: parts.reduce((sum, part) => sum + part.bytes.length, 0) }, allocate);
  const out = made.bytes as Buffer;
  let text = made.textAt;
  parts.forEach((part, i) => {
    out[made.flagsAt + i] = part.flags;
    out.writeUInt32LE(part.place, made.placesAt + i * 4);
    text += part.bytes.copy(out, text);
  });
  return { bytes: out, entries: parts.filter((part) => (part.flags & LogFlags.joins) === 0).length, lines: parts.length, cursor: head.cursor, passed: head.passed };
}

function partOf(block: Block, masked: Masked, line: number, shift: number): Part {
  const text = masked.texts.get(line);
  const raw = block.bytes.subarray(block.starts[line], block.starts[line + 1]);
  const flags = (block.flags[line] as number) | (text === '' ? LogFlags.joins | LogFlags.blank : 0); // all of it was masked away with the line above
  return { flags, place: (block.places[line] as number) + shift, bytes: text === undefined ? raw : Buffer.from(`${text}\n`) };
}
