// Owns append-only files of JSON lines with a bound: changes and audit.
import { mkdir, open, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { DiagError } from '../shared/errors.ts';
import { codeIn, renameOver, writeAtomic } from './atomic.ts';
import type { Journal } from './store.ts';
import { createTurns } from './turns.ts';

export interface JournalSettings<T> {
  readonly path: string;
  readonly schema: z.ZodType<T>;
  /** The file never grows beyond this; at the bound the newer half is kept. */
  readonly maxBytes: number;
  readonly owner: string;
  /** Of several agents that append, the leading one shortens the file (default: this one); another does so at twice the bound only. */
  readonly leads?: () => boolean;
}

/** A line longer than this share of the file would push out everything else. */
const LINE_SHARE = 8;
/** Read backwards in pieces of this size. */
const PIECE_BYTES = 65_536;
const NEWLINE = 10;

/** A journal in one file. A line torn by a crash is counted as unreadable and ends where the next append begins. Another agent of the instance may append too. */
export function createJournal<T>(settings: JournalSettings<T>): Journal<T> & { settled(): Promise<void> } {
  const turns = createTurns();
  return {
    append: (entry) => turns.take(async () => { while (!await append(settings, entry)); }),
    recent: (limit) => turns.take(() => recent(settings, limit)),
    settled: () => turns.take(async () => {}),
  };
}

/** False: another agent was at work meanwhile (it put a shorter file in this one's place, or its line came after our look), and it must be done again. */
async function append<T>(settings: JournalSettings<T>, entry: T): Promise<boolean> {
  const line = Buffer.from(`${JSON.stringify(entry)}\n`);
  if (line.length > settings.maxBytes / LINE_SHARE) throw new DiagError('BAD_INPUT', { why: `a journal line has ${line.length} bytes` });
  await mkdir(dirname(settings.path), { recursive: true });
  const file = await open(settings.path, 'a+', 0o600);
  let kept: Buffer;
  let sizeBytes: number;
  try {
    sizeBytes = (await file.stat()).size;
    const torn = sizeBytes > 0 && (await read(file, sizeBytes - 1, 1))[0] !== NEWLINE;
    const whole = torn ? Buffer.concat([Buffer.of(NEWLINE), line]) : line;
    if (sizeBytes + whole.length <= settings.maxBytes * ((settings.leads?.() ?? true) ? 1 : 2)) {
      await file.write(whole);
      return await isStill(file, settings.path);
    }
    kept = await newerHalf(file, sizeBytes, settings.maxBytes);
  } finally {
    await file.close();                                        // before the rename: Windows does not replace an open file
  }
  return await replaced(settings, Buffer.concat([kept, line]), sizeBytes);
}

/** Puts the shorter file in place unless another agent has appended since it was read; what another appends in the instant between look and rename is lost, once in some thousands of lines at worst. */
async function replaced<T>({ path, owner }: JournalSettings<T>, content: Buffer, sizeBytes: number): Promise<boolean> {
  const half = `${path}.${owner}-${process.pid}-half.tmp`;
  await writeAtomic(half, content, { owner });
  if ((await stat(path)).size !== sizeBytes) {
    await rm(half, { force: true });
    return false;
  }
  await renameOver(half, path);
  return true;
}

async function isStill(file: FileHandle, path: string): Promise<boolean> {
  try {
    return (await file.stat()).ino === (await stat(path)).ino;
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Whole lines of the last half of the bound. */
async function newerHalf(file: FileHandle, sizeBytes: number, maxBytes: number): Promise<Buffer> {
  const keptBytes = Math.min(sizeBytes, Math.floor(maxBytes / 2));
  const tail = await read(file, sizeBytes - keptBytes, keptBytes);
  const first = keptBytes === sizeBytes ? 0 : tail.indexOf(NEWLINE) + 1;
  const end = tail.lastIndexOf(NEWLINE) + 1;
  return tail.subarray(first, Math.max(first, end));
}

async function recent<T>(settings: JournalSettings<T>, limit: number): Promise<{ entries: T[]; unreadable: number }> {
  const entries: T[] = [];
  let unreadable = 0;
  let file: FileHandle;
  try {
    file = await open(settings.path, 'r');
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return { entries, unreadable };
    throw error;
  }
  try {
    for await (const line of linesBackwards(file, (await file.stat()).size, settings.maxBytes)) {
      if (entries.length >= limit) break;
      const entry = parse(settings.schema, line);
      if (entry === undefined) unreadable += 1; else entries.push(entry);
    }
  } finally {
    await file.close();
  }
  return { entries, unreadable };
}

/** Lines from the newest to the oldest; empty ones are passed over. A file beyond its bound was not made by us: of it only the end is read. */
async function* linesBackwards(file: FileHandle, sizeBytes: number, maxBytes: number): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let from = sizeBytes;
  const end = Math.max(0, sizeBytes - maxBytes);
  while (from > end) {
    const take = Math.min(PIECE_BYTES, from - end);
    from -= take;
    rest = Buffer.concat([await read(file, from, take), rest]);
    let to = rest.length;
    for (let at = rest.lastIndexOf(NEWLINE); at >= 0; at = at > 0 ? rest.lastIndexOf(NEWLINE, at - 1) : -1) {
      if (to > at + 1) yield rest.subarray(at + 1, to);
      to = at;
    }
    rest = rest.subarray(0, to);
  }
  if (rest.length > 0 && end === 0) yield rest;
}

function parse<T>(schema: z.ZodType<T>, line: Buffer): T | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

async function read(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(buffer, 0, bytes, at);
  return buffer.subarray(0, bytesRead);
}
