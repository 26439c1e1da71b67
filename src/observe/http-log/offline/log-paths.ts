// Owns which files a list of paths means: files as they are, folders with all they hold, each once however many names lead to it.
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DiagError, sayError } from '../../../shared/errors.ts';
import { isGone } from '../files.ts';

/** A site keeps some hundred logs; a folder that holds more was named by mistake. */
const MAX_FILES = 10_000;
const MAX_DEPTH = 8;

export interface NamedFile { readonly path: string; /** Found in a folder, not named itself: it may be no log at all. */ readonly found: boolean; /** Why nothing below the path can be read. */ readonly why?: string }

/** Where a walk has been, by the names without links: a folder with a link to itself, or a log named twice, counts once. */
interface Walk { readonly files: NamedFile[]; readonly been: Set<string>; readonly signal: AbortSignal }

/** Sorted by name within a folder; hidden files are left out. @throws NOT_FOUND, NO_HTTP_LOG, TOO_MANY */
export async function filesIn(paths: readonly string[], signal: AbortSignal): Promise<readonly NamedFile[]> {
  const walk: Walk = { files: [], been: new Set(), signal };
  for (const path of paths) await add(path, false, 0, walk);
  if (walk.files.length === 0) throw new DiagError('NO_HTTP_LOG', { where: paths.join(', '), why: 'there is no file' });
  return walk.files;
}

async function add(path: string, found: boolean, depth: number, walk: Walk): Promise<void> {
  const { files, been, signal } = walk;
  signal.throwIfAborted();
  if (files.length > MAX_FILES) throw new DiagError('TOO_MANY', { what: 'files in these folders', limit: MAX_FILES });
  try {
    const seen = await stat(path);
    const real = await realName(path);
    if (been.has(real)) return;
    been.add(real);
    if (seen.isFile()) files.push({ path, found });
    if (!seen.isDirectory() || depth >= MAX_DEPTH) return;
    for (const name of (await readdir(path)).sort()) if (!name.startsWith('.')) await add(join(path, name), true, depth + 1, walk);
  } catch (error) {
    if (error instanceof DiagError || signal.aborted) throw error;
    if (!isGone(error)) { files.push({ path, found, why: sayError(error) }); return; }
    // Found and gone: a link into nowhere, or rotated away meanwhile.
    if (!found) throw new DiagError('NOT_FOUND', { path }, { cause: error });
  }
}

/** What lies there is there (stat said so): a share that does not tell its final names (Windows, some of them) is taken by the name given. */
async function realName(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return resolve(path);
    throw error;
  }
}
