// Owns the room: what our sessions use, what they may use, and what stays free on the disk.
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { DiagError } from '../shared/errors.ts';
import type { SessionId } from '../shared/model.ts';
import { within } from '../platform/clock.ts';
import type { Platform } from '../platform/platform.ts';
import { codeIn } from './atomic.ts';
import type { Places } from './places.ts';
import { sessionIds } from './session-record.ts';
import type { Room } from './store.ts';

/** A dump of a 2 GiB worker and its analysis fit twice; more is for a storage account. */
export const DEFAULT_LIMIT_BYTES = 4 * 2 ** 30;
/** Of a small disk (App Service: 1 GB free, 10 GB basic) the site needs the rest. */
const DISK_SHARE = 0.2;
/** What stays free for the site itself, which fails when its home is full: 2 % of the disk, at least 256 MiB, on small disks at least 10 %. */
const RESERVE_SHARE = 0.02;
const RESERVE_BYTES = 256 * 2 ** 20;
const RESERVE_SHARE_SMALL = 0.1;
/** Other instances write too: what was counted is counted again after this time. */
const COUNT_AGAIN_MS = 60_000;
const ASK_MS = 5_000;

export interface RoomKeeper {
  room(): Promise<Room>;
  /** @throws NO_ROOM */
  demand(what: string, needBytes: number): Promise<void>;
  /** Bytes that came (or went, negative) since the last count. */
  add(bytes: number): void;
  /** The next question counts again. */
  forget(): void;
}

interface Disk { readonly freeBytes?: number; readonly totalBytes?: number }

export function createRoom(platform: Platform, places: Places, limitBytes: number): RoomKeeper {
  let counted: { bytes: number; readonly at: number } | undefined;
  const usedBytes = async (): Promise<number> => {
    const now = platform.clock.monotonic();
    if (counted === undefined || now - counted.at > COUNT_AGAIN_MS) counted = { bytes: await countBytes(places), at: now };
    return counted.bytes;
  };
  const look = async () => {
    const disk = await diskOf(platform);
    const limit = disk.totalBytes === undefined ? limitBytes : Math.min(limitBytes, Math.floor(disk.totalBytes * DISK_SHARE));
    return { used: await usedBytes(), limit, disk };
  };
  return {
    add: (bytes) => { if (counted) counted.bytes = Math.max(0, counted.bytes + bytes); },
    forget: () => { counted = undefined; },
    async room() {
      const { used, limit, disk } = await look();
      return { usedBytes: used, limitBytes: limit, ...(disk.freeBytes === undefined ? {} : { freeBytes: disk.freeBytes }) };
    },
    async demand(what, needBytes) {
      const { used, limit, disk } = await look();
      const local = await statDisk(places.temp);               // files are made on the local disk first
      const left = Math.min(limit - used, spare(disk), spare(local));
      if (needBytes > left) throw new DiagError('NO_ROOM', { what, needBytes, freeBytes: Math.max(0, Math.floor(left)) });
    },
  };
}

/** What a disk can give without touching the reserve; an unknown disk sets no bound. */
function spare(disk: Disk): number {
  if (disk.freeBytes === undefined) return Infinity;
  const total = disk.totalBytes ?? disk.freeBytes;
  return disk.freeBytes - Math.max(total * RESERVE_SHARE, Math.min(RESERVE_BYTES, total * RESERVE_SHARE_SMALL));
}

/** The home's disk: as the platform knows it (a quota on App Service), else as the file system says. */
async function diskOf(platform: Platform): Promise<Disk> {
  const usage = await platform.hostUsage(within(ASK_MS));
  if (usage.diskFreeBytes === undefined) return statDisk(platform.host.folders.own);
  return { freeBytes: usage.diskFreeBytes, ...(usage.diskTotalBytes === undefined ? {} : { totalBytes: usage.diskTotalBytes }) };
}

async function statDisk(folder: string): Promise<Disk> {
  try {
    const disk = await statfs(folder);
    return { freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize };
  } catch (error) {
    if (['ENOSYS', 'ENOENT', 'EACCES'].includes(codeIn(error))) return {};
    throw error;
  }
}

/** Only folders of sessions with a record of ours: the platform's DaaS keeps its own beside them. */
async function countBytes(places: Places): Promise<number> {
  let bytes = 0;
  for (const id of await sessionIds(places)) bytes += await sessionBytes(places, id);
  return bytes;
}

/** Bytes of one session's artifacts and reports. */
export async function sessionBytes(places: Places, id: SessionId): Promise<number> {
  return await folderBytes(places.logs(id)) + await folderBytes(places.reports(id));
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) bytes += await folderBytes(path);
      else if (entry.isFile()) bytes += (await stat(path)).size;
    }
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeIn(error))) throw error;   // went while we counted, is no folder, or another user's
  }
  return bytes;
}
