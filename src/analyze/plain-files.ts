// Owns plain logs handed to `diag analyze`: what each file is by name and first bytes, masked into copies, and the window they span.
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { createHash } from 'node:crypto';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ArtifactKind, ArtifactRef, Session } from '../shared/model.ts';
import { bytes, count, plural } from '../shared/units.ts';
import { detect } from '../observe/http-log/detect.ts';
import { parseEventLog } from '../platform/parse/event-log.ts';
import { rowMask } from './http-rows.ts';
import { timesOf } from './log-window.ts';
import { makeMasker, type Masker } from './masker.ts';
import { masked, newTally, type Tally } from './masked-text.ts';
import type { Opened } from './open-bundle.ts';
import type { Placed } from './readers.ts';
import { maskTrace } from './trace-mask.ts';
import { maskJson, safeName } from './write.ts';

/** A folder of logs has some hundred files. */
const MAX_FILES = 5_000;
/** Copied in all; what is beyond is left out and said. */
const MAX_TOTAL_BYTES = 4 * 1024 * 1024 * 1024;
/** Read whole; larger ones are not what they claim to be. */
const MAX_XML_BYTES = 64 * 1024 * 1024;
const MAX_DEPTH = 12;
/** What a file is is told from its beginning. */
const HEAD_BYTES = 16_384;
/** Below it lines only happen to look like rows. */
const SURE_FORMAT = 0.7;
const HASHED_AT_ONCE = 1024 * 1024;
/** e_type of a core. */
const ELF_CORE = 4;
const INSTANCE = 'files';
/** Names our own diagnosers give, so that a session's folder without its report can still be judged. */
const OURS: readonly (readonly [RegExp, ArtifactKind])[] = [
  [/^processes\.json$/, 'process-list'], [/^open-files-\d+\.json$/, 'open-files'], [/^environment-\d+\.json$/, 'environment'], [/^metrics-[\w-]+\.json$/, 'metrics'],
  [/^changes\.json$/, 'changes'], [/^eventlog\.json$/, 'event-log'], [/^deployments\.json$/, 'deployments'], [/^node-report-\d+\.json$/, 'node-report'],
  [/^app-inside\.json$/, 'app-inside'], [/^connections\.json$/, 'connections'], [/^php-status\.json$/, 'php-status'], [/^in-flight-\d+\.json$/, 'in-flight'],
];

type Found = Omit<Placed, 'ref'> & { ref: Omit<ArtifactRef, 'session'> };
interface Candidate { readonly path: string; readonly name: string; readonly sizeBytes: number }
interface Sniffed { readonly kind?: ArtifactKind; readonly eventLogXml?: true; readonly json?: true; readonly anyServer?: true; readonly inPlace?: true; readonly why?: string }
interface Span { first?: number; last?: number }

/** Everything readable in these files and folders, in the order of names. */
export async function openPlain(paths: readonly string[], work: string, signal: AbortSignal): Promise<Omit<Opened, 'close'>> {
  const candidates: Candidate[] = [];
  const notes: string[] = [];
  for (const path of paths) await gather(path, path, candidates, notes, 0);
  candidates.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.path < b.path ? -1 : 1));
  if (candidates.length > MAX_FILES) notes.push(`${count(candidates.length - MAX_FILES)} files beyond ${count(MAX_FILES)} are left out`);
  const folder = join(work, INSTANCE);
  await mkdir(folder, { recursive: true });
  const mask = makeMasker([]);
  const span: Span = {};
  const dumped: Span = {};
  const found: Found[] = [];
  let site: string | undefined;
  let total = 0;
  for (const one of candidates.slice(0, MAX_FILES)) {
    signal.throwIfAborted();
    const what = await sniff(one);
    if (what.kind === undefined) { notes.push(`${one.name}: ${what.why ?? 'not a log'}`); continue; }
    if (what.inPlace) { found.push(await lying(one, what.kind, signal)); widen(dumped, await takenAt(one.path)); continue; }
    total += one.sizeBytes;
    if (total > MAX_TOTAL_BYTES) { notes.push(`${one.name}: left out, the files before it have ${bytes(MAX_TOTAL_BYTES)}`); continue; }
    const copied = await copy(one, what, join(folder, String(found.length).padStart(4, '0')), mask, signal).catch((error: unknown) => {
      if (!(error instanceof SyntaxError)) throw error;
      notes.push(`${one.name}: not JSON`);
    });
    if (!copied) continue;
    widen(span, copied.span);
    site ??= what.kind === 'http-log' ? await siteOf(copied.path) : undefined;
    found.push({ path: copied.path, ref: { instance: INSTANCE, kind: what.kind, name: safeName(one.name), bytes: copied.tally.bytes, sha256: copied.sha256, masked: copied.tally.masked } });
  }
  // Logs tell their own time; of dumps alone it is the time they were taken.
  return describe(found, span.first === undefined ? dumped : span, site, notes);
}

async function gather(root: string, path: string, into: Candidate[], notes: string[], depth: number): Promise<void> {
  const facts = await stat(path);
  if (facts.isFile()) {
    const name = path === root ? basename(path) : relative(root, path).replaceAll('\\', '/');
    if (facts.size > 0) into.push({ path, name, sizeBytes: facts.size });
    return;
  }
  if (!facts.isDirectory()) return;
  if (depth > MAX_DEPTH) { notes.push(`${relative(root, path)}: too deep`); return; }
  const names = await readdir(path, { withFileTypes: true });
  // A link may lead anywhere, also in a circle: only what lies here is read.
  for (const entry of names.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if ((entry.isFile() || entry.isDirectory()) && into.length <= MAX_FILES * 2) await gather(root, join(path, entry.name), into, notes, depth + 1);
  }
}

async function sniff(one: Candidate): Promise<Sniffed> {
  const name = basename(one.name).toLowerCase();
  const ours = OURS.find(([pattern]) => pattern.test(name));
  if (ours) return one.sizeBytes <= MAX_XML_BYTES ? { kind: ours[1], json: true } : { why: 'too large for what it claims to be' };
  const head = await headOf(one.path);
  const text = head.toString('latin1').replace(/^ï»¿/, '');
  if (/^#(Software|Version|Date|Fields):/im.test(text.slice(0, 400)) || /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ (GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH|TRACE|CONNECT) \S+ /m.test(text)) return { kind: 'http-log' };
  const dump = dumpKind(head);
  if (dump !== undefined) return { kind: dump, inPlace: true };
  // By their names: too large to be copied, and their readers refuse what is none.
  const lies = ([['.cpuprofile', 'cpu-profile'], ['.heapprofile', 'heap-profile'], ['.heapsnapshot', 'heap-snapshot']] as const).find(([end]) => name.toLowerCase().endsWith(end));
  if (lies !== undefined) return { kind: lies[1], inPlace: true };
  if (/<failedRequest[\s>]/.test(text)) return { kind: 'failed-request-trace' };
  if (/^\s*(<\?xml[^>]*>\s*)?<Events?[\s>]/.test(text)) return one.sizeBytes <= MAX_XML_BYTES ? { kind: 'event-log', eventLogXml: true } : { why: 'an event log of more than 64 MiB' };
  if (/\.(dmp|core|zip|gz|7z|html?|js|css|map|png|jpe?g|svg|dll|exe|pdb|node|wasm|db|xsl)$/.test(name) || /^(report|session|manifest)\.json$/.test(name) || name === 'steps.log') return { why: 'neither a log nor a dump' };
  if (name.endsWith('.xml')) return { why: 'XML of a kind that is not read yet' };
  if (isBinary(head)) return { why: 'binary' };
  if (/^Full thread dump /m.test(text)) return { kind: 'thread-dump' };
  if (/^ *num +#instances +#bytes +class name/m.test(text)) return { kind: 'heap-histogram' };
  if (isAccessLog(head)) return { kind: 'http-log', anyServer: true };
  return { kind: /php[\w.-]*error|php_errors/.test(name) ? 'php-log' : 'application-log' };
}

/** A log of another server, when nearly all of its first lines are rows of a known form. */
function isAccessLog(head: Buffer): boolean {
  const { format, confidence } = detect({ first: head, whole: head.length < HEAD_BYTES, later: [] });
  return format !== undefined && confidence >= SURE_FORMAT;
}

/** By what it begins with; an ELF file that is a program or a library is none. */
function dumpKind(head: Buffer): ArtifactKind | undefined {
  const magic = head.toString('latin1', 0, 4);
  if (magic === 'MDMP') return 'minidump';
  return magic === '\u007fELF' && head.length > 18 && head.readUInt16LE(16) === ELF_CORE ? 'core-dump' : undefined;
}

/** A dump stays where it is: it may be larger than the disk, and what is told of it is masked when it is read. */
async function lying(one: Candidate, kind: ArtifactKind, signal: AbortSignal): Promise<Found> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(one.path, { highWaterMark: HASHED_AT_ONCE, signal }) as AsyncIterable<Buffer>) hash.update(chunk);
  return { path: one.path, ref: { instance: INSTANCE, kind, name: safeName(one.name), bytes: one.sizeBytes, sha256: hash.digest('hex') } };
}

/** A minidump says it; of a core the file's own time is all there is. */
async function takenAt(path: string): Promise<Span> {
  const head = await headOf(path);
  const at = head.toString('latin1', 0, 4) === 'MDMP' && head.length >= 24 ? head.readUInt32LE(20) * 1_000 : Math.round((await stat(path)).mtimeMs);
  return { first: at, last: at };
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Zero bytes: a binary file, unless they lie as UTF-16 has them. */
function isBinary(head: Buffer): boolean {
  if (!head.includes(0)) return false;
  const marked = (head[0] === 0xFF && head[1] === 0xFE) || (head[0] === 0xFE && head[1] === 0xFF);
  return !marked;
}

interface Copied { readonly path: string; readonly tally: Tally; readonly sha256: string; readonly span: Span }

/** A masked copy in the form that analyzers read. @throws SyntaxError for JSON that is none */
async function copy(one: Candidate, what: Sniffed, to: string, mask: Masker, signal: AbortSignal): Promise<Copied> {
  const tally = newTally();
  const span: Span = {};
  const hash = createHash('sha256');
  let size = 0;
  const tap = new Transform({ transform(chunk: Buffer, _encoding, next) { hash.update(chunk); size += chunk.length; next(undefined, chunk); } });
  await pipeline(await contentOf(one, what, mask, { tally, span, signal }), tap, createWriteStream(to, { mode: 0o600 }), { signal });
  tally.bytes = size;
  if (what.kind === 'http-log' || what.kind === 'application-log' || what.kind === 'php-log' || what.kind === 'thread-dump' || what.kind === 'failed-request-trace') widen(span, await timesOf(to));
  return { path: to, tally, sha256: hash.digest('hex'), span };
}

async function contentOf(one: Candidate, what: Sniffed, mask: Masker, into: { tally: Tally; span: Span; signal: AbortSignal }): Promise<AsyncIterable<Buffer>> {
  if (what.eventLogXml) {
    const rows = parseEventLog(await textOf(one.path)).rows.map((row) => ({ ...row, text: shown(row.text, mask, into.tally) }));
    for (const row of rows) widen(into.span, { first: row.at, last: row.at });
    return whole({ version: 1, rows });
  }
  if (what.json) {
    const { value, count: hidden } = maskJson(JSON.parse(await textOf(one.path)), mask);
    into.tally.masked += hidden;
    return whole(value);
  }
  if (what.kind === 'failed-request-trace' && one.sizeBytes <= MAX_XML_BYTES) {
    const trace = maskTrace(await textOf(one.path), mask);
    into.tally.masked += trace.count;
    return Readable.from([Buffer.from(trace.text)]) as AsyncIterable<Buffer>;
  }
  const source = createReadStream(one.path, { signal: into.signal }) as AsyncIterable<Uint8Array>;
  if (what.kind !== 'http-log' || what.anyServer === true) return masked(source, (text) => mask.text(text), into.tally);
  const rows = rowMask({ from: 0, to: Date.UTC(9999, 0), mask });
  return masked(source, (text) => rows.lines(text), into.tally);
}

function whole(value: unknown): AsyncIterable<Buffer> {
  return Readable.from([Buffer.from(JSON.stringify(value))]) as AsyncIterable<Buffer>;
}

function shown(text: string, mask: Masker, tally: Tally): string {
  const one = mask.text(text);
  tally.masked += one.count;
  return one.text;
}

async function textOf(path: string): Promise<string> {
  const raw = await readFile(path);
  return raw[0] === 0xFF && raw[1] === 0xFE ? raw.toString('utf16le') : raw.toString('utf8').replace(/^\uFEFF/, '');
}

function widen(span: Span, by: Span): void {
  if (by.first !== undefined) span.first = Math.min(span.first ?? by.first, by.first);
  if (by.last !== undefined) span.last = Math.max(span.last ?? by.last, by.last);
}

/** The site's name as the first row says it. */
async function siteOf(path: string): Promise<string | undefined> {
  const lines = (await headOf(path)).toString('utf8').split(/\r?\n/);
  const column = lines.find((l) => l.startsWith('#Fields:'))?.slice(8).trim().split(' ').indexOf('s-sitename') ?? 2;
  const site = lines.find((l) => /^\d{4}-/.test(l))?.split(' ')[column];
  return site === undefined || site === '-' || column < 0 ? undefined : site;
}

/** A session that was never run here: its time is the logs' own, so that the same files give the same report. */
function describe(found: readonly { path: string; ref: Omit<ArtifactRef, 'session'> }[], span: Span, site: string | undefined, notes: readonly string[]): Omit<Opened, 'close'> {
  const [from, to] = [span.first ?? 0, span.last ?? 0];
  const id = sessionIdAt(to);
  const placed = found.map(({ path, ref }): Placed => ({ path, ref: { ...ref, session: id } }));
  const kinds = [...new Set(placed.map((p) => p.ref.kind))].map((kind) => `${placed.filter((p) => p.ref.kind === kind).length} ${kind}`);
  const session: Session = {
    version: 1, id, madeAt: to, state: placed.length > 0 ? 'done' : 'failed', askedBy: 'diag analyze', instance: INSTANCE, diagnosers: [],
    steps: [{ id: 'files', stage: 'collect', title: 'Files', state: placed.length > 0 ? 'done' : 'failed', ...(placed.length > 0 ? { note: `${plural(placed.length, 'file')}: ${kinds.join(', ')}` } : { because: 'neither a log nor a dump was found' }) }],
    artifacts: placed.map((p) => p.ref), pinned: false, report: true,
  };
  return { session, app: { site: site ?? 'unknown', instance: INSTANCE, machine: 'unknown', os: 'unknown' }, window: { from, to }, target: undefined, placed, notes };
}

function sessionIdAt(at: number): string {
  const iso = new Date(at).toISOString();
  return `${iso.slice(2, 10).replaceAll('-', '')}_${iso.slice(11, 19).replaceAll(':', '')}${iso.slice(20, 23)}0`;
}
