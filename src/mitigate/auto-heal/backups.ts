// Owns the backups of configuration files before they are changed: the bytes as they were, beside where from, when and their hash.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupId, BackupView } from '../../shared/auto-heal.ts';
import { DiagError } from '../../shared/errors.ts';
import { codeIn, namesIn, writeAtomic } from '../../store/atomic.ts';

/** Below our own folder of the home. */
export const BACKUPS_FOLDER = 'auto-heal';
/** Of one file, and of all: the oldest go. */
const KEPT_OF_FILE = 20, KEPT_OF_ALL = 100;

export interface KeptBackup { readonly backup: BackupView; readonly bytes: Uint8Array | undefined }

export class Backups {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Newest first; all files, or one. */
  async list(file?: string): Promise<BackupView[]> {
    const ids = (await namesIn(this.#folder)).flatMap((name) => (name.endsWith('.json') && BackupId.safeParse(name.slice(0, -5)).success ? [name.slice(0, -5)] : []));
    const all = await Promise.all(ids.map((id) => this.#known(id)));
    return all.filter((one): one is BackupView => one !== undefined && (file === undefined || one.file === file)).sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  }

  /** @throws BACKUP_UNKNOWN, AUTO_HEAL_REFUSED when its bytes are not those that were kept */
  async read(id: string, file: string): Promise<KeptBackup> {
    const backup = BackupId.safeParse(id).success ? await this.#known(id) : undefined;
    if (backup === undefined || backup.file !== file) throw new DiagError('BACKUP_UNKNOWN', { backup: id.slice(0, 40) });
    if (!backup.existed) return { backup, bytes: undefined };
    const bytes = await this.#bytes(backup);
    if (bytes === undefined || sha256(bytes) !== backup.sha256) throw new DiagError('AUTO_HEAL_REFUSED', { file, why: `the backup ${id} is damaged` });
    return { backup, bytes };
  }

  /** `bytes` undefined: there was no file. What the newest backup holds already is not kept twice. */
  async keep(file: string, bytes: Uint8Array | undefined, at: number, why: string): Promise<BackupView> {
    const hash = sha256(bytes ?? new Uint8Array());
    const known = await this.list();
    const newest = known.find((one) => one.file === file);
    if (newest?.sha256 === hash && newest.existed === (bytes !== undefined)) return newest;
    let id = idOf(at, hash);
    for (let later = at + 1; known.some((one) => one.id === id); later += 1) id = idOf(later, hash);
    const backup: BackupView = { id, at, file, sha256: hash, bytes: bytes?.length ?? 0, existed: bytes !== undefined, why };
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    if (bytes !== undefined) await writeAtomic(this.#path(id, 'config'), bytes);
    await writeAtomic(this.#path(id, 'json'), `${JSON.stringify(backup, null, 2)}\n`);
    await this.#drop([backup, ...known]);
    return backup;
  }

  async #drop(newestFirst: readonly BackupView[]): Promise<void> {
    const of = new Map<string, number>();
    const gone = newestFirst.filter(({ file }, i) => {
      const n = (of.get(file) ?? 0) + 1;
      of.set(file, n);
      return n > KEPT_OF_FILE || i >= KEPT_OF_ALL;
    });
    for (const { id } of gone) for (const ending of ['json', 'config'] as const) await rm(this.#path(id, ending), { force: true });
  }

  /** A record that is no longer readable is no backup: its bytes could not be trusted. */
  async #known(id: string): Promise<BackupView | undefined> {
    try {
      const read = BackupView.safeParse(JSON.parse(await readFile(this.#path(id, 'json'), 'utf8')));
      return read.success && read.data.id === id ? read.data : undefined;
    } catch (error) {
      if (error instanceof SyntaxError || codeIn(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #bytes({ id }: BackupView): Promise<Uint8Array | undefined> {
    try {
      return await readFile(this.#path(id, 'config'));
    } catch (error) {
      if (codeIn(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  #path(id: string, ending: 'json' | 'config'): string { return join(this.#folder, `${id}.${ending}`); }
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** "20261121T021407123-0f8fad5b" */
function idOf(at: number, hash: string): string {
  return `${new Date(at).toISOString().replace(/[-:.Z]/g, '')}-${hash.slice(0, 8)}`;
}
