// Owns what fills the memory of a process: areas by kind, the biggest with what a look into them shows.
import type { DumpArea, DumpRead } from '../../shared/dump-read.ts';
import { hex } from './bytes.ts';
import type { Segment } from './core.ts';
import type { CoreMemory } from './memory.ts';
import { RSP } from './core.ts';

/** A process of 4 GiB has some thousand areas; what is beyond counts by its kind only. */
const TOLD_AREAS = 10_000;
const LOOKS = 64;
const LOOK_BYTES = 4_096;
/** At most half a GiB is looked at; areas beyond count as filled. */
const MAX_LOOKED_AREAS = 2_000;

export function areasOf(memory: CoreMemory, javascript: ReadonlySet<number>): DumpRead['memory'] {
  const { core } = memory;
  const stacks = new Set(core.threads.map((thread) => memory.segmentAt(thread.registers[RSP] as number)?.from));
  let looks = MAX_LOOKED_AREAS;
  const areas = core.segments.map((segment): Area => {
    looks -= segment.fileBytes > 0 ? 1 : 0;
    return { at: segment.from, bytes: segment.memoryBytes, stored: segment.fileBytes, ...kindOf(memory, segment, stacks, javascript), ...(looks >= 0 ? lookInto((at) => memory.read(segment.from + at, LOOK_BYTES), segment.fileBytes) : { filled: segment.fileBytes }) };
  });
  return summed(areas);
}

export interface Area { readonly at: number; readonly bytes: number; readonly stored: number; readonly filled: number; readonly kind: DumpArea['kind']; readonly name?: string; readonly holds?: string }

/** By kind, and the biggest by themselves: what is filled counts before what is only mapped. */
export function summed(areas: readonly Area[]): DumpRead['memory'] {
  const byKind = new Map<DumpArea['kind'], { areas: number; bytes: number; stored: number; filled: number }>();
  const all = { bytes: 0, stored: 0, filled: 0 };
  for (const one of areas) {
    const sum = byKind.get(one.kind) ?? { areas: 0, bytes: 0, stored: 0, filled: 0 };
    byKind.set(one.kind, { areas: sum.areas + 1, bytes: sum.bytes + one.bytes, stored: sum.stored + one.stored, filled: sum.filled + one.filled });
    for (const what of ['bytes', 'stored', 'filled'] as const) all[what] += one[what];
  }
  const biggest = [...areas].sort((a, b) => b.filled - a.filled || b.bytes - a.bytes || a.at - b.at).slice(0, TOLD_AREAS).map(({ at, ...one }): DumpArea => ({ from: hex(at), ...one }));
  return { ...all, ...(areas.length > TOLD_AREAS ? { more: areas.length - TOLD_AREAS } : {}), byKind: [...byKind].map(([kind, sum]) => ({ kind, ...sum })).sort((a, b) => b.filled - a.filled || b.bytes - a.bytes), biggest };
}

function kindOf(memory: CoreMemory, segment: Segment, stacks: ReadonlySet<number | undefined>, javascript: ReadonlySet<number>): { kind: DumpArea['kind']; name?: string } {
  const file = memory.fileAt(segment.from);
  if (file !== undefined) return { kind: (segment.flags & 1) !== 0 ? 'code' : 'file', name: file.path };
  const image = memory.imageAt(segment.from);
  if (image?.path === '[vdso]') return { kind: 'system', name: '[vdso]' };
  if (image !== undefined) return { kind: 'file', name: image.path };   // the part of a binary that begins as zeros
  if (stacks.has(segment.from)) return { kind: 'stack' };
  if ((segment.flags & 1) !== 0) return { kind: 'code', name: 'made while it ran' };
  if (javascript.has(segment.from)) return { kind: 'javascript' };
  return { kind: (segment.flags & 7) === 0 ? 'system' : 'anonymous' };
}

/** Pages at even distances: zero, text, pointers or other bytes; what is filled is counted from them, since most of a stack was never used. */
export function lookInto(page: (at: number) => Buffer | undefined, storedBytes: number): { filled: number; holds?: string } {
  const pages = Math.floor(storedBytes / LOOK_BYTES);
  const seen: Record<Filling, number> = { zero: 0, text: 0, pointers: 0, bytes: 0 };
  const looks = Math.min(LOOKS, pages);
  let read = 0;
  for (let i = 0; i < looks; i += 1) {
    const bytes = page(Math.floor((i * pages) / looks) * LOOK_BYTES);
    if (bytes === undefined) continue;
    read += 1;
    seen[filling(bytes)] += 1;
  }
  if (read === 0) return { filled: storedBytes };
  const words: Record<Filling, string> = { zero: 'never written or zero', text: 'text', pointers: 'pointers and small numbers', bytes: 'other bytes' };
  const parts = (Object.entries(seen) as [Filling, number][]).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  return { filled: Math.round(storedBytes * (1 - seen.zero / read)), holds: parts.map(([what, n]) => `${Math.round((n / read) * 100)} % ${words[what]}`).join(', ') };
}

type Filling = 'zero' | 'text' | 'pointers' | 'bytes';
const TEXT_SHARE = 0.85;
const POINTER_SHARE = 0.5;

function filling(bytes: Buffer): Filling {
  let [zero, text, words] = [0, 0, 0];
  for (const byte of bytes) { if (byte === 0) zero += 1; else if ((byte >= 0x20 && byte < 0x7f) || byte === 10) text += 1; }
  if (zero === bytes.length) return 'zero';
  if (text > bytes.length * TEXT_SHARE) return 'text';
  for (let at = 0; at < bytes.length; at += 8) if (bytes.readUInt16LE(at + 6) === 0) words += 1;   // addresses of user space and small numbers end so
  return words > (bytes.length / 8) * POINTER_SHARE ? 'pointers' : 'bytes';
}
