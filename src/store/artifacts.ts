// Owns the files of sessions: drafts on the local disk that become artifacts under their final name, whole and hashed.
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { chmod, lstat, mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { DiagError } from '../shared/errors.ts';
import { ArtifactRef, type ArtifactKind, type SessionId } from '../shared/model.ts';
import { codeIn, moveInto, namesIn } from './atomic.ts';
import { createJournal } from './journal.ts';
import { INDEX_NAME, isSafeName, type Places } from './places.ts';
import type { RoomKeeper } from './room.ts';
import type { ArtifactStore, ArtifactWriter, Draft } from './store.ts';

/** Artifacts listed per session and instance; a session has tens. */
const KEPT_REFS = 2_000;
/** The list of a session's artifacts never reaches this: KEPT_REFS lines of some 300 bytes. */
const INDEX_BYTES = 4 * 2 ** 20;

interface Context { readonly places: Places; readonly room: RoomKeeper; readonly drafts: string; readonly taken: Set<string> }

/** drafts: the folder of this run on the local disk. */
export function createArtifacts(places: Places, room: RoomKeeper, drafts: string): ArtifactStore {
  const context: Context = { places, room, drafts, taken: new Set() };
  return {
    writer: (id) => createWriter(context, id),
    path: async (ref) => (await find(places, ref)).path,
    async open(ref, range) {
      const file = await open((await find(places, ref)).path, 'r');
      return file.createReadStream(range ? { start: range.start, end: range.end } : {});
    },
    list: (id) => listArtifacts(places, id),
    room: () => room.room(),
    demand: (what, needBytes) => room.demand(what, needBytes),
  };
}

function createWriter(context: Context, id: SessionId): ArtifactWriter {
  const refs: ArtifactRef[] = [];
  const folder = join(context.places.logs(id), context.places.instance);
  return {
    refs,
    async draft(kind, wanted, needBytes) {
      if (!isSafeName(wanted)) throw new DiagError('BAD_INPUT', { why: `${JSON.stringify(wanted.slice(0, 40))} cannot be the name of a file` });
      await context.room.demand(wanted, needBytes ?? 0);
      const name = await freeName(context, folder, wanted);
      await mkdir(context.drafts, { recursive: true, mode: 0o700 });
      const path = join(context.drafts, `${randomBytes(6).toString('hex')}-${name}`);
      return createDraft(context, { session: id, instance: context.places.instance, kind, name }, { folder, path }, refs);
    },
  };
}

/** `dump.core`, then `dump-2.core`; names differ in more than case, since Windows does not see case. */
async function freeName(context: Context, folder: string, wanted: string): Promise<string> {
  const there = new Set((await namesIn(folder)).map((name) => name.toLowerCase()));
  const dot = wanted.indexOf('.', 1);
  const stem = dot < 0 ? wanted : wanted.slice(0, dot);
  const ending = dot < 0 ? '' : wanted.slice(dot);
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? wanted : `${stem.slice(0, 100 - Math.min(90, ending.length))}-${n}${ending.slice(0, 90)}`;
    const mark = join(folder, name.toLowerCase());
    if (there.has(name.toLowerCase()) || context.taken.has(mark)) continue;
    context.taken.add(mark);
    return name;
  }
}

type Named = Pick<ArtifactRef, 'session' | 'instance' | 'kind' | 'name'>;

function createDraft(context: Context, named: Named, at: { folder: string; path: string }, refs: ArtifactRef[]): Draft {
  let writing: WriteStream | undefined;
  let over = false;
  const end = async (): Promise<void> => {
    over = true;
    context.taken.delete(join(at.folder, named.name.toLowerCase()));
    if (writing) { writing.destroy(); await closed(writing); }
    await rm(at.path, { force: true });
  };
  return {
    path: at.path,
    stream() {
      writing ??= createWriteStream(at.path, { flags: 'w', mode: 0o600 });
      return writing;
    },
    async commit(extra = {}) {
      if (over) throw new DiagError('INTERNAL', {}, { cause: new Error(`draft ${named.name} is over`) });
      try {
        if (writing) { writing.end(); await finished(writing); }
        const ref = await settle(context, named, at, extra);
        refs.push(ref);
        return ref;
      } finally {
        await end();
      }
    },
    async discard() { if (!over) await end(); },
  };
}

/** The list knows the file before it has its name: a kill in between leaves a line without a file, never a file that nobody knows. */
async function settle(context: Context, named: Named, at: { folder: string; path: string }, extra: { masked?: number; note?: string; kind?: ArtifactKind }): Promise<ArtifactRef> {
  const bytes = (await stat(at.path)).size;
  await context.room.demand(named.name, bytes);
  const sha256 = await hash(at.path);
  const ref = ArtifactRef.parse({ ...named, bytes, sha256, ...extra });
  try {
    await chmod(at.path, 0o600);                               // a program of the system (gcore) made it readable for everyone
    await indexOf(at.folder, named.instance).append(ref);
    await moveInto(at.path, join(at.folder, named.name), { owner: named.instance });
  } catch (error) {
    if (!['ENOSPC', 'EDQUOT'].includes(codeIn(error))) throw error;
    throw new DiagError('NO_ROOM', { what: named.name, needBytes: bytes, freeBytes: 0 }, { cause: error });
  }
  context.room.add(bytes);
  return ref;
}

async function hash(path: string): Promise<string> {
  const sum = createHash('sha256');
  for await (const chunk of createReadStream(path)) sum.update(chunk as Buffer);
  return sum.digest('hex');
}

/** The stream's file is closed when this resolves, whether it ended well or not. */
async function closed(stream: WriteStream): Promise<void> {
  if (stream.closed) return;
  await new Promise<void>((resolve) => { stream.once('close', () => { resolve(); }); stream.on('error', () => { stream.destroy(); }); });
}

function indexOf(folder: string, owner: string) {
  return createJournal({ path: join(folder, INDEX_NAME), schema: ArtifactRef, maxBytes: INDEX_BYTES, owner });
}

/** Committed artifacts of all instances, as listed and still there with their size. */
export async function listArtifacts(places: Places, id: SessionId): Promise<ArtifactRef[]> {
  const top = places.logs(id);
  const refs: ArtifactRef[] = [];
  for (const instance of (await namesIn(top)).sort()) {
    if (await isFolder(join(top, instance))) refs.push(...await listInstance(join(top, instance), id, instance));
  }
  return refs;
}

/** A link may lead anywhere: it is none. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return false;
    throw error;
  }
}

async function listInstance(folder: string, id: SessionId, instance: string): Promise<ArtifactRef[]> {
  const { entries } = await indexOf(folder, instance).recent(KEPT_REFS);
  const newest = new Map<string, ArtifactRef>();
  for (const ref of entries) {
    if (ref.session !== id || ref.instance !== instance || !isSafeName(ref.name) || newest.has(ref.name)) continue;
    if (await sizeOf(join(folder, ref.name)) === ref.bytes) newest.set(ref.name, ref);
  }
  return [...newest.values()].reverse();
}

/** Of a plain file; a link or a folder has none. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await lstat(path);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function find(places: Places, ref: Pick<ArtifactRef, 'session' | 'instance' | 'name'>): Promise<{ path: string; ref: ArtifactRef }> {
  const unknown = (): DiagError => new DiagError('ARTIFACT_UNKNOWN', { session: ref.session.slice(0, 40), name: ref.name.slice(0, 120) });
  if (!isSafeName(ref.name) || !isSafeName(ref.instance)) throw unknown();
  const folder = join(places.logs(ref.session), ref.instance);
  const listed = await isFolder(folder) && (await listInstance(folder, ref.session, ref.instance)).find((r) => r.name === ref.name);
  if (!listed) throw unknown();
  return { path: join(folder, ref.name), ref: listed };
}
