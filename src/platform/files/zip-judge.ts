// Owns the judgement of a zip that anyone may have made: names that lead out, doubles, links, bombs and encryption, all before a byte is written.
import type { Entry, ZipFile } from 'yauzl';
import { DiagError, sayError } from '../../shared/errors.ts';
import { bytes, count } from '../../shared/units.ts';
import type { UnzipLimits } from './door.ts';
import { judgePath, type PathRules } from './path-guard.ts';

/** A package of a large site has some ten thousand files and some hundred MB. Deflate packs a thousand to one at most; what real files reach as a whole is below 200. */
export const UNZIP_LIMITS: UnzipLimits = { entries: 200_000, totalBytes: 10 * 1024 ** 3, ratio: 200 };
/** A small zip may have any ratio: a log of one line repeated is no bomb. */
const RATIO_FROM_BYTES = 64 * 1024 * 1024;
const REGULAR = 0x8000, FOLDER = 0x4000;

export interface JudgedEntry { readonly entry: Entry; readonly parts: readonly string[]; readonly isFolder: boolean; readonly sizeBytes: number }
export interface JudgedZip { readonly entries: readonly JudgedEntry[]; readonly totalBytes: number; readonly files: number }

export const refuse = (why: string): never => { throw new DiagError('ZIP_REFUSED', { why }); };
const NAMES = /^(?:absolute path|invalid relative path|invalid characters in fileName): ?(.{0,200})/;

/** What yauzl itself says about a zip, in our words. */
export function zipFault(error: unknown): unknown {
  if (error instanceof DiagError || !(error instanceof Error) || error.name === 'AbortError' || 'code' in error) return error;
  const name = NAMES.exec(error.message);
  if (name !== null) return new DiagError('ZIP_REFUSED', { why: `the name ${name[1]} in it leads out of the folder` }, { cause: error });
  return new DiagError('ZIP_UNREADABLE', { why: sayError(error).replace(/[\0-\x1f]/g, ' ').slice(0, 300).replace(/\.$/, '') }, { cause: error });
}

/** @throws ZIP_REFUSED, ZIP_UNREADABLE */
export async function judgeZip(zip: ZipFile, zipBytes: number, limits: UnzipLimits, rules: PathRules, signal: AbortSignal): Promise<JudgedZip> {
  if (zip.entryCount > limits.entries) refuse(`it has ${count(zip.entryCount)} entries, more than ${count(limits.entries)}`);
  const names = new Names(rules);
  const entries: JudgedEntry[] = [];
  const sum = { total: 0, packed: 0, files: 0 };
  for await (const entry of zip.eachEntry()) {
    signal.throwIfAborted();
    if (entries.length >= limits.entries) refuse(`it has more than ${count(limits.entries)} entries`);
    const judged = judgeEntry(entry, rules);
    names.add(judged);
    entries.push(judged);
    sum.total += judged.sizeBytes;
    sum.packed += entry.compressedSize;
    if (!judged.isFolder) sum.files += 1;
    if (sum.total > limits.totalBytes) refuse(`it would take more than ${bytes(limits.totalBytes)}`);
    if (sum.packed > zipBytes) refuse('its entries lie over one another, as those of a bomb do');
  }
  if (sum.total > RATIO_FROM_BYTES && sum.total > zipBytes * limits.ratio) refuse(`its ${bytes(zipBytes)} would become ${bytes(sum.total)}, more than ${limits.ratio} times as much`);
  return { entries, totalBytes: sum.total, files: sum.files };
}

function judgeEntry(entry: Entry, rules: PathRules): JudgedEntry {
  const name = entry.fileName;
  const shown = name.replace(/[\0-\x1f\x7f]/g, '?').slice(0, 200);
  const judged = judgePath(name, rules);
  if ('refused' in judged) return refuse(`the name ${shown} in it is not used: ${judged.refused}`);
  if (judged.parts.length === 0) refuse('an entry in it has no name');
  const isFolder = name.endsWith('/');
  const type = (entry.externalFileAttributes >>> 16) & 0xf000;
  if (type !== 0 && type !== REGULAR && type !== FOLDER) refuse(`${shown} is ${type === 0xa000 ? 'a link' : 'a device or pipe'}`);
  if (isFolder && entry.uncompressedSize > 0) refuse(`${shown} is a folder with content`);
  if (!isFolder && entry.isEncrypted()) refuse(`${shown} is encrypted`);
  if (!isFolder && !entry.canDecodeFileData()) refuse(`${shown} is packed in a way that is not known here`);
  return { entry, parts: judged.parts, isFolder, sizeBytes: isFolder ? 0 : entry.uncompressedSize };
}

/** One name is one thing: not twice a file, and not a file here and a folder there. Windows takes two names that differ in case for one. */
class Names {
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();
  readonly #key: (parts: readonly string[]) => string;
  constructor(rules: PathRules) {
    this.#key = rules === 'windows' ? (parts) => parts.join('/').toLowerCase() : (parts) => parts.join('/');
  }

  add({ parts, isFolder }: JudgedEntry): void {
    const key = this.#key(parts);
    const shown = parts.join('/').slice(0, 200);
    if (!isFolder && this.#files.has(key)) refuse(`it has ${shown} twice`);
    if (isFolder ? this.#files.has(key) : this.#folders.has(key)) refuse(`${shown} is a file and a folder in it`);
    (isFolder ? this.#folders : this.#files).add(key);
    for (let depth = parts.length - 1; depth > 0; depth -= 1) {
      const above = this.#key(parts.slice(0, depth));
      if (this.#files.has(above)) refuse(`${parts.slice(0, depth).join('/').slice(0, 200)} is a file and a folder in it`);
      if (this.#folders.has(above)) break;
      this.#folders.add(above);
    }
  }
}
