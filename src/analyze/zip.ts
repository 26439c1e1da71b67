// Owns reading a zip that anyone may have made: names that lead out, bombs, doubles, links and encryption are refused before a byte is written.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Entry, ZipFile } from 'yauzl';
import { DiagError, sayError } from '../shared/errors.ts';
import { bytes, count } from '../shared/units.ts';

export interface ZipLimits { readonly files: number; readonly totalBytes: number; readonly nameChars: number }
/** A session of ours has some hundred files; without its dumps 1 GiB is far more than it may collect; who wants dumps bounds them. */
export const ZIP_LIMITS: ZipLimits = { files: 5_000, totalBytes: 4 * 1024 * 1024 * 1024, nameChars: 240 };

export interface Extracted { readonly path: string; readonly bytes: number; readonly sha256: string }

/** Puts the files that `wanted` names below `folder`. All entries are judged first. @throws BUNDLE_UNREADABLE */
export async function extract(zip: string, folder: string, given: { wanted(name: string, sizeBytes: number): boolean; limits?: ZipLimits; signal: AbortSignal }): Promise<ReadonlyMap<string, Extracted>> {
  const refuse = (why: string, cause?: unknown): never => { throw new DiagError('BUNDLE_UNREADABLE', { what: 'The zip', why }, { cause }); };
  const { openPromise } = await import('yauzl');
  const file = await openPromise(zip, { autoClose: false, strictFileNames: true }).catch((error: unknown) => refuse(sayError(error), error));
  try {
    const entries = await judged(file, given.limits ?? ZIP_LIMITS, given.wanted).catch((error: unknown) => (error instanceof DiagError ? Promise.reject(error) : refuse(sayError(error), error)));
    const out = new Map<string, Extracted>();
    for (const entry of entries) {
      given.signal.throwIfAborted();
      out.set(entry.fileName, await write(file, entry, join(folder, entry.fileName), given.signal).catch((error: unknown) => { given.signal.throwIfAborted(); return refuse(`${entry.fileName}: ${sayError(error)}`, error); }));
    }
    return out;
  } finally {
    file.close();
  }
}

/** yauzl itself refuses absolute names, `..`, backslashes and stored sizes that lie; here is the rest. */
async function judged(file: ZipFile, limits: ZipLimits, wanted: (name: string, sizeBytes: number) => boolean): Promise<Entry[]> {
  const refuse = (why: string): never => { throw new DiagError('BUNDLE_UNREADABLE', { what: 'The zip', why }); };
  if (file.entryCount > limits.files) refuse(`it has ${count(file.entryCount)} entries, more than ${count(limits.files)}`);
  const seen = new Set<string>();
  const kept: Entry[] = [];
  let total = 0;
  for await (const entry of file.eachEntry()) {
    const name = entry.fileName;
    // Windows and macOS take two names that differ in case for one file.
    const key = name.toLowerCase().normalize('NFC');
    if (seen.has(key)) refuse(`it has ${name} twice`);
    seen.add(key);
    if (seen.size > limits.files) refuse(`it has more than ${count(limits.files)} entries`);
    if (name.length > limits.nameChars || hasControl(name) || name.split('/').some((part) => part === '.' || (part === '' && !name.endsWith('/')))) refuse('a file name in it is too long or not a plain path');
    if (isLink(entry)) refuse(`${name} is a link`);
    if (name.endsWith('/') || !wanted(name, entry.uncompressedSize)) continue;
    if (entry.isEncrypted()) refuse(`${name} is encrypted`);
    if (!entry.canDecodeFileData()) refuse(`${name} is compressed in a way that is not known here`);
    total += entry.uncompressedSize;
    if (total > limits.totalBytes) refuse(`it would take more than ${bytes(limits.totalBytes)}`);
    kept.push(entry);
  }
  return kept;
}

function hasControl(name: string): boolean {
  for (let i = 0; i < name.length; i += 1) if (name.charCodeAt(i) < 32 || '<>:"|?*'.includes(name[i] ?? '')) return true;
  return false;
}

/** Unix mode in the upper half: 0xA000 is a symbolic link; only regular files and folders are taken. */
function isLink(entry: Entry): boolean {
  const type = (entry.externalFileAttributes >>> 16) & 0xF000;
  return type !== 0 && type !== 0x8000 && type !== 0x4000;
}

/** The stream fails when it gives more or fewer bytes than the entry said, so the total above holds. */
async function write(file: ZipFile, entry: Entry, path: string, signal: AbortSignal): Promise<Extracted> {
  await mkdir(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  const tap = new Transform({ transform(chunk: Buffer, _encoding, next) { hash.update(chunk); next(undefined, chunk); } });
  await pipeline(await file.openReadStreamPromise(entry), tap, createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal });
  return { path, bytes: entry.uncompressedSize, sha256: hash.digest('hex') };
}
