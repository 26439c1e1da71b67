// Owns the files that users may reach: the door over the home and the app, what of them is ours, uploads, and long work on them as operations.
import { join } from 'node:path';
import type { z } from 'zod';
import { DiagError } from '../shared/errors.ts';
import { MAX_EDIT_BYTES, type Binned, type DiskUse, type fileRoutes, type FileWindow, type Upload } from '../shared/files.ts';
import { bytes, count, plural } from '../shared/units.ts';
import { openFileDoor, ownRules, type FileDoor, type FileRoot, type Opened, type Place, type Written } from '../platform/files/index.ts';
import { encode } from '../platform/files/text.ts';
import { Uploads, type UploadWish } from '../platform/files/uploads.ts';
import type { Parts } from './agent.ts';
import { FileJobs } from './file-jobs.ts';
import { isSecretFile, Pages, searchIn, windowOf, type Page, type WindowWish } from './file-looks.ts';

type BodyOf<N extends keyof typeof fileRoutes> = (typeof fileRoutes)[N] extends { body: infer B extends z.ZodType } ? z.output<B> : never;
type Started = { operation: string };

/** The door, and above it what the page and the API of files need: each change is in the audit. */
export interface Files extends FileDoor {
  readonly uploads: Uploads;
  readonly separator: string;
  page(place: Place, after: string | undefined, limit: number, signal: AbortSignal): Promise<Page>;
  window(place: Place, wish: WindowWish, who: string): Promise<FileWindow>;
  search(place: Place, text: string, offset: number, signal: AbortSignal): ReturnType<typeof searchIn>;
  /** Opened for a download, which is in the audit unless it only goes on with one. */
  download(place: Place, who: string, goesOn: boolean): Promise<Opened>;
  save(wish: BodyOf<'saveFile'>, who: string): Promise<Written>;
  newFolder(place: Place, who: string): Promise<void>;
  rename(from: Place, to: Place, who: string): Promise<void>;
  delete(place: Place, mode: 'undo' | 'forever', recursive: boolean, who: string, signal: AbortSignal): Promise<{ undo?: string; files: number }>;
  bringBack(id: string, who: string): Promise<Binned>;
  clearBin(id: string | undefined, who: string): Promise<number>;
  copyLater(from: Place, to: Place, who: string): Started;
  unpack(zip: Place, to: Place, replace: boolean, who: string): Started;
  measure(place: Place, who: string): Started;
  /** @throws OPERATION_UNKNOWN while it is not done, or too long ago */
  measured(operation: string): DiskUse;
  beginUpload(wish: UploadWish, who: string): Promise<Upload>;
  finishUpload(id: string, who: string): Promise<Started>;
  /** Hourly: what is too old in the bin and among the uploads goes. Ends with the signal. */
  tidy(signal: AbortSignal): Promise<void>;
}

/** Of our own folder these may be read, as its other parts hold the token, addresses of alerts and what was deleted. */
const READABLE = ['logs', 'sessions', 'journals'];
/** Where what was deleted waits, below our own folder: the same disk as the home. */
const BIN = 'bin';
/** Results of measurements that can still be asked for. */
const KEPT_USES = 8;
/** Limits of days are kept often enough by the hour. */
const TIDY_EVERY_MS = 3_600_000;
const NEVER = new AbortController().signal;

type Given = Pick<Parts, 'platform' | 'lead' | 'operations' | 'operationFeed' | 'audit' | 'log'> & { mask(text: string): string };

export function createFiles(given: Given, more: readonly FileRoot[] = []): Files {
  const { platform, audit } = given;
  const { folders } = platform.host;
  const roots: FileRoot[] = [{ name: 'home', title: 'Home', path: folders.home }, { name: 'app', title: 'App', path: folders.site }, ...more];
  const door = openFileDoor({ roots, own: { path: folders.own, readable: READABLE }, bin: join(folders.own, BIN), temp: folders.temp, clock: platform.clock });
  const uploads = new Uploads(join(folders.temp, 'uploads'), platform.clock);
  const pages = new Pages(door, () => platform.clock.monotonic());
  return {
    ...door,
    ...changes(door, given),
    ...jobs(door, uploads, given),
    tidy: (signal) => tidy(door, uploads, given, signal),
    separator: ownRules() === 'windows' ? '\\' : '/',
    page: (place, after, limit, signal) => pages.page(place, after, limit, signal),
    search: (place, text, offset, signal) => searchIn(door, place, text, offset, signal),
    async window(place, wish, who) {
      const window = await windowOf(door, place, wish, given.mask);
      if (window.secret && wish.reveal === true && window.from === 0) await audit(who, 'reveal file', said(place), 'shown');
      return window;
    },
    async download(place, who, goesOn) {
      const file = await door.open(place);
      if (!goesOn) await audit(who, isSecretFile(place.path) ? 'download file with secrets' : 'download file', said(place), 'sent');
      return file;
    },
  };
}

async function tidy(door: FileDoor, uploads: Uploads, { platform, lead, log }: Given, signal: AbortSignal): Promise<void> {
  // A signal of its own: the agent's has ten that wait on it, and Node warns of an eleventh as of a leak.
  for await (const _ of platform.clock.every(TIDY_EVERY_MS, AbortSignal.any([signal]))) {
    void _;
    try {
      await uploads.list();
      if (lead.leads()) await door.bin();
    } catch (error) {
      log.error('old uploads and deleted files could not be tidied', {}, error);
    }
  }
}

const said = ({ root, path }: Place): string => `${root}:${path}`;

type Changes = Pick<Files, 'save' | 'newFolder' | 'rename' | 'delete' | 'bringBack' | 'clearBin'>;
function changes(door: FileDoor, { audit }: Given): Changes {
  return {
    async save({ root, path, text, etag, encoding, bom }, who) {
      const content = contentOf(text, encoding, bom);
      // The deed is not the request's: a browser that goes away in the middle has still saved.
      const written = await door.write({ root, path }, content, { ...(etag === undefined ? { onlyNew: true } : { ifMatch: etag }), maxBytes: MAX_EDIT_BYTES * 2 }, NEVER);
      await audit(who, 'save file', said({ root, path }), `${bytes(written.sizeBytes)}${written.created ? ', new' : ''}`);
      return written;
    },
    async newFolder(place, who) {
      await door.makeFolder(place);
      await audit(who, 'make folder', said(place), 'done');
    },
    async rename(from, to, who) {
      await door.move(from, to, {}, NEVER);
      await audit(who, 'move file', `${said(from)} to ${said(to)}`, 'done');
    },
    async delete(place, mode, recursive, who, signal) {
      const { undo, files } = await door.remove(place, { mode, recursive }, signal);
      await audit(who, mode === 'forever' ? 'delete file for ever' : 'delete file', said(place), `${plural(files, 'entry', 'entries')}${undo === undefined ? '' : `, can be restored as ${undo}`}`);
      return { files, ...(undo === undefined ? {} : { undo }) };
    },
    async bringBack(id, who) {
      const binned = await door.restore(id);
      await audit(who, 'restore file', said(binned), 'done');
      return binned;
    },
    async clearBin(id, who) {
      const freed = await door.emptyBin(id);
      await audit(who, 'empty bin', id ?? 'all', bytes(freed));
      return freed;
    },
  };
}

function contentOf(text: string, encoding: BodyOf<'saveFile'>['encoding'], bom: boolean): Buffer {
  try {
    return encode(text, encoding, bom);
  } catch (error) {
    throw new DiagError('BAD_INPUT', { why: (error as Error).message }, { cause: error });
  }
}

type Long = Pick<Files, 'copyLater' | 'unpack' | 'measure' | 'measured' | 'uploads' | 'beginUpload' | 'finishUpload'>;
function jobs(door: FileDoor, uploads: Uploads, given: Given): Long {
  const work = new FileJobs(given);
  const uses = new Map<string, DiskUse>();
  return {
    uploads,
    copyLater: (from, to, who) => work.start({
      title: `Copying ${from.path}`, did: 'copy file', what: `${said(from)} to ${said(to)}`, work: (signal, tell) => door.copy(from, to, signal, tell),
      says: ({ files, bytes: size, leftOut }) => `${plural(files, 'file')}, ${bytes(size)}${leftOut.length > 0 ? `; ${plural(leftOut.length, 'entry', 'entries')} left out, such as ${leftOut[0]?.path}: ${leftOut[0]?.why}` : ''}`,
    }, who),
    unpack: (zip, to, replace, who) => work.start({
      title: `Unpacking ${zip.path}`, did: 'unpack zip', what: `${said(zip)} to ${said(to)}`, work: (signal, tell) => door.unzip(zip, to, { existing: replace ? 'replace' : 'refuse' }, signal, tell),
      says: ({ files, bytes: size, replaced }) => `${plural(files, 'file')}, ${bytes(size)}${replaced > 0 ? `; ${count(replaced)} replaced` : ''}`,
    }, who),
    measure: (place, who) => work.start({ title: `Summing up ${place.path === '' ? place.root : place.path}`, did: '', what: '', reads: true, work: (signal, tell) => door.use(place, signal, tell), says: (use) => `${plural(use.files, 'file')}, ${bytes(use.bytes)}` }, who, (use, operation) => {
      uses.set(operation, use);
      for (const old of [...uses.keys()].slice(0, Math.max(0, uses.size - KEPT_USES))) uses.delete(old);
    }),
    measured(operation) {
      const use = uses.get(operation);
      if (use === undefined) throw new DiagError('OPERATION_UNKNOWN', { operation });
      return use;
    },
    async beginUpload(wish, who) {
      await demandPlace(door, wish);
      const upload = await uploads.begin(wish);
      if (upload.haveBytes === 0) await given.audit(who, 'begin upload', said(wish), bytes(wish.sizeBytes));
      return upload;
    },
    async finishUpload(id, who) {
      const { root, path } = await uploads.get(id);
      return work.start({
        title: `Putting ${path} in its place`, did: 'upload file', what: said({ root, path }), says: ({ sizeBytes }) => bytes(sizeBytes),
        work: (signal) => uploads.finish(id, (upload, local) => door.take(upload, local, { ...(upload.ifMatch === undefined ? {} : { ifMatch: upload.ifMatch }), ...(upload.onlyNew === undefined ? {} : { onlyNew: upload.onlyNew }), parents: true }, signal), signal),
      }, who);
    },
  };
}

/** Refused before the bytes travel, not after. @throws PATH_REFUSED, PATH_LINK, FILE_PRIVATE, FILE_EXISTS, FILE_KIND */
async function demandPlace(door: FileDoor, { onlyNew, ...place }: UploadWish): Promise<void> {
  const there = await door.stat(place).catch((error: unknown) => { if (error instanceof DiagError && error.code === 'FILE_UNKNOWN') return undefined; throw error; });
  if (there === undefined) return;
  if (onlyNew === true) throw new DiagError('FILE_EXISTS', { path: place.path });
  if (there.kind !== 'file') throw new DiagError('FILE_KIND', { path: place.path, wanted: 'a file' });
}
