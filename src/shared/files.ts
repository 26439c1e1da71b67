// Owns the words of files: what an entry, a window, the bin, an upload and the use of a disk are, and the routes to them.
import { z } from 'zod';
import { At, OperationId } from './model.ts';
import { bool, Ended, number, route, type Route } from './route.ts';

/** link: a symbolic link, junction or other reparse point; other: a device, pipe or socket. Neither is ever opened. */
export const EntryKind = z.enum(['file', 'folder', 'link', 'other']);
export type EntryKind = z.infer<typeof EntryKind>;

export const FileEntry = z.object({
  name: z.string(),
  kind: EntryKind,
  sizeBytes: z.number().int().optional(),                      // of files
  modifiedAt: At.optional(),
  createdAt: At.optional(),
  etag: z.string().optional(),                                 // of files: strong, quoted, changes with each write
  target: z.string().optional(),                               // where a link leads, as it is written in it
  closed: z.string().optional(),                               // why it is seen but not touched
});
export type FileEntry = z.infer<typeof FileEntry>;

/** Something in the bin. */
export const Binned = z.object({ id: z.string(), root: z.string(), path: z.string(), kind: z.enum(['file', 'folder', 'link', 'other']), at: At, bytes: z.number().int(), files: z.number().int() });
export type Binned = z.infer<typeof Binned>;

/** bytes and files: all below; folders: the largest ones, a few levels deep, each with all below it. */
export const DiskUse = z.object({
  bytes: z.number().int(), files: z.number().int(),
  folders: z.array(z.object({ path: z.string(), bytes: z.number().int(), files: z.number().int() })),
  largest: z.array(z.object({ path: z.string(), bytes: z.number().int() })),
  unreadable: z.number().int(),                                // folders and files that could not be read
  links: z.number().int(),                                     // not followed
  whole: z.boolean(),                                          // otherwise the figures are at least
});
export type DiskUse = z.infer<typeof DiskUse>;

/** What a text is written in; binary: it is none. */
export const FileEncoding = z.enum(['utf-8', 'utf-16le', 'utf-16be', 'latin1', 'binary']);
export type FileEncoding = z.infer<typeof FileEncoding>;

/** Bytes from..to of a file as text, whole characters only. */
export const FileWindow = z.object({
  entry: FileEntry,
  encoding: FileEncoding,
  from: z.number().int(), to: z.number().int(), sizeBytes: z.number().int(),
  text: z.string().optional(),                                 // absent: binary
  mark: z.boolean(),                                           // it begins with a byte order mark, which is not in the text
  secret: z.boolean(),                                         // a file of this name holds secrets
  masked: z.number().int(),                                    // values that are hidden in the text
});
export type FileWindow = z.infer<typeof FileWindow>;

export const Upload = z.object({ id: z.string(), root: z.string(), path: z.string(), sizeBytes: z.number().int(), haveBytes: z.number().int(), partBytes: z.number().int(), at: At, sha256: z.string().optional(), ifMatch: z.string().optional(), onlyNew: z.boolean().optional() });
export type Upload = z.infer<typeof Upload>;

/** One part of an upload, raw. */
export const PART_BYTES = 8 * 1024 * 1024;
/** What the page edits as text; larger files are downloaded. */
export const MAX_EDIT_BYTES = 2 * 1024 * 1024;
/** A window of a preview. */
export const MAX_WINDOW_BYTES = 1024 * 1024;

const Root = z.string().regex(/^[a-z0-9][a-z0-9-]{0,30}$/).default('home').describe('a root of api/files/roots');
const Path = z.string().max(32_000).describe('below the root, with slashes, decoded once; empty is the root');
const PlaceIn = { root: Root, path: Path };
const FilePath = z.object({ root: Root, path: Path.min(1) });
const Started = z.object({ operation: OperationId });
const UploadParams = z.object({ upload: z.string().regex(/^[0-9a-f]{16}$/) });

export const fileRoutes = {
  fileRoots: route({ method: 'GET', path: '/api/files/roots', summary: 'Folders below which files can be reached', answers: { 200: z.object({ roots: z.array(z.object({ name: z.string(), title: z.string(), path: z.string() })), separator: z.string() }) } }),
  files: route({ method: 'GET', path: '/api/files', summary: 'Entries of a folder by name, in pages; links are listed and not followed', query: z.object({ root: Root, path: Path.default(''), after: z.string().max(1_000).optional().describe('the answer\'s next'), limit: number.int().min(1).max(10_000).default(1_000) }), answers: { 200: z.object({ entries: z.array(FileEntry), total: z.number().int(), more: z.boolean().describe('the folder has names beyond the total'), next: z.string().optional() }) } }),
  fileWindow: route({ method: 'GET', path: '/api/files/window', summary: 'A piece of a file of any size as text; of a file that holds secrets masked, unless reveal (audited)', query: z.object({ ...PlaceIn, offset: number.int().min(0).optional(), end: number.int().min(0).optional().describe('bytes before this one instead'), last: bool.optional().describe('the end of the file'), length: number.int().min(1).max(MAX_WINDOW_BYTES).default(65_536), reveal: bool.optional() }), answers: { 200: FileWindow } }),
  searchFile: route({ method: 'GET', path: '/api/files/search', summary: 'Where a text comes next in a file, by byte; looks at 256 MiB a call', query: z.object({ ...PlaceIn, text: z.string().min(1).max(500), offset: number.int().min(0).default(0) }), answers: { 200: z.object({ at: z.number().int().optional(), searchedTo: z.number().int(), atEnd: z.boolean() }) } }),
  fileContent: route({ method: 'GET', path: '/api/files/content', summary: 'A file as it is, resumable', query: z.object(PlaceIn), answers: { 200: 'application/octet-stream', 206: 'application/octet-stream', 304: 'application/octet-stream' } }),
  saveFile: route({ method: 'PUT', path: '/api/files/content', summary: 'Save a text; etag is the version that was read, another one is a conflict (412); without it only a new file is made', body: z.object({ root: Root, path: Path.min(1), text: z.string().max(MAX_EDIT_BYTES), etag: z.string().max(200).optional(), encoding: FileEncoding.exclude(['binary']).default('utf-8'), bom: z.boolean().default(false) }), answers: { 200: z.object({ etag: z.string(), sizeBytes: z.number().int(), modifiedAt: At, created: z.boolean() }) } }),
  makeFolder: route({ method: 'POST', path: '/api/files/folder', summary: 'Make a folder', body: FilePath, answers: { 200: Ended } }),
  moveFile: route({ method: 'POST', path: '/api/files/move', summary: 'Rename or move; never over something', body: z.object({ root: Root, path: Path.min(1), toRoot: Root.optional(), to: Path.min(1) }), answers: { 200: Ended } }),
  copyFile: route({ method: 'POST', path: '/api/files/copy', summary: 'Copy a file, or a folder with all below it, as an operation', body: z.object({ root: Root, path: Path.min(1), toRoot: Root.optional(), to: Path.min(1) }), answers: { 202: Started } }),
  deleteFile: route({ method: 'DELETE', path: '/api/files', summary: 'Delete: into the bin (undo), or for ever; a folder with all below it when recursive', query: z.object({ root: Root, path: Path.min(1), mode: z.enum(['undo', 'forever']).default('undo'), recursive: bool.default(false) }), answers: { 200: z.object({ undo: z.string().optional().describe('restores it: api/files/bin/:id'), files: z.number().int() }) } }),
  bin: route({ method: 'GET', path: '/api/files/bin', summary: 'What was deleted and can be brought back, newest first', answers: { 200: z.object({ binned: z.array(Binned) }) } }),
  restoreFile: route({ method: 'POST', path: '/api/files/bin/:id', summary: 'Put it back where it was', params: z.object({ id: z.string().max(40) }), answers: { 200: Binned } }),
  emptyBin: route({ method: 'DELETE', path: '/api/files/bin', summary: 'Empty the bin, or delete one of it for ever', query: z.object({ id: z.string().max(40).optional() }), answers: { 200: z.object({ freedBytes: z.number().int() }) } }),
  zipFiles: route({ method: 'GET', path: '/api/files/zip', summary: 'A folder as a zip; what could not be read stands in its left-out.json', query: z.object({ root: Root, path: Path.default('') }), answers: { 200: 'application/zip' } }),
  unzipFile: route({ method: 'POST', path: '/api/files/unzip', summary: 'Unpack a zip that lies below a root, as an operation; judged before anything is written, never deletes', body: z.object({ root: Root, path: Path.min(1), to: Path, replace: z.boolean().default(false) }), answers: { 202: Started } }),
  measureUse: route({ method: 'POST', path: '/api/files/use', summary: 'Begin to sum up what takes the room below a folder', body: z.object({ root: Root, path: Path.default('') }), answers: { 202: Started } }),
  diskUse: route({ method: 'GET', path: '/api/files/use/:operation', summary: 'What takes the room; there when the operation is done', params: z.object({ operation: OperationId }), answers: { 200: DiskUse } }),
  uploads: route({ method: 'GET', path: '/api/files/uploads', summary: 'Unfinished uploads', answers: { 200: z.object({ uploads: z.array(Upload) }) } }),
  beginUpload: route({ method: 'POST', path: '/api/files/uploads', summary: 'Begin an upload in parts; the same begin again goes on where it was', body: z.object({ root: Root, path: Path.min(1), sizeBytes: z.number().int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/).optional(), ifMatch: z.string().max(200).optional(), onlyNew: z.boolean().optional() }), answers: { 200: Upload } }),
  upload: route({ method: 'GET', path: '/api/files/uploads/:upload', summary: 'How much of it is there', params: UploadParams, answers: { 200: Upload } }),
  uploadPart: route({ method: 'PUT', path: '/api/files/uploads/:upload', summary: 'The next part as raw bytes (application/octet-stream), at most 8 MiB, beginning where the last ended', params: UploadParams, query: z.object({ offset: number.int().min(0) }), answers: { 200: Upload } }),
  finishUpload: route({ method: 'POST', path: '/api/files/uploads/:upload/finish', summary: 'All parts are there: check them and put the file in its place, as an operation', params: UploadParams, answers: { 202: Started } }),
  dropUpload: route({ method: 'DELETE', path: '/api/files/uploads/:upload', summary: 'Give an upload up', params: UploadParams, answers: { 200: Ended } }),
} as const satisfies Record<string, Route>;
