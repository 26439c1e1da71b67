// Owns opening what someone hands to `diag analyze`: a bundle, a session's folder, or plain logs.
import { open, readFile, mkdtemp, mkdir, realpath, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import type { z } from 'zod';
import { DiagError, sayError } from '../shared/errors.ts';
import { Report, Session, type AppInfo, type ArtifactRef, type ProcessInfo } from '../shared/model.ts';
import { bytes } from '../shared/units.ts';
import { codeIn } from '../store/atomic.ts';
import { MANIFEST, Manifest } from './manifest.ts';
import { openPlain } from './plain-files.ts';
import type { Placed } from './readers.ts';
import { extract, type ZipLimits } from './zip.ts';

/** Dumps of a bundle that are unpacked. */
const MAX_DUMP_BYTES = 2 * 1024 * 1024 * 1024;

export interface Opened {
  readonly session: Session;
  readonly app: AppInfo;
  readonly window: { readonly from: number; readonly to: number };
  readonly target: ProcessInfo | undefined;
  readonly placed: readonly Placed[];
  /** What was not taken, and why; for people. */
  readonly notes: readonly string[];
  /** Removes what was unpacked. */
  close(): Promise<void>;
}

export interface OpenGiven {
  /** A folder on the local disk; what is unpacked goes into a new one below it. */
  readonly temp: string;
  readonly signal: AbortSignal;
  readonly zipLimits?: ZipLimits;
}

type Found = Omit<Opened, 'close'>;

/** @throws BUNDLE_UNREADABLE, and what the disk throws */
export async function openMaterial(paths: readonly string[], given: OpenGiven): Promise<Opened> {
  await mkdir(given.temp, { recursive: true });
  const work = await mkdtemp(join(given.temp, 'opened-'));
  const close = async (): Promise<void> => { await rm(work, { recursive: true, force: true }); };
  try {
    return { ...await find(paths, work, given), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function find(paths: readonly string[], work: string, given: OpenGiven): Promise<Found> {
  const [only] = paths;
  if (only === undefined) throw new DiagError('BAD_INPUT', { why: 'no path is given' });
  if (paths.length > 1) return openPlain(paths, work, given.signal);
  if (await isZip(only)) return unzipped(only, work, given);
  const folder = await hasFile(only, MANIFEST) ? await ofManifest(only) : await ofSessionFolder(only);
  return folder ?? openPlain([only], work, given.signal);
}

async function unzipped(zip: string, work: string, given: OpenGiven): Promise<Found> {
  const folder = join(work, 'zip');
  const leftOut: string[] = [];
  let dumpBytes = 0;
  // A dump may be larger than the disk; unpacked it can be read by itself.
  const wanted = (name: string, sizeBytes: number): boolean => {
    if (!/\.(dmp|core)$/i.test(name)) return true;
    dumpBytes += sizeBytes;
    if (dumpBytes <= MAX_DUMP_BYTES) return true;
    leftOut.push(`${name}: not unpacked, the dumps in the bundle have more than ${bytes(MAX_DUMP_BYTES)}; unpack it and give it by itself`);
    return false;
  };
  const extracted = await extract(zip, folder, { wanted, signal: given.signal, ...(given.zipLimits && { limits: given.zipLimits }) });
  if (!extracted.has(MANIFEST)) { const plain = await openPlain([folder], work, given.signal); return { ...plain, notes: [...plain.notes, ...leftOut] }; }
  const found = await ofManifest(folder);
  const changed = found.manifest.files.filter((f) => extracted.has(f.path) && extracted.get(f.path)?.sha256 !== f.sha256);
  return { ...found, notes: [...found.notes, ...leftOut, ...changed.map((f) => `${f.path} is not what the manifest says: it was changed`)] };
}

async function ofManifest(folder: string): Promise<Found & { manifest: Manifest }> {
  const manifest = await read(Manifest, join(folder, MANIFEST));
  const session = await read(Session, join(folder, 'session.json'));
  const { placed, notes } = await place(session.artifacts, folder);
  return { session, app: manifest.app, window: manifest.window, target: manifest.target, placed, notes, manifest };
}

/** data/DaaS/Logs/<session>: what it was lies beside it in Reports/<session>. */
async function ofSessionFolder(folder: string): Promise<Found | undefined> {
  const id = basename(await realpath(folder));
  const reports = join(dirname(dirname(await realpath(folder))), 'Reports', id);
  if (!/^\d{6}_\d{10}$/.test(id) || !await hasFile(reports, 'report.json')) return undefined;
  const report = await read(Report, join(reports, 'report.json'));
  const { placed, notes } = await place(report.artifacts, folder);
  return { session: sessionOf(report), app: report.app, window: report.window, target: report.target, placed, notes };
}

/** The record, as far as a report remembers it. */
function sessionOf(report: Report): Session {
  return {
    version: 1, id: report.session, madeAt: report.madeAt, state: report.state, askedBy: report.askedBy, ...(report.reason !== undefined && { reason: report.reason }),
    instance: report.app.instance, ...(report.target && { target: { pid: report.target.pid, startedAt: report.target.startedAt } }),
    diagnosers: [], steps: report.steps, artifacts: report.artifacts, pinned: false, report: true,
  };
}

/** Where each artifact lies; names come from a file of someone else and stay below the folder. */
async function place(refs: readonly ArtifactRef[], folder: string): Promise<{ placed: Placed[]; notes: string[] }> {
  const placed: Placed[] = [];
  const notes: string[] = [];
  const root = await realpath(folder);
  for (const ref of refs) {
    const path = join(root, ref.instance, ref.name);
    if (!path.startsWith(root + sep)) throw new DiagError('BUNDLE_UNREADABLE', { what: folder, why: 'a name in it leads out of it' });
    if (await hasFile(root, join(ref.instance, ref.name)) && (await realpath(path)).startsWith(root + sep)) placed.push({ ref, path });
    else if (ref.kind !== 'core-dump' && ref.kind !== 'minidump' && ref.kind !== 'heap-snapshot') notes.push(`${ref.instance}/${ref.name} is not there`);
  }
  return { placed, notes };
}

async function read<T>(schema: z.ZodType<T>, path: string): Promise<T> {
  const refuse = (why: string, cause?: unknown): never => { throw new DiagError('BUNDLE_UNREADABLE', { what: basename(path), why }, { cause }); };
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    return refuse(sayError(error), error);
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? parsed.data : refuse(parsed.error.issues.slice(0, 3).map((i) => `${i.path.join('.')}: ${i.message}`).join('; '), parsed.error);
}

async function isZip(path: string): Promise<boolean> {
  if (!(await stat(path)).isFile()) return false;
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && (buffer.readUInt32LE(0) === 0x04034b50 || buffer.readUInt32LE(0) === 0x06054b50);
  } finally {
    await file.close();
  }
}

async function hasFile(folder: string, name: string): Promise<boolean> {
  try {
    return (await stat(join(folder, name))).isFile();
  } catch (error) {
    if (codeIn(error) === 'ENOENT' || codeIn(error) === 'ENOTDIR') return false;
    throw error;
  }
}
