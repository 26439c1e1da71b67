// Owns the home folder: App Service's layout, the instance that lives in it, and the places of everything written there.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from './files.ts';

export interface Home {
  readonly root: string;
  readonly logFiles: string;
  readonly rawLogs: string;
  readonly application: string;
  readonly wwwroot: string;
  readonly deployments: string;
  /** What only the local App Service itself reads: who the instance is, who runs. */
  readonly own: string;
  readonly instance: Instance;
}

export interface Instance {
  /** 64 hex digits; the first six are the short form in file names. */
  readonly id: string;
  readonly computer: string;
}

const folders = [
  'LogFiles/http/RawLogs', 'LogFiles/Application', 'LogFiles/DetailedErrors', 'LogFiles/kudu/trace',
  'site/wwwroot', 'site/deployments', 'data/DaaS/Logs', 'data/DaaS/Reports', 'data/DaaS/diag',
];

/** Lays out the home, or finds it as it was: the instance stays the same over restarts. */
export async function openHome(root: string): Promise<Home> {
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true });
  const own = join(root, '.local');
  return {
    root,
    logFiles: join(root, 'LogFiles'),
    rawLogs: join(root, 'LogFiles', 'http', 'RawLogs'),
    application: join(root, 'LogFiles', 'Application'),
    wwwroot: join(root, 'site', 'wwwroot'),
    deployments: join(root, 'site', 'deployments'),
    own,
    instance: await instanceIn(join(own, 'instance.json')),
  };
}

async function instanceIn(path: string): Promise<Instance> {
  const id = await readId(path);
  if (id !== undefined) return { id, computer: computerOf(id) };
  const fresh = randomBytes(32).toString('hex');
  await writeWhole(path, `${JSON.stringify({ id: fresh })}\n`);
  return { id: fresh, computer: computerOf(fresh) };
}

async function readId(path: string): Promise<string | undefined> {
  try {
    const found: unknown = JSON.parse(await readFile(path, 'utf8'));
    const id = typeof found === 'object' && found !== null && 'id' in found ? found.id : undefined;
    return typeof id === 'string' && /^[0-9a-f]{64}$/.test(id) ? id : undefined;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' || cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

/** Workers are named like `RD0003FF1A2B3C`: made from the id, so that it stays with it. */
function computerOf(id: string): string {
  return `RD${createHash('sha256').update(id).digest('hex').slice(0, 12).toUpperCase()}`;
}
