// Owns the contract of the file door: files and folders below named roots, never outside them and through no link.
import type { Readable } from 'node:stream';
import type { Binned, DiskUse, EntryKind, FileEntry } from '../../shared/files.ts';

export type { Binned, DiskUse, EntryKind } from '../../shared/files.ts';

/** Something below a root: names with `/` between them, decoded once; '' is the root itself. */
export interface Place { readonly root: string; readonly path: string }

export interface FileRoot {
  /** The word of addresses: "home", "app". */
  readonly name: string;
  readonly title: string;
  /** Absolute folder. */
  readonly path: string;
}

/** Which part below a root is the agent's own: not given, not changed, but for the names that may be read. */
export interface Private { readonly path: string; readonly readable: readonly string[] }

export type Entry = FileEntry;

/** What is known of a name before it is looked at. */
export interface Name { readonly name: string; readonly kind: EntryKind }

export interface Opened {
  readonly entry: Entry & { readonly sizeBytes: number; readonly modifiedAt: number; readonly etag: string };
  /** Bytes at an offset, fewer at the end of the file; from the file that was opened, whatever has its name by now. */
  read(offset: number, length: number): Promise<Buffer>;
  /** Closes the file at its end. `end` is inclusive, as in a Range header. */
  stream(range?: { readonly start: number; readonly end: number }): Readable;
  /** For readers that want a descriptor; valid until close. */
  readonly fd: number;
  close(): Promise<void>;
}

export interface WriteOptions {
  /** Only over this version (an ETag, or '*' for whichever): another one is FILE_CHANGED. Absent: whatever is there is replaced. */
  readonly ifMatch?: string;
  /** Only where nothing has the name. @throws FILE_EXISTS */
  readonly onlyNew?: boolean;
  /** Makes the folders above. */
  readonly parents?: boolean;
  /** Refuses a longer content. */
  readonly maxBytes?: number;
  /** Given: the time of the file's last change. */
  readonly modifiedAt?: number;
}
export interface Written { readonly created: boolean; readonly sizeBytes: number; readonly etag: string; readonly modifiedAt: number }

/** undo: into the bin, or UNDO_IMPOSSIBLE; try: into the bin where that can be; forever: gone. */
export type RemoveMode = 'undo' | 'try' | 'forever';
export interface Removed { readonly undo?: string; readonly why?: string; readonly files: number }

/** What a long piece of work tells while it goes on. */
export type Tell = (progress: { readonly files: number; readonly bytes: number; readonly note?: string; readonly fraction?: number }) => void;

export interface LeftOut { readonly path: string; readonly why: string }
export interface ZipOptions {
  /** Name of the entry that lists what could not be read; it is there only when something was left out. */
  readonly manifest?: string;
  /** 0: stored. Default 6. */
  readonly level?: number;
}
export interface Zipping {
  readonly stream: Readable;
  /** What was left out, when the stream is at its end. */
  readonly leftOut: Promise<readonly LeftOut[]>;
}

export interface UnzipLimits {
  readonly entries: number;
  readonly totalBytes: number;
  /** Uncompressed to compressed, of the whole. */
  readonly ratio: number;
}
export interface UnzipOptions {
  readonly limits?: Partial<UnzipLimits>;
  /** What has the name of an entry: replaced (nothing else is ever deleted), or the whole is refused before anything is written. Default replace. */
  readonly existing?: 'replace' | 'refuse';
}
export interface Unzipped { readonly files: number; readonly folders: number; readonly bytes: number; readonly replaced: number }

/** A zip: one that lies below a root, or a local file of ours. */
export type ZipSource = Place | { readonly local: string };

/**
 * The one way to files that users name. Every method judges the path by this system's rules (PATH_REFUSED), walks to it without following a link
 * (PATH_LINK), keeps out of what is the agent's own (FILE_PRIVATE), and says in words of ours what the system refuses:
 * FILE_UNKNOWN, FILE_KIND (a folder where a file was meant, or neither), FILE_DENIED, FILE_BUSY, FILES_FULL, FILES_READ_ONLY.
 * On Linux no component can be changed for a link between the look and the deed: each folder is held open on the way down.
 */
export interface FileDoor {
  readonly roots: readonly FileRoot[];
  /** Where a root really lies, and a place as the system writes it: to show, never to open. */
  describe(place: Place): string;
  /** @throws ROOT_UNKNOWN and what the contract above says */
  stat(place: Place): Promise<Entry>;
  /** The names in a folder, sorted, with their kinds; `more`: there are still others beyond the bound. */
  names(place: Place, signal: AbortSignal): Promise<{ readonly names: readonly Name[]; readonly more: boolean }>;
  /** Looks at some names of a folder; what is gone by now is left out. In the order given. */
  entries(place: Place, names: readonly string[], signal: AbortSignal): Promise<readonly Entry[]>;
  /** A plain file, to be read. Whoever opens it closes it. */
  open(place: Place): Promise<Opened>;
  /** Whole or not at all: written beside its place, then renamed. What was there keeps its rights. @throws FILE_CHANGED, FILE_EXISTS */
  write(place: Place, content: Readable | Uint8Array, options: WriteOptions, signal: AbortSignal): Promise<Written>;
  /** Takes a local file of ours (it is gone afterwards). As write. */
  take(place: Place, local: string, options: WriteOptions, signal: AbortSignal): Promise<Written>;
  /** parents: those above too, and no fault where it is there. @throws FILE_EXISTS */
  makeFolder(place: Place, options?: { readonly parents?: boolean }): Promise<{ readonly created: boolean }>;
  /** Renames or moves, also between roots. @throws FILE_EXISTS, unless `replace` and both are files */
  move(from: Place, to: Place, options: { readonly replace?: boolean }, signal: AbortSignal): Promise<void>;
  /** A file, or a folder with all below it; links in it are left out and counted. @throws FILE_EXISTS */
  copy(from: Place, to: Place, signal: AbortSignal, tell?: Tell): Promise<{ readonly files: number; readonly bytes: number; readonly leftOut: readonly LeftOut[] }>;
  /** A link is removed itself. recursive: a folder with all below it, otherwise only an empty one (FOLDER_NOT_EMPTY). @throws UNDO_IMPOSSIBLE, FILE_CHANGED */
  remove(place: Place, options: { readonly mode: RemoveMode; readonly recursive?: boolean; readonly ifMatch?: string }, signal: AbortSignal, tell?: Tell): Promise<Removed>;
  /** What can be undone, newest first. */
  bin(): Promise<readonly Binned[]>;
  /** Puts it back where it was. @throws UNDO_UNKNOWN, FILE_EXISTS */
  restore(id: string): Promise<Binned>;
  /** Empties the bin, or one of it; gives the bytes that came free. */
  emptyBin(id?: string): Promise<number>;
  /** The content of a folder (or a file) as a zip. What cannot be read, and links, stand in its manifest. */
  zip(place: Place, options: ZipOptions, signal: AbortSignal): Promise<Zipping>;
  /** Everything is judged before anything is written. Makes the folder. @throws ZIP_UNREADABLE, ZIP_REFUSED, NO_ROOM */
  unzip(source: ZipSource, to: Place, options: UnzipOptions, signal: AbortSignal, tell?: Tell): Promise<Unzipped>;
  /** What takes the room. `tell` gets the figures so far. */
  use(place: Place, signal: AbortSignal, tell?: Tell): Promise<DiskUse>;
  /** Puts a stream into a local temp file of ours, for `take` and `unzip`; remove it with `rm`. @throws BODY_TOO_LARGE */
  receive(content: Readable, maxBytes: number, signal: AbortSignal): Promise<{ readonly local: string; readonly sizeBytes: number; remove(): Promise<void> }>;
}
