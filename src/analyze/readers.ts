// Owns the readers of artifacts: streams, bounded text, bounded JSON, straight from the file.
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { DiagError } from '../shared/errors.ts';
import type { ArtifactRef } from '../shared/model.ts';
import { bytes } from '../shared/units.ts';
import type { ArtifactReader, Given } from './contracts.ts';

/** A JSON artifact of ours stays far below this; a foreign file may not. */
const MAX_JSON_BYTES = 256 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;

/** An artifact and where it lies: what can be handed to a worker thread. */
export interface Placed { readonly ref: ArtifactRef; readonly path: string }

export function readerOf({ ref, path }: Placed): ArtifactReader {
  return {
    ref, path,
    stream: () => createReadStream(path, { highWaterMark: CHUNK_BYTES }),
    async text(maxBytes) {
      const file = await open(path, 'r');
      try {
        const { size } = await file.stat();
        const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, maxBytes)), 0, Math.min(size, maxBytes), 0);
        return { text: buffer.toString('utf8', 0, bytesRead), cut: size > maxBytes };
      } finally {
        await file.close();
      }
    },
    async json() {
      const { size } = await stat(path);
      if (size > MAX_JSON_BYTES) throw new DiagError('BUNDLE_UNREADABLE', { what: ref.name, why: `it has ${bytes(size)}, more than ${bytes(MAX_JSON_BYTES)}` });
      return JSON.parse(await readFile(path, 'utf8')) as unknown;
    },
  };
}

/** Readers by kind, each kind in the order of names: the order of collection must not show in a report. */
export function givenOf(placed: readonly Placed[]): Given {
  const given: { -readonly [K in keyof Given]: ArtifactReader[] } = {};
  const ordered = [...placed].sort((a, b) => (a.ref.instance < b.ref.instance ? -1 : a.ref.instance > b.ref.instance ? 1 : a.ref.name < b.ref.name ? -1 : 1));
  for (const one of ordered) (given[one.ref.kind] ??= []).push(readerOf(one));
  return given;
}

/** Readers for several analyzers in turn: of a kind whose artifacts are the same as before, the same list, so that what was made of them once is known again. */
export function sharedReaders(): (placed: readonly Placed[]) => Given {
  const before = new Map<string, { readonly key: string; readonly readers: readonly ArtifactReader[] }>();
  return (placed) => Object.fromEntries(Object.entries(givenOf(placed)).map(([kind, readers]) => {
    const key = JSON.stringify(readers.map((one) => one.ref));
    const known = before.get(kind);
    if (known?.key === key) return [kind, known.readers];
    before.set(kind, { key, readers });
    return [kind, readers];
  }));
}

/** Only the kinds that an analyzer names. */
export function narrowed(placed: readonly Placed[], analyzer: { readonly needs: readonly string[]; readonly uses?: readonly string[] }): readonly Placed[] {
  const kinds = new Set([...analyzer.needs, ...(analyzer.uses ?? [])]);
  return placed.filter((one) => kinds.has(one.ref.kind));
}
