// Owns what was read of memory dumps: each reading kept beside no artifact, on the local disk, until it is old; it can be made again.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DumpRead } from '../shared/dump-read.ts';
import type { ArtifactRef } from '../shared/model.ts';
import type { Platform } from '../platform/platform.ts';
import { placesOf } from './places.ts';
import { openShelf, type ShelfBounds } from './shelf.ts';

/** A reading has 0.1 to 12 MiB; somebody who compares looks at a few dumps. */
const BOUNDS: ShelfBounds = { files: 8, bytes: 64 * 1024 * 1024, oneBytes: 32 * 1024 * 1024, ageMs: 86_400_000 };

export interface DumpReads {
  /** Of exactly this file, read by this version; undefined when it must be read (again). */
  get(ref: ArtifactRef): Promise<DumpRead | undefined>;
  /** False: it is larger than what is kept. */
  put(ref: ArtifactRef, read: DumpRead): Promise<boolean>;
}

export function openDumpReads(platform: Platform, version: string): DumpReads {
  const shelf = openShelf(join(placesOf(platform).temp, 'dump-reads'), BOUNDS, () => platform.clock.now());
  const name = (ref: ArtifactRef): string => `${readingId(ref, version)}.json`;
  return {
    async get(ref) {
      const kept = await shelf.read(name(ref));
      if (kept === undefined) return undefined;
      const parsed = DumpRead.safeParse(jsonOf(kept));
      return parsed.success ? parsed.data : undefined;
    },
    async put(ref, read) {
      const content = Buffer.from(JSON.stringify(read));
      if (content.length > BOUNDS.oneBytes) return false;
      await shelf.write(name(ref), content);
      return true;
    },
  };
}

/** A name for the reading of one file by one version of the reader. */
export function readingId(ref: ArtifactRef, version: string): string {
  return createHash('sha256').update(JSON.stringify([version, ref.session, ref.instance, ref.name, ref.bytes, ref.sha256])).digest('hex').slice(0, 32);
}

function jsonOf(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8')) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;        // torn: read again
    throw error;
  }
}
