// Owns what takes the room: a walk that sums up by folder and keeps the largest files in sight.
import type { DiskUse } from '../../shared/files.ts';
import type { Place, Tell } from './door.ts';
import { hold } from './hold.ts';
import { entriesOf } from './look.ts';
import { walkOf, type Given } from './change.ts';
import { walk, type Folder } from './walk.ts';

/** Folders that are named one by one: so deep, and so many, the largest; the rest is in the sums. */
const NAMED_DEPTH = 4;
const NAMED_FOLDERS = 2_000;
/** Sums that are kept while it goes on. */
const MAX_SUMS = 100_000;
const LARGEST = 50;
/** Files and folders that are looked at: a home has some hundred thousand. */
const MAX_ENTRIES = 3_000_000;

interface Sum { readonly path: string; bytes: number; files: number }

export async function diskUse(given: Given, place: Place, signal: AbortSignal, tell?: Tell): Promise<DiskUse> {
  const spot = await given.places.spot(place, 'look');
  const held = await hold(spot.folder, spot.parts);
  const counter = new Counter(tell);
  const enough = new AbortController();
  try {
    await walk(held, {
      ...await walkOf(given, spot, AbortSignal.any([signal, enough.signal])), rules: undefined,
      leftOut: () => { counter.unreadable += 1; },
      async enter(folder) { if (!await counter.add(folder, signal)) enough.abort(); },
    });
    return counter.result(true);
  } catch (error) {
    signal.throwIfAborted();
    if (!enough.signal.aborted) throw error;
    return counter.result(false);
  } finally {
    await held.letGo();
  }
}

class Counter {
  readonly #top: Sum = { path: '', bytes: 0, files: 0 };
  readonly #sums = new Map<string, Sum>();
  readonly #tell: Tell | undefined;
  #entries = 0;
  #links = 0;
  #largest: { path: string; bytes: number }[] = [];
  unreadable = 0;

  constructor(tell: Tell | undefined) { this.#tell = tell; }

  /** False: that is enough. */
  async add({ held, names, parts }: Folder, signal: AbortSignal): Promise<boolean> {
    const entries = await entriesOf(held, names.filter(({ kind }) => kind === 'file').map(({ name }) => name), signal);
    let bytes = 0;
    for (const { name, sizeBytes } of entries) {
      if (sizeBytes === undefined) { this.unreadable += 1; continue; }
      bytes += sizeBytes;
      this.#keepLargest([...parts, name], sizeBytes);
    }
    for (const sum of this.#way(parts)) { sum.bytes += bytes; sum.files += entries.length; }
    this.#links += names.filter(({ kind }) => kind === 'link').length;
    this.#entries += names.length;
    this.#tell?.({ files: this.#top.files, bytes: this.#top.bytes, note: parts.join('/') });
    return this.#entries < MAX_ENTRIES;
  }

  /** The sums from the top down to a folder, as deep as folders are named. */
  #way(parts: readonly string[]): Sum[] {
    const way = [this.#top];
    for (let depth = 1; depth <= Math.min(NAMED_DEPTH, parts.length); depth += 1) {
      const path = parts.slice(0, depth).join('/');
      const sum = this.#sums.get(path) ?? { path, bytes: 0, files: 0 };
      if (this.#sums.size < MAX_SUMS) this.#sums.set(path, sum);
      way.push(sum);
    }
    return way;
  }

  #keepLargest(parts: readonly string[], bytes: number): void {
    const least = this.#largest.at(-1);
    if (this.#largest.length >= LARGEST && least !== undefined && bytes <= least.bytes) return;
    this.#largest.push({ path: parts.join('/'), bytes });
    this.#largest.sort((a, b) => b.bytes - a.bytes);
    this.#largest.length = Math.min(this.#largest.length, LARGEST);
  }

  result(whole: boolean): DiskUse {
    const folders = [...this.#sums.values()].sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1)).slice(0, NAMED_FOLDERS);
    const { bytes, files } = this.#top;
    return { bytes, files, folders, largest: this.#largest, unreadable: this.unreadable, links: this.#links, whole };
  }
}
