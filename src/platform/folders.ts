// Owns the folders of the home: where they lie, and that they exist and can be written before anything else starts.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DiagError } from '../shared/errors.ts';
import type { Folders } from './platform.ts';

/** Where everything lies below a home. The temp folder is per home, so that two agents of one machine never sweep each other's drafts. */
export function foldersOf(home: string, temp = tmpdir()): Folders {
  const root = resolve(home);
  const mark = createHash('sha256').update(root).digest('hex').slice(0, 8);
  const kept = join(root, 'data', 'DaaS');
  return {
    home: root,
    logs: join(root, 'LogFiles'),
    site: join(root, 'site', 'wwwroot'),
    deployments: join(root, 'site', 'deployments'),
    data: kept,
    own: join(kept, 'diag'),
    temp: join(resolve(temp), `app-service-diag-${mark}`),
  };
}

/** Makes the layout where it is missing and proves that our own folder can be written, or could be were the disk not full. @throws HOME_UNUSABLE */
export async function ensureFolders(folders: Folders): Promise<void> {
  const must = [folders.home, join(folders.data, 'Logs'), join(folders.data, 'Reports'), folders.own, folders.temp];
  for (const path of must) await make(path, folders.home);
  // These belong to the site; a site that runs from a package has them read-only, and we only read there.
  for (const path of [folders.logs, folders.site, folders.deployments]) await makeIfAllowed(path, folders.home);
  await probe(folders);
}

async function make(path: string, home: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new DiagError('HOME_UNUSABLE', { home, why: `${path} cannot be made (${code(error)})` }, { cause: error });
  }
}

async function makeIfAllowed(path: string, home: string): Promise<void> {
  try {
    await make(path, home);
  } catch (error) {
    const cause = error instanceof DiagError ? error.cause : error;
    if (!['EACCES', 'EPERM', 'EROFS'].includes(code(cause))) throw error;
  }
}

async function probe(folders: Folders): Promise<void> {
  const file = join(folders.own, `.probe-${randomBytes(6).toString('hex')}`);
  try {
    await writeFile(file, 'x', { flag: 'wx' });
    await rm(file);
  } catch (error) {
    // A full disk is a reason why a site fails: who looks for it must be able to start us. What cannot be written is counted then.
    if (isFull(error)) { await rm(file, { force: true }); return; }
    throw new DiagError('HOME_UNUSABLE', { home: folders.home, why: `${folders.own} cannot be written (${code(error)})` }, { cause: error });
  }
}

/** No room on the disk, or none within the site's quota. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(code(error));
}

function code(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
