// Owns which files belong to the diagnostic dump and to which provider: all below LogFiles and the deployments, found without following links.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogProviderId } from '../../shared/log-bundle.ts';
import type { Folders } from '../../platform/platform.ts';
import { codeIn } from '../../store/atomic.ts';

export interface Found { readonly provider: LogProviderId; /** Its name in the zip. */ readonly name: string; readonly path: string; readonly sizeBytes: number; readonly changedAt: number }
export interface Unseen { readonly provider: LogProviderId; readonly name: string; readonly why: string }
/** `more`: names that were not looked at any more. */
export interface Survey { readonly files: readonly Found[]; readonly unseen: readonly Unseen[]; readonly more: number }

/** A share answers a few thousand names a second. */
const MAX_NAMES = 50_000;
const MAX_DEPTH = 12;

export const TITLES: Readonly<Record<LogProviderId, string>> = {
  'http-log': 'HTTP log', 'event-log': 'Event log', 'failed-request-traces': 'Failed request traces', 'detailed-errors': 'Detailed error pages',
  'application-log': 'Application logs', 'php-log': 'PHP error log', 'container-log': 'Container logs', 'kudu-log': 'Logs of Kudu and of transforms', deployments: 'Deployments', 'npm-log': 'npm debug log', 'other-log': 'Other files below LogFiles',
};

/** By the path below LogFiles, the first that fits. */
const RULES: readonly (readonly [RegExp, LogProviderId])[] = [
  [/^http\//i, 'http-log'],
  [/^eventlog[^/]*\.xml$/i, 'event-log'],
  [/^W3SVC\d+\//i, 'failed-request-traces'],
  [/^DetailedErrors\//i, 'detailed-errors'],
  [/^(?:Application\/|stdout_[^/]*\.log$)/i, 'application-log'],
  [/^php[_-][^/]*\.log$/i, 'php-log'],
  [/^[^/]*docker[^/]*\.log$/i, 'container-log'],
  [/^(?:kudu|Transform|SiteExtensions|Git)\//i, 'kudu-log'],
];

export function providerOf(below: string): LogProviderId {
  return RULES.find(([form]) => form.test(below))?.[1] ?? 'other-log';
}

/** The newest first within each provider, providers in the order of the contract. */
export async function survey(folders: Folders, wanted: ReadonlySet<LogProviderId>, signal: AbortSignal): Promise<Survey> {
  const walk = { files: [] as Found[], unseen: [] as Unseen[], names: 0, more: 0 };
  const logs = [...wanted].some((one) => one !== 'deployments' && one !== 'npm-log');
  if (logs) await into(walk, folders.logs, 'LogFiles', '', 0, (below) => providerOf(below), signal);
  if (wanted.has('deployments')) await into(walk, folders.deployments, 'deployments', '', 0, () => 'deployments', signal);
  if (wanted.has('npm-log')) await look(walk, join(folders.site, 'npm-debug.log'), 'npm-debug.log', 'npm-log', true);
  const rank = [...wanted];
  const files = walk.files.filter(({ provider }) => wanted.has(provider)).sort((a, b) => rank.indexOf(a.provider) - rank.indexOf(b.provider) || b.changedAt - a.changedAt || (a.name < b.name ? -1 : 1));
  return { files, unseen: walk.unseen.filter(({ provider }) => wanted.has(provider)), more: walk.more };
}

interface Walk { readonly files: Found[]; readonly unseen: Unseen[]; names: number; more: number }

async function into(walk: Walk, folder: string, root: string, below: string, depth: number, of: (below: string) => LogProviderId, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (codeIn(error) !== 'ENOENT') walk.unseen.push({ provider: of(`${below}/`), name: `${root}/${below}`, why: `the folder cannot be read (${codeIn(error)})` });
    return;
  }
  for (const entry of entries) {
    walk.names += 1;
    if (walk.names > MAX_NAMES) { walk.more += 1; continue; }
    const here = below === '' ? entry.name : `${below}/${entry.name}`;
    const path = join(folder, entry.name);
    if (entry.isFile()) await look(walk, path, `${root}/${here}`, of(here));
    else if (!entry.isDirectory()) walk.unseen.push({ provider: of(here), name: `${root}/${here}`, why: entry.isSymbolicLink() ? 'it is a link: links are not followed' : 'it is no plain file' });
    else if (depth >= MAX_DEPTH) walk.unseen.push({ provider: of(`${here}/`), name: `${root}/${here}`, why: `it lies more than ${MAX_DEPTH} folders deep` });
    else await into(walk, path, root, here, depth + 1, of, signal);
  }
}

async function look(walk: Walk, path: string, name: string, provider: LogProviderId, mayMiss = false): Promise<void> {
  try {
    const { size, mtimeMs } = await stat(path);
    walk.files.push({ provider, name, path, sizeBytes: size, changedAt: Math.floor(mtimeMs) });
  } catch (error) {
    if (mayMiss && codeIn(error) === 'ENOENT') return;
    walk.unseen.push({ provider, name, why: codeIn(error) === 'ENOENT' ? 'it went away meanwhile' : `it cannot be looked at (${codeIn(error)})` });
  }
}
