// Owns which files a list of paths means: files as they are, folders with all they hold.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DiagError } from '../../../shared/errors.ts';
import { isGone } from '../files.ts';

/** A site keeps some hundred logs; a folder that holds more was named by mistake. */
const MAX_FILES = 10_000;
const MAX_DEPTH = 8;

export interface NamedFile { readonly path: string; /** Found in a folder, not named itself: it may be no log at all. */ readonly found: boolean }

/** Sorted by name within a folder; hidden files are left out. @throws NOT_FOUND, NO_HTTP_LOG, TOO_MANY */
export async function filesIn(paths: readonly string[], signal: AbortSignal): Promise<readonly NamedFile[]> {
  const files: NamedFile[] = [];
  for (const path of paths) await add(path, false, 0, files, signal);
  const seen = new Set<string>();
  const once = files.filter(({ path }) => !seen.has(path) && seen.add(path));
  if (once.length === 0) throw new DiagError('NO_HTTP_LOG', { where: paths.join(', '), why: 'there is no file' });
  return once;
}

async function add(path: string, found: boolean, depth: number, files: NamedFile[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const kind = await kindOf(path, found);
  if (kind === 'file') files.push({ path, found });
  if (files.length > MAX_FILES) throw new DiagError('TOO_MANY', { what: 'files in these folders', limit: MAX_FILES });
  if (kind !== 'folder' || depth >= MAX_DEPTH) return;
  for (const name of (await readdir(path)).sort()) if (!name.startsWith('.')) await add(join(path, name), true, depth + 1, files, signal);
}

async function kindOf(path: string, found: boolean): Promise<'file' | 'folder' | 'other'> {
  try {
    const seen = await stat(path);
    return seen.isDirectory() ? 'folder' : seen.isFile() ? 'file' : 'other';
  } catch (error) {
    if (!isGone(error)) throw error;
    // A link into nowhere.
    if (found) return 'other';
    throw new DiagError('NOT_FOUND', { path }, { cause: error });
  }
}
