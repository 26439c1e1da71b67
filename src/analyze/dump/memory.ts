// Owns the memory of a dead process: by address, from the core, and where that has nothing, from the mapped files that are the same as then.
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { FileBytes, KEPT_OF_BINARY, MAX_ADDRESS, apart, hex, holding, inside, type Bytes } from './bytes.ts';
import type { Core, MappedFile, Segment } from './core.ts';
import { Symbols, addressOf, readHead, unwindTable, type ElfHead, type Symbol } from './elf-image.ts';

/** A process has some hundred libraries; each open file is one descriptor and 1 MiB of blocks. */
const MAX_OPEN_FILES = 64;
const MAX_IMAGES = 1_024;
/** Of the zeros behind a binary; a larger one is no binary's. */
const MAX_ZEROS = 1024 * 1024 * 1024;
const VDSO = 33;                                               // AT_SYSINFO_EHDR of auxv: where the kernel's own library lies
const DEBUG_FOLDER = '/usr/lib/debug/.build-id';

/** A mapped binary or library. `bias` is what to add to its own addresses. */
export interface Image {
  readonly path: string;
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly bias: number;
  readonly head: ElfHead;
  /** How it was made sure that the file is the one of then; absent: no such file here, only what the core holds. */
  readonly verified?: 'build-id' | 'first-page';
  readonly note?: string;
  readonly unwindAt?: { readonly address: number; readonly sizeBytes: number };
  symbol(address: number): Symbol | undefined;
  symbols(): Symbols | undefined;
  /** What its file has at an address of its own, as it was before anything ran; where the file has nothing but room is given, zero. */
  constant(address: number): number | undefined;
}

interface Opened { readonly bytes: FileBytes; readonly mapped: readonly MappedFile[] }

/** Close it: it holds the mapped files open. */
export class CoreMemory {
  readonly core: Core;
  readonly images: readonly Image[];
  #inOrder: readonly Image[];
  #bytes: Bytes;
  #files = new Map<string, Opened>();
  #extra: FileBytes[] = [];

  constructor(bytes: Bytes, core: Core, options: { readonly files: boolean }) {
    this.#bytes = bytes;
    this.core = core;
    this.images = this.#findImages(options.files);
    this.#inOrder = apart(this.images, (one) => one.to);
  }

  close(): void {
    for (const { bytes } of this.#files.values()) bytes.close();
    for (const bytes of this.#extra) bytes.close();
    this.#files.clear();
  }

  segmentAt(address: number): Segment | undefined { return holding(this.core.segments, address, (one) => one.from + one.memoryBytes); }
  fileAt(address: number): MappedFile | undefined { return holding(this.core.files, address, (one) => one.to); }
  imageAt(address: number): Image | undefined { return holding(this.#inOrder, address, (one) => one.to); }

  /** Pages of a file that nobody wrote to may be left out of a core (gdb does): V8 12 and later run copies of their own builtins there. */
  isCode(address: number): boolean {
    const segment = this.segmentAt(address);
    return segment === undefined ? this.fileAt(address) !== undefined : (segment.flags & 1) !== 0;
  }

  /** Exactly these bytes, or undefined. */
  read(address: number, sizeBytes: number): Buffer | undefined {
    if (!inside(address, sizeBytes, MAX_ADDRESS)) return undefined;
    const segment = this.segmentAt(address);
    if (segment !== undefined && address + sizeBytes <= segment.from + segment.fileBytes) return this.#bytes.read(segment.at + (address - segment.from), sizeBytes);
    if (segment !== undefined && address < segment.from + segment.fileBytes) {
      const here = segment.from + segment.fileBytes - address;
      const [first, rest] = [this.read(address, here), this.read(address + here, sizeBytes - here)];
      return first === undefined || rest === undefined ? undefined : Buffer.concat([first, rest]);
    }
    return this.#fromFile(address, sizeBytes);
  }

  #fromFile(address: number, sizeBytes: number): Buffer | undefined {
    const mapped = this.fileAt(address);
    const segment = this.segmentAt(address);
    // What was written to differs from the file; such pages are in the core or nowhere.
    if (mapped === undefined || address + sizeBytes > mapped.to || (segment !== undefined && (segment.flags & 2) !== 0)) return undefined;
    return this.#files.get(mapped.path)?.bytes.read(mapped.offset + (address - mapped.from), sizeBytes);
  }

  #findImages(openFiles: boolean): Image[] {
    const byPath = new Map<string, MappedFile[]>();
    for (const one of this.core.files) (byPath.get(one.path) ?? byPath.set(one.path, []).get(one.path))?.push(one);
    const images: Image[] = [];
    for (const [path, mapped] of byPath) {
      if (images.length >= MAX_IMAGES) break;                  // what lies in the others has no module: said by its bare address
      images.push(...this.#imagesOf(path, mapped, openFiles));
    }
    const kernel = this.core.auxv.get(VDSO);
    const vdso = kernel === undefined ? undefined : this.#imageInMemory('[vdso]', kernel);
    return vdso === undefined ? images : [...images, vdso];
  }

  #imagesOf(path: string, mapped: readonly MappedFile[], openFiles: boolean): Image[] {
    const first = mapped.find((one) => one.offset === 0);
    const core = first === undefined ? undefined : readHead(this.#window(first.from, first.to - first.from));
    if (core === undefined && first !== undefined && this.#fromCore(first.from, 4) !== undefined) return [];   // mapped, but no binary
    const opened = openFiles && this.#files.size < MAX_OPEN_FILES ? this.#open(path, first) : undefined;
    const head = core ?? { programs: [], sectionsAt: 0, sections: 0 };
    const { verified, note } = core === undefined ? { note: 'the dump does not hold its first page, which names the build' } : sameFile(opened, head, first === undefined ? undefined : this.read(first.from, 64));
    if (verified !== undefined && opened !== undefined) this.#files.set(path, { bytes: opened, mapped });
    else opened?.close();
    const more = verified !== undefined ? { verified } : note === undefined ? {} : { note };
    return [...byBias(head, mapped)].map(([bias, own]) => this.#made(path, own.from, own.to, bias, head, more));
  }

  #imageInMemory(name: string, from: number): Image | undefined {
    const segment = this.segmentAt(from);
    const window = segment === undefined ? undefined : this.#window(from, segment.from + segment.memoryBytes - from);
    const head = window === undefined ? undefined : readHead(window);
    const base = head === undefined ? undefined : addressOf(head, 0);
    if (head === undefined || base === undefined || window === undefined) return undefined;
    return this.#made(name, from, from + window.sizeBytes, from - base, head, {}, window);
  }

  #made(path: string, from: number, to: number, bias: number, head: ElfHead, more: Pick<Image, 'verified' | 'note'>, source?: Bytes): Image {
    const table = unwindTable(head);
    let known: Symbols | undefined;
    const symbols = (): Symbols | undefined => {
      const bytes = source ?? this.#files.get(path)?.bytes;
      if (known === undefined && bytes !== undefined) known = this.#symbols(bytes, head);
      return known;
    };
    return {
      path, name: basename(path.replace(/ \(deleted\)$/, '')), from, to, bias, head, ...more, symbols,
      ...(table === undefined ? {} : { unwindAt: { address: bias + table.address, sizeBytes: table.memoryBytes } }),
      symbol: (address) => symbols()?.at(address - bias),
      constant: (address) => constantAt(head, this.#files.get(path)?.bytes, address),
    };
  }

  /** Of the file itself; of the package with debug symbols, where it is installed for this build. */
  #symbols(bytes: Bytes, head: ElfHead): Symbols {
    const own = new Symbols(bytes, readHead(bytes) ?? head);
    const id = head.buildId;
    if (id === undefined) return own;
    try {
      const debug = new FileBytes(`${DEBUG_FOLDER}/${id.slice(0, 2)}/${id.slice(2)}.debug`, KEPT_OF_BINARY);
      const debugHead = readHead(debug);
      const better = debugHead?.buildId === id ? new Symbols(debug, debugHead) : undefined;
      if (better !== undefined && better.count > own.count) { this.#extra.push(debug); return better; }
      debug.close();
    } catch { /* there is none: the usual case */ }
    return own;
  }

  #open(path: string, first: MappedFile | undefined): FileBytes | undefined {
    if (!path.startsWith('/') || first === undefined) return undefined;
    try {
      if (!statSync(path).isFile()) return undefined;          // asked before opening: a pipe or device is not even opened
      return new FileBytes(path, KEPT_OF_BINARY);
    } catch { return undefined; }                              // not here, or not ours to read: said by `verified` being absent
  }

  #window(from: number, sizeBytes: number): Bytes {
    return { sizeBytes, read: (at, size) => (at >= 0 && at + size <= sizeBytes ? this.#fromCore(from + at, size) : undefined) };
  }

  #fromCore(address: number, sizeBytes: number): Buffer | undefined {
    const segment = this.segmentAt(address);
    return segment !== undefined && address + sizeBytes <= segment.from + segment.fileBytes ? this.#bytes.read(segment.at + (address - segment.from), sizeBytes) : undefined;
  }
}

/** V8 maps its own code a second time elsewhere: what belongs together is what has the same distance to the binary's own addresses. */
function byBias(head: ElfHead, mapped: readonly MappedFile[]): Map<number, { from: number; to: number }> {
  const groups = new Map<number, { from: number; to: number }>();
  for (const one of mapped) {
    const bias = one.from - (addressOf(head, one.offset) ?? one.offset);
    const group = groups.get(bias);
    const own = addressOf(head, one.offset);
    const end = one.offset === 0 || own === undefined ? one.to : Math.max(one.to, zeroEnd(head, bias, own));
    if (group === undefined) groups.set(bias, { from: one.from, to: end });
    else { group.from = Math.min(group.from, one.from); group.to = Math.max(group.to, end); }
  }
  return groups;
}

/** Behind the last part of the file lies memory that began as zeros. */
function zeroEnd(head: ElfHead, bias: number, address: number): number {
  const load = head.programs.find((one) => one.kind === 1 && address >= one.address - (one.address % 4_096) && address < one.address + one.fileBytes);
  return load === undefined || load.memoryBytes <= load.fileBytes || load.memoryBytes > MAX_ZEROS ? 0 : bias + Math.ceil((load.address + load.memoryBytes) / 4_096) * 4_096;
}

function constantAt(head: ElfHead, bytes: Bytes | undefined, address: number): number | undefined {
  const load = head.programs.find((one) => one.kind === 1 && address >= one.address && address + 4 <= one.address + one.memoryBytes);
  if (load === undefined || bytes === undefined) return undefined;
  if (address >= load.address + load.fileBytes) return 0;
  return bytes.read(load.at + (address - load.address), 4)?.readInt32LE(0);
}

/** A file of the same name may be another build by now: its names and unwind rules would lie. */
function sameFile(file: FileBytes | undefined, head: ElfHead, start: Buffer | undefined): { verified?: 'build-id' | 'first-page'; note?: string } {
  if (file === undefined) return { note: 'the file is not on this machine' };
  const now = readHead(file);
  if (now === undefined) return { note: 'the file on this machine is no binary' };
  if (head.buildId !== undefined || now.buildId !== undefined) return head.buildId === now.buildId ? { verified: 'build-id' } : { note: `the file on this machine is another build (${now.buildId ?? 'without id'})` };
  const same = start !== undefined && file.read(0, 64)?.equals(start) === true && JSON.stringify(now.programs) === JSON.stringify(head.programs);
  return same ? { verified: 'first-page' } : { note: 'the file on this machine cannot be told to be the same: it has no build id' };
}

/** "libc.so.6+0x8512f" */
export function placeName(image: Image | undefined, address: number): string {
  return image === undefined ? hex(address) : `${image.name}+${hex(address - image.from)}`;
}
