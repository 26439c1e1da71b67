// Owns a log file on disk as a thing to search: opened for the search, its index at hand.
import { open } from 'node:fs/promises';
import { Backwards } from './backwards.ts';
import type { LogFormat } from './columns.ts';
import { isGone } from './files.ts';
import { openIndex } from './index/kept.ts';
import type { IndexShelf } from './index/kept.ts';
import type { SearchedFile, Walk } from './search.ts';

export interface PlainSource {
  readonly path: string;
  readonly source: string;
  readonly instance?: string;
  readonly format: LogFormat;
  /** The file does not grow any more: an unterminated last line is a row. */
  readonly whole: boolean;
  readonly shelf?: IndexShelf;
}

export function plainFile(given: PlainSource): SearchedFile {
  const { path, source, format, instance, shelf } = given;
  return {
    source, format: format.id, ...(instance === undefined ? {} : { instance }),
    async walk(wanted, onRows) {
      const file = await orGone(open(path, 'r'));
      if (file === undefined) return NOTHING;
      try {
        const { size, ino } = await file.stat();
        const opened = await openIndex(shelf, file, { path, ino, sizeBytes: size, format: format.id });
        const walk = new Backwards({ ...given, file, sizeBytes: size, opened }, wanted, onRows);
        return {
          get bound() { return walk.bound; },
          get readBytes() { return walk.readBytes; },
          begin: (signal) => walk.begin(signal),
          step: (signal) => walk.step(signal),
          async end() {
            try { await walk.end(); } finally { await file.close(); }
          },
        };
      } catch (error) {
        await file.close();
        throw error;
      }
    },
  };
}

/** Rotated away between the listing and the reading. */
const NOTHING: Walk = { bound: -Infinity, readBytes: 0, begin: async () => undefined, step: async () => undefined, end: async () => undefined };

async function orGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
