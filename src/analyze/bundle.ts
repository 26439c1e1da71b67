// Owns the bundle: report, record and artifacts of a session in one zip, the same bytes for the same session.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ZipArchive } from 'archiver';
import type { ArtifactRef, Report, Session, SessionId, Step } from '../shared/model.ts';
import { bytes, duration } from '../shared/units.ts';
import type { Platform } from '../platform/platform.ts';
import { codeIn, moveInto } from '../store/atomic.ts';
import type { Store } from '../store/store.ts';
import { MANIFEST, type Manifest } from './manifest.ts';

/** A larger dump is fetched by itself, where the download can resume: in the zip it would keep everything else waiting. */
export const MAX_DUMP_BYTES = 2 * 1024 * 1024 * 1024;
/** Deflate's own middle: 93 MB/s, and logs to a tenth. */
const LEVEL = 6;
/** Zip headers and the manifest, beside the content. */
const OVERHEAD_BYTES = 1024 * 1024;
const STALE_MS = 3_600_000;

export interface BundleGiven {
  readonly platform: Platform;
  readonly store: Store;
  readonly session: SessionId;
  /** Ends the waiting; the making ends when nobody waits any more. */
  readonly signal: AbortSignal;
  readonly maxDumpBytes?: number;
}

interface Making { readonly done: Promise<string>; readonly stop: AbortController; waiting: number }
const making = new Map<string, Making>();

/**
 * Path of the session's bundle; written once for each state of the session, so that downloads can resume.
 * @throws SESSION_UNKNOWN, REPORT_NOT_READY, NO_ROOM
 */
export async function bundleFile(given: BundleGiven): Promise<string> {
  const session = await given.store.sessions.get(given.session);
  const report = await given.store.sessions.report(given.session);
  const folder = dirname(await given.store.sessions.reportPath(given.session, 'report.json'));
  const path = join(folder, `bundle-${fingerprint(session, report)}.zip`);
  if (await exists(path)) return path;
  const dying = making.get(path);
  if (dying?.stop.signal.aborted) await Promise.allSettled([dying.done]);
  const one = making.get(path) ?? begin(path, given, session, report);
  one.waiting += 1;
  try {
    return await orAborted(one.done, given.signal);
  } finally {
    one.waiting -= 1;
    if (one.waiting === 0) one.stop.abort(given.signal.reason);
  }
}

/** Everything that decides the bytes. A pin is about keeping, not about content. */
function fingerprint(session: Session, report: Report): string {
  return createHash('sha256').update(JSON.stringify([{ ...session, pinned: false }, report])).digest('hex').slice(0, 16);
}

function begin(path: string, given: BundleGiven, session: Session, report: Report): Making {
  const stop = new AbortController();
  const one: Making = { done: make(path, given, session, report, stop.signal).finally(() => { making.delete(path); }), stop, waiting: 0 };
  making.set(path, one);
  void Promise.allSettled([one.done]);                         // when all who waited are gone its fault is nobody's
  return one;
}

async function make(path: string, given: BundleGiven, session: Session, report: Report, signal: AbortSignal): Promise<string> {
  const { included, leftOut } = sorted(session, given.maxDumpBytes ?? MAX_DUMP_BYTES);
  const needBytes = included.reduce((sum, ref) => sum + ref.bytes, OVERHEAD_BYTES);
  await given.store.artifacts.demand('The bundle', needBytes);
  const folder = given.platform.host.folders.temp;
  await mkdir(folder, { recursive: true });
  await sweepTemp(folder, given.platform.clock.now());
  const temp = join(folder, `bundle-${session.id}-${process.pid}.zip.tmp`);
  try {
    await writeZip(temp, given.store, { session, report, included, leftOut }, signal);
    await moveInto(temp, path);
  } catch (error) {
    await rm(temp, { force: true });
    throw error;
  }
  await removeOthers(path);
  return path;
}

interface Content { readonly session: Session; readonly report: Report; readonly included: readonly ArtifactRef[]; readonly leftOut: Manifest['leftOut'] }

function sorted(session: Session, maxDumpBytes: number): Pick<Content, 'included' | 'leftOut'> {
  const ordered = [...session.artifacts].sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
  const isLarge = (ref: ArtifactRef): boolean => (ref.kind === 'core-dump' || ref.kind === 'minidump' || ref.kind === 'heap-snapshot') && ref.bytes > maxDumpBytes;
  return {
    included: ordered.filter((ref) => !isLarge(ref)),
    leftOut: ordered.filter(isLarge).map((ref) => ({ what: pathOf(ref), why: `it has ${bytes(ref.bytes)}, more than ${bytes(maxDumpBytes)}: fetch it from api/sessions/${ref.session}/artifacts/${ref.instance}/${ref.name}` })),
  };
}

const pathOf = (ref: ArtifactRef): string => `${ref.instance}/${ref.name}`;

async function writeZip(temp: string, store: Store, content: Content, signal: AbortSignal): Promise<void> {
  const { ZipArchive: Zip } = await import('archiver');
  const archive: ZipArchive = new Zip({ zlib: { level: LEVEL } });
  const written = pipeline(archive, createWriteStream(temp, { mode: 0o600 }), { signal });
  const settled = Promise.allSettled([written]);               // it may fail while something else is awaited
  try {
    const add = adder(archive, written, new Date(content.session.madeAt));
    const files: Manifest['files'] = [];
    const folder = async (file: 'report.html' | 'report.json'): Promise<Readable> => createReadStream(await store.sessions.reportPath(content.session.id, file));
    files.push(await add('report.html', await folder('report.html')));
    files.push(await add('report.json', await folder('report.json')));
    files.push(await add('session.json', textOf(`${JSON.stringify({ ...content.session, pinned: false }, undefined, 1)}\n`)));
    files.push(await add('steps.log', textOf(stepsLog(content.session.steps))));
    for (const ref of content.included) {
      const file = await add(pathOf(ref), createReadStream(await store.artifacts.path(ref)));
      files.push({ ...file, kind: ref.kind, ...(file.sha256 !== ref.sha256 && { note: 'not the bytes that were collected: the file was changed on disk' }) });
    }
    await add(MANIFEST, textOf(`${JSON.stringify(manifestOf(content, files), undefined, 1)}\n`));
    await Promise.race([archive.finalize(), written]);
    await written;
  } finally {
    archive.destroy();
    await settled;
  }
}

type Add = (name: string, source: Readable) => Promise<Manifest['files'][number]>;

/** Adds one file after the other; resolves with what really went in. */
function adder(archive: ZipArchive, written: Promise<void>, date: Date): Add {
  return async (name, source) => {
    const hash = createHash('sha256');
    let size = 0;
    const tap = new Transform({ transform(chunk: Buffer, _encoding, next) { hash.update(chunk); size += chunk.length; next(undefined, chunk); } });
    const entered = new Promise<void>((resolve) => { archive.once('entry', () => { resolve(); }); });
    archive.append(tap, { name, date, mode: 0o644 });
    const fed = pipeline(source, tap);
    await Promise.race([Promise.all([entered, fed]), written]);
    return { path: name, bytes: size, sha256: hash.digest('hex') };
  };
}

const textOf = (text: string): Readable => Readable.from([Buffer.from(text)]);

function manifestOf({ session, report, included, leftOut }: Content, files: Manifest['files']): Manifest {
  return {
    version: 1, tool: report.tool, session: session.id, instance: session.instance, madeAt: session.madeAt, window: report.window, app: report.app,
    ...(report.target && { target: report.target }), files,
    masked: included.filter((ref) => (ref.masked ?? 0) > 0).map((ref) => ({ where: pathOf(ref), what: 'secret values', count: ref.masked ?? 0 })),
    leftOut,
  };
}

/** What ran, for people: one line a step. */
export function stepsLog(steps: readonly Step[]): string {
  const lines = steps.map((s) => {
    const at = s.startedAt === undefined ? '-' : new Date(s.startedAt).toISOString();
    const took = s.tookMs === undefined ? '-' : duration(s.tookMs);
    return [at, s.stage, s.id, s.state, took, s.because ?? s.note ?? ''].join('\t').replace(/[\r\n]+/g, ' ');
  });
  return `${lines.join('\n')}\n`;
}

/** Bundles of earlier states of this session. */
async function removeOthers(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    const other = join(dirname(path), name);
    if (/^bundle-[0-9a-f]{16}\.zip$/.test(name) && other !== path) await rm(other, { force: true });
  }
}

/** What a killed agent left half made. */
async function sweepTemp(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^bundle-.*\.zip\.tmp$/.test(name)) continue;
    const { mtimeMs } = await stat(join(folder, name));
    if (now - mtimeMs > STALE_MS) await rm(join(folder, name), { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return false;
    throw error;
  }
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => { reject(signal.reason as Error); };
    if (signal.aborted) { stop(); return; }
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => { signal.removeEventListener('abort', stop); }).catch(reject);
  });
}
