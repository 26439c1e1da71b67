// Owns which logs there are: their ids, paths and kinds. An id leads to a path here and nowhere else.
import { createHash } from 'node:crypto';
import { readdir, realpath } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import type { LogSourceInfo } from '../../shared/model.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Folders } from '../../platform/platform.ts';
import { isGone, realInside, stateAt } from './file.ts';
import { isAppLog, isLog, kindOf, SKIPPED_FOLDERS } from './kinds.ts';

/** What the page can list; the newest are kept, the rest is counted. */
const MAX_SOURCES = 2_000;
/** Names looked at per refresh: a share answers a few thousand a second, and a site may keep a million files. */
const MAX_LOOKED_AT = 10_000;
/** Ids that still lead to their path after the file went (a tail waits for its return). */
const MAX_REMEMBERED = 8_000;
const FRESH_MS = 3_000;
/** Kudu's and DaaS's folders nest four deep. */
const LOGS_DEPTH = 6;
const SITE_DEPTH = 3;

interface Listed { readonly info: LogSourceInfo; readonly path: string }
interface Root { readonly folder: string; readonly depth: number; readonly wanted: (path: string) => boolean }

export class Catalog {
  readonly #folders: Folders;
  readonly #clock: Clock;
  readonly #paths = new Map<string, string>();
  #scan: Promise<{ sources: LogSourceInfo[]; more: number }> | undefined;
  #scannedAt = -Infinity;
  #roots: readonly string[] = [];

  constructor(folders: Folders, clock: Clock) {
    this.#folders = folders;
    this.#clock = clock;
  }

  /** The real folders that symbolic links may lead into, as of the last refresh. */
  get roots(): readonly string[] { return this.#roots; }

  /** All logs, the most recently written first; at most FRESH_MS old, or as of now. */
  async list(signal: AbortSignal, fresh = false): Promise<{ readonly sources: readonly LogSourceInfo[]; readonly more: number }> {
    signal.throwIfAborted();
    const now = this.#clock.monotonic();
    if (!this.#scan || fresh || now - this.#scannedAt >= FRESH_MS) {
      this.#scannedAt = now;
      // Shared by all who ask meanwhile, so nobody's signal ends it; it is bounded by itself.
      this.#scan = this.#refresh();
      this.#scan.catch(() => { this.#scan = undefined; });
    }
    return this.#scan;
  }

  /** The path of an id; undefined when no log has it. A log that was listed once keeps its path while it is away. */
  async find(source: string, signal: AbortSignal): Promise<string | undefined> {
    if (!this.#paths.has(source)) await this.list(signal);
    return this.#paths.get(source);
  }

  async #refresh(): Promise<{ sources: LogSourceInfo[]; more: number }> {
    const { logs, site } = this.#folders;
    this.#roots = await realFolders([logs, site]);
    const found = { paths: [] as string[], looked: 0, left: 0 };
    const wanted: readonly Root[] = [
      { folder: logs, depth: LOGS_DEPTH, wanted: isLog },
      { folder: site, depth: SITE_DEPTH, wanted: (path) => isAppLog(relative(site, path)) },
    ];
    for (const root of wanted) await this.#walk(root, root.folder, 0, found);
    const listed: Listed[] = [];
    for (const path of found.paths) {
      const one = await this.#look(path);
      if (one) listed.push(one);
    }
    listed.sort((a, b) => b.info.changedAt - a.info.changedAt || (a.info.title < b.info.title ? -1 : 1));
    const kept = listed.slice(0, MAX_SOURCES);
    this.#remember(kept);
    return { sources: kept.map((one) => one.info), more: listed.length - kept.length + found.left };
  }

  async #walk(root: Root, folder: string, depth: number, found: { paths: string[]; looked: number; left: number }): Promise<void> {
    let entries;
    try {
      entries = await readdir(folder, { withFileTypes: true });
    } catch (error) {
      if (isGone(error) || (error as NodeJS.ErrnoException).code === 'EACCES') return;
      throw error;
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = join(folder, entry.name);
      found.looked += 1;
      if (entry.isDirectory()) {
        if (depth + 1 < root.depth && !this.#skips(entry.name, path) && found.looked <= MAX_LOOKED_AT) await this.#walk(root, path, depth + 1, found);
      } else if ((entry.isFile() || entry.isSymbolicLink()) && root.wanted(path)) {
        if (found.looked > MAX_LOOKED_AT) found.left += 1;
        else found.paths.push(path);
      }
    }
  }

  #skips(name: string, path: string): boolean {
    const { data, own } = this.#folders;
    return SKIPPED_FOLDERS.has(name) || path === own || path === data;
  }

  async #look(path: string): Promise<Listed | undefined> {
    const real = await realInside(path, this.roots);
    const state = real === undefined ? undefined : await stateAt(real);
    if (!state) return undefined;
    const below = this.#below(path);
    return { path, info: { id: idOf(below.key), title: below.title, kind: kindOf(below.key), sizeBytes: state.sizeBytes, changedAt: state.changedAt } };
  }

  #below(path: string): { key: string; title: string } {
    const { logs, site } = this.#folders;
    const inLogs = relative(logs, path);
    if (!inLogs.startsWith('..')) { const title = inLogs.split(sep).join('/'); return { key: `LogFiles/${title}`, title }; }
    const key = `site/wwwroot/${relative(site, path).split(sep).join('/')}`;
    return { key, title: key };
  }

  #remember(listed: readonly Listed[]): void {
    for (const { info, path } of listed) {
      this.#paths.delete(info.id);
      this.#paths.set(info.id, path);
    }
    for (const id of this.#paths.keys()) {
      if (this.#paths.size <= MAX_REMEMBERED) break;
      this.#paths.delete(id);
    }
  }
}

async function realFolders(folders: readonly string[]): Promise<string[]> {
  const real: string[] = [];
  for (const folder of folders) {
    try {
      real.push(await realpath(folder));
    } catch (error) {
      if (!isGone(error)) throw error; // not made yet: nothing lies in it
    }
  }
  return real;
}

/** The same path has the same id on every instance and after every start. */
function idOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}

/** Is this the platform's virtual event log? */
export function isEventLog(path: string, folders: Folders): boolean {
  return path === join(folders.logs, 'eventlog.xml') && basename(path) === 'eventlog.xml';
}
