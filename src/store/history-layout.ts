// Owns the form of a history file: header, tiers of rows, and how one row is written and proved whole.
import { z } from 'zod';
import { ProcessKey } from '../shared/model.ts';
import { TIERS, metrics, type Scope } from '../shared/metrics.ts';

// One file per track, of fixed size from its birth:
//   0     'DIAGHIS1' | u32 length of the JSON | u32 its checksum | JSON: who, which columns, which tiers
//   4080  f64 newest instant, lagging | u32 its checksum | u32 0
//   4096  rows of the first tier, of the second, of the third; a row lies at (instant / step) modulo rows
// A row is: f64 instant of its slot | f64 per metric, NaN = not measured | u32 checksum | u32 0. An untouched row is zeros: instant 0.
// The instant tells a row of this lap from one of the lap before; the checksum finds rows that a crash tore.
//
// Values have 8 bytes: in 4, bytes of a 16 GiB host would come in steps of 1 KiB and of a 250 GiB disk in steps of 16 KiB, so that a
// slow leak would look like stairs, and sums of bytes would not add up. The price is small: 4.5 MB for the site, 1.2 MB per process.

export const HEADER_BYTES = 4_096;
export const STATE_AT = 4_080;
export const STATE_BYTES = 16;
const MAGIC = 'DIAGHIS1';
const JSON_AT = 16;
const CELL = 8;

const Header = z.object({
  version: z.literal(1),
  instance: z.string(),
  process: ProcessKey.optional(),
  metrics: z.array(z.string()).min(1).max(200),
  tiers: z.array(z.object({ stepMs: z.number().int().positive(), rows: z.number().int().positive().max(100_000) })).min(1).max(8),
});
export type Header = z.infer<typeof Header>;

export interface TierLayout { readonly stepMs: number; readonly rows: number; readonly offset: number }
export interface Layout {
  readonly header: Header;
  readonly columns: ReadonlyMap<string, number>;
  readonly tiers: readonly TierLayout[];
  readonly rowBytes: number;
  readonly fileBytes: number;
}

/** What this version writes: the metrics of the track's scope in their order, the tiers of the table. */
export function wantedHeader(instance: string, process: ProcessKey | undefined): Header {
  const scope: Scope = process ? 'process' : 'site';
  return {
    version: 1,
    instance,
    ...(process ? { process } : {}),
    metrics: metrics.filter((m) => m.scope === scope).map((m) => m.id),
    tiers: TIERS.map((tier) => ({ stepMs: tier.stepMs, rows: tier.keptMs / tier.stepMs })),
  };
}

export function layoutOf(header: Header): Layout {
  const rowBytes = CELL * (header.metrics.length + 2);
  let offset = HEADER_BYTES;
  const tiers = header.tiers.map((tier) => {
    const at = offset;
    offset += tier.rows * rowBytes;
    return { ...tier, offset: at };
  });
  return { header, columns: new Map(header.metrics.map((id, i) => [id, i])), tiers, rowBytes, fileBytes: offset };
}

/** Whether a file can take everything that this version writes; one that has more (a newer version's) can. */
export function serves(layout: Layout, wanted: Header): boolean {
  return wanted.metrics.every((id) => layout.columns.has(id))
    && wanted.tiers.every((tier, i) => layout.header.tiers[i]?.stepMs === tier.stepMs && layout.header.tiers[i]?.rows === tier.rows);
}

export function encodeHeader(header: Header): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  if (JSON_AT + json.length > STATE_AT) throw new Error(`a history header of ${json.length} bytes does not fit`);
  const page = Buffer.alloc(HEADER_BYTES);
  page.write(MAGIC, 0, 'latin1');
  page.writeUInt32LE(json.length, 8);
  page.writeUInt32LE(checksum(json, 0, json.length), 12);
  json.copy(page, JSON_AT);
  return page;
}

/** The header, or undefined when it is damaged or not ours. */
export function decodeHeader(page: Buffer): Header | undefined {
  if (page.length < HEADER_BYTES || page.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
  const length = page.readUInt32LE(8);
  if (JSON_AT + length > STATE_AT) return undefined;
  const json = page.subarray(JSON_AT, JSON_AT + length);
  if (checksum(json, 0, length) !== page.readUInt32LE(12)) return undefined;
  const parsed = Header.safeParse(JSON.parse(json.toString('utf8')));
  return parsed.success ? parsed.data : undefined;
}

/** The block that says how new the newest row is at least. */
export function encodeState(lastAt: number): Buffer {
  const block = Buffer.alloc(STATE_BYTES);
  block.writeDoubleLE(lastAt, 0);
  block.writeUInt32LE(checksum(block, 0, CELL), CELL);
  return block;
}

export function decodeState(block: Buffer): number | undefined {
  const at = block.readDoubleLE(0);
  return at > 0 && checksum(block, 0, CELL) === block.readUInt32LE(CELL) ? at : undefined;
}

/** Where the row of a slot lies in its ring. */
export function positionOf(tier: TierLayout, slot: number): number {
  return Math.floor(slot / tier.stepMs) % tier.rows;
}

/** Writes a row at `offset` of a buffer; values in column order, NaN = not measured. */
export function encodeRow(buffer: Buffer, offset: number, slot: number, values: Float64Array): void {
  buffer.writeDoubleLE(slot, offset);
  for (let i = 0; i < values.length; i += 1) buffer.writeDoubleLE(values[i] ?? NaN, offset + CELL * (i + 1));
  const end = offset + CELL * (values.length + 1);
  buffer.writeUInt32LE(checksum(buffer, offset, end), end);
  buffer.writeUInt32LE(0, end + 4);
}

/** The slot of the row at `offset`: 0 = never written, undefined = torn or damaged. */
export function slotAt(buffer: Buffer, offset: number, rowBytes: number): number | undefined {
  const slot = buffer.readDoubleLE(offset);
  const end = offset + rowBytes - CELL;
  if (slot === 0 && buffer.readUInt32LE(end) === 0) return 0;
  return buffer.readUInt32LE(end) === checksum(buffer, offset, end) ? slot : undefined;
}

/** The value of a column in the row at `offset`; NaN = not measured. */
export function valueAt(buffer: Buffer, offset: number, column: number): number {
  return buffer.readDoubleLE(offset + CELL * (column + 1));
}

/** FNV-1a over bytes in fours: finds torn and foreign rows, is no protection against someone who wants to deceive. */
function checksum(buffer: Buffer, from: number, to: number): number {
  let sum = 0x811c9dc5;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    sum = Math.imul(sum ^ buffer.readUInt32LE(at), 0x01000193);
    sum ^= sum >>> 15;
  }
  for (; at < to; at += 1) sum = Math.imul(sum ^ (buffer[at] ?? 0), 0x01000193);
  return sum >>> 0;
}
