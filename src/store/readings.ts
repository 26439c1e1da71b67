// Owns what was read of large artifacts: each reading kept beside no artifact, on the local disk, until it is old; it can be made again.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { z } from 'zod';
import type { ArtifactRef } from '../shared/model.ts';
import type { Platform } from '../platform/platform.ts';
import { placesOf } from './places.ts';
import { openShelf, type ShelfBounds } from './shelf.ts';

/** A reading has 0.1 to 12 MiB; somebody who compares looks at a few files. */
const BOUNDS: ShelfBounds = { files: 8, bytes: 64 * 1024 * 1024, oneBytes: 32 * 1024 * 1024, ageMs: 86_400_000 };

/** `id` is that of `readingId`. */
export interface Readings<T> {
  /** Of exactly this file, read by this version; undefined when it must be read (again). */
  get(id: string): Promise<T | undefined>;
  /** False: it is larger than what is kept. */
  put(id: string, read: T): Promise<boolean>;
}

/** `kind` names the shelf: "dump-reads". */
export function openReadings<T>(platform: Platform, kind: string, form: z.ZodType<T>): Readings<T> {
  const shelf = openShelf(join(placesOf(platform).temp, kind), BOUNDS, () => platform.clock.now());
  return {
    async get(id) {
      const kept = await shelf.read(`${id}.json`);
      if (kept === undefined) return undefined;
      const parsed = form.safeParse(jsonOf(kept));
      return parsed.success ? parsed.data : undefined;
    },
    async put(id, read) {
      const content = Buffer.from(JSON.stringify(read));
      if (content.length > BOUNDS.oneBytes) return false;
      await shelf.write(`${id}.json`, content);
      return true;
    },
  };
}

/** A name for the reading of these files by one version of the reader. */
export function readingId(refs: readonly ArtifactRef[], version: string): string {
  return createHash('sha256').update(JSON.stringify([version, ...refs.map((ref) => [ref.session, ref.instance, ref.name, ref.bytes, ref.sha256])])).digest('hex').slice(0, 32);
}

function jsonOf(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8')) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;        // torn: read again
    throw error;
  }
}
