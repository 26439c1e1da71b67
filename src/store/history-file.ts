// Owns one history file while it is open: positional reads and writes of rows, its birth, and its move to a newer form.
import { constants } from 'node:fs';
import { open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeIn, renameOver } from './atomic.ts';
import {
  HEADER_BYTES, STATE_AT, STATE_BYTES, decodeHeader, decodeState, encodeHeader, encodeRow, encodeState, layoutOf, positionOf, serves, slotAt, valueAt,
  type Header, type Layout, type TierLayout,
} from './history-layout.ts';

export interface HistoryFile {
  readonly layout: Layout;
  /** Reads rows from a position of a tier's ring; the caller does not cross the ring's end. */
  read(tier: TierLayout, position: number, buffer: Buffer): Promise<void>;
  write(tier: TierLayout, position: number, buffer: Buffer): Promise<void>;
  /** At least as new as every row written so far minus the lag that the writer allows. Undefined: damaged or never said. */
  lastAt(): Promise<number | undefined>;
  setLastAt(at: number): Promise<void>;
  close(): Promise<void>;
}

/** Rows handled at once: 60 KB of the site's. */
export const CHUNK_ROWS = 256;

/** A pipe that has the file's name must not hold the thread. */
const MODES = { 'r': constants.O_RDONLY | (constants.O_NONBLOCK ?? 0), 'r+': constants.O_RDWR | (constants.O_NONBLOCK ?? 0) } as const;

/** Opens a file as it is. 'missing' and 'damaged' are answers, not errors; what is no plain file is damaged. */
export async function openHistory(path: string, mode: 'r' | 'r+'): Promise<HistoryFile | 'missing' | 'damaged'> {
  let handle: FileHandle;
  try {
    handle = await open(path, MODES[mode]);
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return 'missing';
    if (codeIn(error) === 'EISDIR') return 'damaged';
    throw error;
  }
  try {
    const found = await handle.stat();
    const layout = found.isFile() ? await layoutIn(handle) : undefined;
    if (layout && found.size === layout.fileBytes) return fileOn(handle, layout);
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return 'damaged';
}

/** Undefined when the header is not one of ours. */
async function layoutIn(handle: FileHandle): Promise<Layout | undefined> {
  const page = Buffer.alloc(HEADER_BYTES);
  await handle.read(page, 0, HEADER_BYTES, 0);
  try {
    const header = decodeHeader(page);
    return header && layoutOf(header);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function fileOn(handle: FileHandle, layout: Layout): HistoryFile {
  return {
    layout,
    async read(tier, position, buffer) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, tier.offset + position * layout.rowBytes);
      buffer.fill(0, bytesRead);                               // cut short by somebody: rows that were never written
    },
    async write(tier, position, buffer) { await handle.write(buffer, 0, buffer.length, tier.offset + position * layout.rowBytes); },
    async lastAt() {
      const block = Buffer.alloc(STATE_BYTES);
      await handle.read(block, 0, STATE_BYTES, STATE_AT);
      return decodeState(block);
    },
    async setLastAt(at) { await handle.write(encodeState(at), 0, STATE_BYTES, STATE_AT); },
    close: () => handle.close(),
  };
}

/** Makes a file of its full size (sparse where the disk can) under its name, whole from its birth. Replaces what is there. */
export async function makeHistory(path: string, header: Header): Promise<void> {
  await bear(path, header, async () => {});
}

/** Opens for writing; a file of an older form is rewritten into this one, with what it knows. */
export async function openForWriting(path: string, wanted: Header): Promise<HistoryFile | 'missing' | 'damaged'> {
  const found = await openHistory(path, 'r+');
  if (typeof found === 'string' || serves(found.layout, wanted)) return found;
  try {
    await bear(path, grown(found.layout.header, wanted), async (next) => {
      await copyRows(found, next);
      await found.close();                                     // before the rename: Windows does not replace an open file
    });
  } finally {
    await found.close();
  }
  return openHistory(path, 'r+');
}

async function bear(path: string, header: Header, fill: (file: HistoryFile) => Promise<void>): Promise<void> {
  const temp = `${path}.tmp`;                                  // one writer per folder; the next start removes a leftover
  const handle = await open(temp, 'w+', 0o600);
  try {
    const layout = layoutOf(header);
    await handle.write(encodeHeader(header), 0, HEADER_BYTES, 0);
    await handle.truncate(layout.fileBytes);
    await fill(fileOn(handle, layout));
    await handle.sync();
  } catch (error) {
    await handle.close();
    await rm(temp, { force: true });
    throw error;
  }
  await handle.close();
  await renameOver(temp, path);
}

/** Our columns first, in our order; columns of a newer version are kept behind them. */
function grown(old: Header, wanted: Header): Header {
  return { ...wanted, metrics: [...wanted.metrics, ...old.metrics.filter((id) => !wanted.metrics.includes(id))] };
}

async function copyRows(from: HistoryFile, to: HistoryFile): Promise<void> {
  for (const tier of from.layout.tiers) {
    const target = to.layout.tiers.find((t) => t.stepMs === tier.stepMs);
    if (target) await copyTier(from, tier, to, target);
  }
  const lastAt = await from.lastAt();
  if (lastAt !== undefined) await to.setLastAt(lastAt);
}

async function copyTier(from: HistoryFile, tier: TierLayout, to: HistoryFile, target: TierLayout): Promise<void> {
  const { rowBytes } = from.layout;
  const buffer = Buffer.alloc(CHUNK_ROWS * rowBytes);
  const row = Buffer.alloc(to.layout.rowBytes);
  const sources = to.layout.header.metrics.map((id) => from.layout.columns.get(id));
  for (let position = 0; position < tier.rows; position += CHUNK_ROWS) {
    const rows = Math.min(CHUNK_ROWS, tier.rows - position);
    await from.read(tier, position, buffer.subarray(0, rows * rowBytes));
    for (let i = 0; i < rows; i += 1) {
      const slot = slotAt(buffer, i * rowBytes, rowBytes);
      if (slot === undefined || slot === 0) continue;
      encodeRow(row, 0, slot, Float64Array.from(sources, (column) => (column === undefined ? NaN : valueAt(buffer, i * rowBytes, column))));
      if (target.rows >= tier.rows || !await holdsNewer(to, target, slot)) await to.write(target, positionOf(target, slot), row);
    }
  }
}

/** In a shorter ring two old rows can claim one place: the newer one has it. */
async function holdsNewer(file: HistoryFile, tier: TierLayout, slot: number): Promise<boolean> {
  const row = Buffer.alloc(file.layout.rowBytes);
  await file.read(tier, positionOf(tier, slot), row);
  return (slotAt(row, 0, row.length) ?? 0) > slot;
}

/** The newest slot of a file whose rows are at most lagMs newer than it says; when it says nothing, the whole of its longest tier is looked at. */
export async function newestIn(file: HistoryFile, lagMs: number): Promise<number> {
  const saidAt = await file.lastAt();
  if (saidAt === undefined) {
    const longest = file.layout.tiers.at(-1);
    return longest ? newestOf(file, longest, 0, longest.rows) : 0;
  }
  let newest = saidAt;
  for (const tier of file.layout.tiers) newest = Math.max(newest, await newestOf(file, tier, positionOf(tier, saidAt), Math.min(tier.rows, Math.ceil(lagMs / tier.stepMs) + 1)));
  return newest;
}

/** The newest slot among `count` rows from a position on, around the ring's end. */
async function newestOf(file: HistoryFile, tier: TierLayout, from: number, count: number): Promise<number> {
  const { rowBytes } = file.layout;
  let newest = 0;
  for (let done = 0; done < count;) {
    const position = (from + done) % tier.rows;
    const rows = Math.min(CHUNK_ROWS, count - done, tier.rows - position);
    const buffer = Buffer.alloc(rows * rowBytes);
    await file.read(tier, position, buffer);
    for (let i = 0; i < rows; i += 1) newest = Math.max(newest, slotAt(buffer, i * rowBytes, rowBytes) ?? 0);
    done += rows;
  }
  return newest;
}

/** Damaged files kept for a look; older ones go. */
const KEPT_DAMAGED = 4;

/** A damaged file keeps its content under another name; history begins anew. */
export async function setAside(path: string): Promise<void> {
  await rename(path, `${path}.damaged`);
  const folder = dirname(path);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.damaged'));
  const dated = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })));
  for (const { name } of dated.sort((a, b) => b.at - a.at).slice(KEPT_DAMAGED)) await rm(join(folder, name), { force: true });
}
