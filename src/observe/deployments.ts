// Owns what site/deployments says: each deployment as a change.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { maskText } from '../shared/mask.ts';
import type { Change } from '../shared/model.ts';

/** Kudu keeps about this many and more; the newest folders count. */
const MAX_DEPLOYMENTS = 60;
const MAX_STATUS_BYTES = 64 * 1024;
const MAX_DETAIL = 200;

/** Follows the status files of a folder of deployments: each that is new or has changed since the last look becomes a change. */
export class Deployments {
  readonly #folder: string;
  readonly #seen = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async look(signal: AbortSignal): Promise<readonly Change[]> {
    const found: Change[] = [];
    const ids = await folders(this.#folder);
    for (const id of this.#seen.keys()) if (!ids.includes(id)) this.#seen.delete(id);
    for (const id of ids) {
      signal.throwIfAborted();
      const path = join(this.#folder, id, 'status.xml');
      const changedAt = await timeOf(path);
      if (changedAt === undefined || this.#seen.get(id) === changedAt) continue;
      const text = await textOf(path, signal);
      this.#seen.set(id, changedAt);
      const change = text === undefined ? undefined : deploymentChange(id, text, changedAt);
      if (change !== undefined) found.push(change);
    }
    return found;
  }
}

/** The change a status.xml tells; undefined while it is not whole, or for Kudu's temporary ones. */
export function deploymentChange(id: string, xml: string, changedAt: number): Change | undefined {
  if (!/<\/deployment>\s*$/.test(xml)) return undefined;
  const field = (name: string): string | undefined => element(xml, name);
  if (field('is_temp')?.toLowerCase() === 'true') return undefined;
  const times = ['endTime', 'lastSuccessEndTime', 'startTime', 'receivedTime'].map((name) => Date.parse(field(name) ?? '')).filter((at) => at > 0);
  const status = field('status')?.toLowerCase();
  const failed = status === 'failed' || status === '3';
  const going = status === 'pending' || status === 'building' || status === 'deploying' || status === '0' || status === '1' || status === '2';
  // Kudu writes N/A for what it does not know.
  const by = [field('author'), field('deployer')].find((name) => name !== undefined && name !== 'N/A');
  const message = field('message');
  const says = failed ? 'failed' : going ? 'is running' : 'finished';
  return {
    id: `deployment:${cut(id, 80)}`, at: Math.floor(times[0] ?? changedAt), kind: 'deployment', level: failed ? 'warning' : 'neutral',
    title: `Deployment ${cut(id, 10)}${by === undefined ? '' : ` by ${cut(clean(by), 60)}`} ${says}`,
    ...(message === undefined ? {} : { detail: cut(clean(message), MAX_DETAIL) }),
  };
}

/** The text of a simple element: status.xml has no others of interest. */
function element(xml: string, name: string): string | undefined {
  const begin = xml.indexOf(`<${name}>`);
  const end = xml.indexOf(`</${name}>`, begin);
  if (begin < 0 || end < 0) return undefined;
  const text = xml.slice(begin + name.length + 2, end).trim();
  return text === '' ? undefined : text.replace(/&(?:lt|gt|quot|apos|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}
const ENTITIES: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': '\'', '&amp;': '&' };

const clean = (text: string): string => maskText(text.split(/\r?\n/, 1)[0] ?? '').text;
const cut = (text: string, max: number): string => text.length > max ? `${text.slice(0, max - 1)}…` : text;

async function folders(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const ids = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    if (ids.length <= MAX_DEPLOYMENTS) return ids;
    const dated = await Promise.all(ids.map(async (id) => ({ id, at: await timeOf(join(folder, id)) ?? 0 })));
    return dated.sort((a, b) => b.at - a.at).slice(0, MAX_DEPLOYMENTS).map((one) => one.id);
  } catch (error) {
    if (gone(error)) return [];
    throw error;
  }
}

async function timeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (gone(error)) return undefined;
    throw error;
  }
}

async function textOf(path: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return (await readFile(path, { encoding: 'utf8', signal })).slice(0, MAX_STATUS_BYTES);
  } catch (error) {
    if (gone(error)) return undefined;
    throw error;
  }
}

function gone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
