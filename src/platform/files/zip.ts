// Owns the zip of a folder as a stream: each file as it is read, and a list of what could not be, so that nothing is left out in silence.
import { Readable } from 'node:stream';
import type { ZipArchive } from 'archiver';
import { sayError } from '../../shared/errors.ts';
import type { Opened, Place, ZipOptions, Zipping } from './door.ts';
import { hold, type Held } from './hold.ts';
import { look, openFile } from './look.ts';
import { leaving, codeOfLeft, walkOf, MAX_LEFT_OUT, type Given } from './change.ts';
import type { Spot } from './places.ts';
import { walk } from './walk.ts';
import { holdParent } from './write.ts';

const LEVEL = 6;
const PIECE_BYTES = 256 * 1024;
/** The first possible time of a zip; older files get it. */
const FIRST_TIME = Date.UTC(1980, 0, 2);

type Left = ReturnType<typeof leaving>;

export async function zipOf(given: Given, place: Place, { manifest = 'left-out.json', level = LEVEL }: ZipOptions, signal: AbortSignal): Promise<Zipping> {
  const spot = await given.places.spot(place, 'look');
  const left = leaving();
  const stop = new AbortController();
  const zipping = await begin(given, spot, { left, level, signal: AbortSignal.any([signal, stop.signal]), manifest });
  zipping.archive.once('close', () => { stop.abort(); });      // who reads it went away
  return { stream: zipping.archive, leftOut: zipping.done.then(() => left.list) };
}

interface Making { readonly left: Left; readonly level: number; readonly signal: AbortSignal; readonly manifest: string }

async function begin(given: Given, spot: Spot, making: Making): Promise<{ archive: ZipArchive; done: Promise<void> }> {
  const single = spot.parts.length === 0 ? undefined : await kindAt(spot);
  const held = single === undefined ? await hold(spot.folder, spot.parts) : undefined;
  const { ZipArchive: Zip } = await import('archiver');
  const archive = new Zip({ zlib: { level: making.level }, forceZip64: false });
  const work = async (): Promise<void> => {
    if (held === undefined) await one(spot, archive, making);
    else await folder(given, spot, held, archive, making);
    await addManifest(archive, making);
    await archive.finalize();
  };
  // Whoever reads the stream hears its errors; where nobody does any more they are in the promise.
  archive.on('error', () => undefined);
  const done = work().catch((error: unknown) => { archive.destroy(error as Error); throw error; });
  void Promise.allSettled([done]);                             // it may fail before anyone asks for what was left out
  return { archive, done };
}

/** A file is zipped alone; a folder with what is in it. */
async function kindAt(spot: Spot): Promise<'file' | undefined> {
  const { held, name } = await holdParent(spot);
  try {
    return (await look(held, name, spot.path)).kind === 'file' ? 'file' : undefined;
  } finally {
    await held.letGo();
  }
}

async function one(spot: Spot, archive: ZipArchive, making: Making): Promise<void> {
  const { held, name } = await holdParent(spot);
  try {
    await addFile(archive, held, name, [name], making);
  } finally {
    await held.letGo();
  }
}

async function folder(given: Given, spot: Spot, held: Held, archive: ZipArchive, making: Making): Promise<void> {
  try {
    await walk(held, {
      ...await walkOf(given, spot, making.signal), leftOut: making.left.add,
      async enter({ held: inside, names, parts }) {
        if (parts.length > 0 && names.length === 0) await added(archive, Buffer.alloc(0), { name: `${parts.join('/')}/` });
        for (const { name, kind } of names) {
          if (kind === 'file') await addFile(archive, inside, name, [...parts, name], making);
          else if (kind !== 'folder') making.left.add([...parts, name], kind === 'link' ? await linkWords(inside, name) : new Error('a device, pipe or socket'));
        }
      },
    });
  } finally {
    await held.letGo();
  }
}

async function linkWords(held: Held, name: string): Promise<Error> {
  const { target } = await look(held, name, name).catch(() => ({ target: undefined }));
  return new Error(target === undefined ? 'a link' : `a link to ${target}`);
}

async function addFile(archive: ZipArchive, held: Held, name: string, parts: readonly string[], { left, signal }: Making): Promise<void> {
  let file: Opened;
  try {
    file = await openFile(held, name, parts.join('/'));
  } catch (error) {
    if (!codeOfLeft(error)) throw error;
    left.add(parts, error);
    return;
  }
  try {
    const { modifiedAt } = file.entry;
    await added(archive, Readable.from(pieces(file, parts, left, signal), { objectMode: false, highWaterMark: PIECE_BYTES }), { name: parts.join('/'), date: new Date(Math.max(FIRST_TIME, modifiedAt)) });
  } finally {
    await file.close();
  }
}

/** What it had when it was opened, or less: a log that grows is cut there, and one that cannot be read to its end is told. */
async function* pieces(file: Opened, parts: readonly string[], left: Left, signal: AbortSignal): AsyncGenerator<Buffer> {
  const { sizeBytes } = file.entry;
  for (let offset = 0; offset < sizeBytes;) {
    signal.throwIfAborted();
    let piece: Buffer;
    try {
      piece = await file.read(offset, Math.min(PIECE_BYTES, sizeBytes - offset));
    } catch (error) {
      left.add(parts, new Error(`cut after ${offset} of ${sizeBytes} bytes: ${sayError(error)}`));
      return;
    }
    if (piece.length === 0) { left.add(parts, new Error(`cut after ${offset} of ${sizeBytes} bytes: it became shorter meanwhile`)); return; }
    offset += piece.length;
    yield piece;
  }
}

/** One entry after the other, so that only one file is open. */
function added(archive: ZipArchive, content: Readable | Buffer, about: { name: string; date?: Date }): Promise<void> {
  return new Promise((done, fail) => {
    const settle = (run: () => void): void => { archive.off('entry', onEntry); archive.off('error', onError); archive.off('close', onClose); run(); };
    // Nobody but us hears of what ends it: an abort in the middle of a file.
    if (!Buffer.isBuffer(content)) content.on('error', (error) => { settle(() => { fail(error); }); });
    const onEntry = (): void => { settle(done); };
    const onError = (error: Error): void => { settle(() => { fail(error); }); };
    const onClose = (): void => { settle(() => { fail(new DOMException('the reader of the zip went away', 'AbortError')); }); };
    archive.once('entry', onEntry);
    archive.once('error', onError);
    archive.once('close', onClose);
    archive.append(content, about);
  });
}

async function addManifest(archive: ZipArchive, { left, manifest }: Making): Promise<void> {
  if (left.count() === 0) return;
  const text = JSON.stringify({ says: 'What is not in this zip, and why.', count: left.count(), ...(left.count() > MAX_LEFT_OUT ? { notListed: left.count() - MAX_LEFT_OUT } : {}), leftOut: left.list }, undefined, 1);
  await added(archive, Buffer.from(`${text}\n`), { name: manifest });
}
