// Owns a zip that is made while it is sent: one entry after the other, with what is known of each at its end.
import { createHash } from 'node:crypto';
import { Transform, type Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ZipArchive } from 'archiver';

export interface Added { readonly path: string; readonly bytes: number; readonly sha256: string }
export type AddEntry = (name: string, source: Readable, date: Date) => Promise<Added>;

/** Deflate's own middle: 93 MB/s, and logs to a tenth. */
const LEVEL = 6;

/** Resolves when the reader has all; whatever fails, or the signal, cuts the stream off, so that nobody takes a part for the whole. */
export async function zipOf(out: Writable, signal: AbortSignal, work: (add: AddEntry) => Promise<void>): Promise<void> {
  const { ZipArchive: Zip } = await import('archiver');
  const archive: ZipArchive = new Zip({ zlib: { level: LEVEL } });
  const written = pipeline(archive, out, { signal });
  const settled = Promise.allSettled([written]);               // it may fail while something else is awaited
  try {
    await work(async (name, source, date) => {
      const hash = createHash('sha256');
      let size = 0;
      const tap = new Transform({ transform(chunk: Buffer, _encoding, next) { hash.update(chunk); size += chunk.length; next(undefined, chunk); } });
      const entered = new Promise<void>((resolve) => { archive.once('entry', () => { resolve(); }); });
      archive.append(tap, { name, date, mode: 0o644 });
      const fed = pipeline(source, tap, { signal });
      try {
        await Promise.race([Promise.all([entered, fed]), written]);
      } finally {
        source.destroy();
        tap.destroy();
      }
      return { path: name, bytes: size, sha256: hash.digest('hex') };
    });
    await Promise.race([archive.finalize(), written]);
    await written;
  } catch (error) {
    out.destroy();
    if (!signal.aborted) throw error;
  } finally {
    archive.destroy();
    await settled;
  }
}
