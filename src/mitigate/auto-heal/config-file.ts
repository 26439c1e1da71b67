// Owns a web.config on disk: read whole, changed only as it was read, backed up before, brought back byte for byte.
import { realpath, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { plainRules, sameRules, type AutoHealCheck, type AutoHealNote, type AutoHealRules, type AutoHealView, type BackupView, type DiffView } from '../../shared/auto-heal.ts';
import { DiagError } from '../../shared/errors.ts';
import { codeIn, writeAtomic } from '../../store/atomic.ts';
import { Backups, sha256, type KeptBackup } from './backups.ts';
import { MAX_FILE_BYTES } from './encoding.ts';
import { lineDiff } from './line-diff.ts';
import { notesFor, openWebConfig, sayable, unsaid, withRules, XmlFault, type WebConfig } from './web-config.ts';

export interface ConfigFileGiven {
  readonly path: string;
  readonly backups: Backups;
  now(): number;
  /** Why it must not be written here; undefined: it may. */
  refusal(exists: boolean): string | undefined;
  /** Hides secrets in the lines that are shown. */
  readonly mask?: (text: string) => string;
}

/** `left`: what was not written, since web.config has no words for it; each a sentence. */
export interface Written { readonly changed: boolean; readonly backup?: BackupView; readonly diff: DiffView; readonly left: string[] }
export const NO_FILE = 'none';
const RESTARTS: AutoHealNote = { level: 'note', on: 'file', says: 'A change of web.config restarts the app: requests in flight may fail, and the next ones wait for the start.' };
/** What the folder of a site that runs from a package, or a file of another user, answers to a write. */
const CLOSED: readonly string[] = ['EROFS', 'EACCES', 'EPERM', 'EBUSY'];

interface Look { readonly bytes: Uint8Array | undefined; readonly etag: string; readonly path: string; readonly mode?: number }

export class ConfigFile {
  readonly #given: ConfigFileGiven;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(given: ConfigFileGiven) {
    this.#given = given;
  }

  async view(): Promise<AutoHealView> {
    const look = await this.#look();
    const backups = await this.#given.backups.list(look.path);
    const shared = { file: this.#given.path, etag: look.etag, exists: look.bytes !== undefined, backups, ...optional('refused', this.#given.refusal(look.bytes !== undefined)) };
    try {
      const config = openWebConfig(look.bytes);
      const { rules } = config.read;
      const blind = look.bytes === undefined ? [] : [RESTARTS];
      return { ...shared, encoding: config.decoded.encoding, enabled: rules.triggers !== undefined && rules.actions !== undefined, rules: plainRules(rules), notes: [...notesFor(config, rules, look.bytes?.length ?? 0), ...blind] };
    } catch (error) {
      if (!(error instanceof XmlFault)) throw error;
      return { ...shared, unreadable: error.message, enabled: false, rules: {}, notes: [] };
    }
  }

  async check(rules: AutoHealRules, leaveOut: boolean): Promise<AutoHealCheck> {
    const { look, config } = await this.#open();
    const wanted = leaveOut ? sayable(rules, config.read.places) : plainRules(rules);
    const said = sayable(rules, config.read.places);
    const bytes = this.#changed(config, said);
    return { etag: look.etag, rules: wanted, changes: bytes !== undefined, notes: [...notesFor(config, wanted, bytes?.length ?? look.bytes?.length ?? 0), RESTARTS], unsaid: unsaid(rules, config.read.places), refused: unsaid({ triggers: rules.triggers }, config.read.places), diff: this.#diff(look.bytes, bytes ?? look.bytes) };
  }

  /** @throws AUTO_HEAL_BAD, AUTO_HEAL_UNSAID, AUTO_HEAL_REFUSED, AUTO_HEAL_UNREADABLE, AUTO_HEAL_CHANGED */
  write(rules: AutoHealRules, etag: string | undefined, leaveOut: boolean, why: string): Promise<Written> {
    return this.#alone(async () => {
      const { look, config } = await this.#open(etag);
      const left = unsaid(rules, config.read.places);
      // A trigger that is missing or counts on other paths heals something else; the least age alone is left out aloud.
      const broken = unsaid({ triggers: rules.triggers }, config.read.places);
      if (broken.length > 0 && !leaveOut) throw new DiagError('AUTO_HEAL_UNSAID', { what: broken.join(' ') });
      const wanted = sayable(rules, config.read.places);
      const wrong = sameRules(wanted, config.read.rules) ? [] : notesFor(config, wanted, 0).filter(({ level }) => level === 'error');
      if (wrong.length > 0) throw new DiagError('AUTO_HEAL_BAD', { why: wrong.map(({ on, says, source }) => `${on}: ${says}${source === undefined ? '' : ` (${source})`}`).join(' ') });
      const bytes = this.#changed(config, wanted);
      if (bytes === undefined) return { changed: false, diff: this.#diff(look.bytes, look.bytes), left };
      return { ...await this.#put(look, bytes, why), left };
    });
  }

  /** What restoring would change. @throws BACKUP_UNKNOWN */
  async compare(id: string): Promise<{ backup: BackupView; etag: string; diff: DiffView }> {
    const look = await this.#look();
    const { backup, bytes } = await this.#given.backups.read(id, look.path);
    return { backup, etag: look.etag, diff: this.#diff(look.bytes, bytes) };
  }

  /** `id` undefined: the newest. The file as it is now is backed up first: a restore can be taken back. */
  restore(id: string | undefined, etag: string | undefined, why: string): Promise<Written> {
    return this.#alone(async () => {
      const look = await this.#look();
      this.#unchanged(look, etag);
      const { bytes } = await this.#kept(id, look.path);
      if (same(bytes, look.bytes)) return { changed: false, diff: this.#diff(look.bytes, bytes), left: [] };
      return this.#put(look, bytes, why);
    });
  }

  async #kept(id: string | undefined, path: string): Promise<KeptBackup> {
    const wanted = id ?? (await this.#given.backups.list(path))[0]?.id;
    if (wanted === undefined) throw new DiagError('BACKUP_UNKNOWN', { backup: 'at all' });
    return this.#given.backups.read(wanted, path);
  }

  async #put(look: Look, bytes: Uint8Array | undefined, why: string): Promise<Written> {
    const { backups, now, path: file } = this.#given;
    const refusal = this.#given.refusal(look.bytes !== undefined);
    if (refusal !== undefined) throw new DiagError('AUTO_HEAL_REFUSED', { file, why: refusal });
    const backup = await backups.keep(look.path, look.bytes, now(), why);
    this.#unchanged(await this.#look(), look.etag);               // somebody's deployment may have come while the backup was written
    try {
      if (bytes === undefined) await rm(look.path);
      else await writeAtomic(look.path, bytes, { owner: 'auto-heal', ...(look.mode === undefined ? { mode: 0o644 } : { mode: look.mode }) });
    } catch (error) {
      if (CLOSED.includes(codeIn(error))) throw new DiagError('AUTO_HEAL_REFUSED', { file, why: `it cannot be written (${codeIn(error)})` }, { cause: error });
      throw error;
    }
    return { changed: true, backup, diff: this.#diff(look.bytes, bytes), left: [] };
  }

  async #open(etag?: string): Promise<{ look: Look; config: WebConfig }> {
    const look = await this.#look();
    this.#unchanged(look, etag);
    return { look, config: this.#readable(() => openWebConfig(look.bytes)) };
  }

  #changed(config: WebConfig, wanted: AutoHealRules): Uint8Array | undefined {
    return this.#readable(() => withRules(config, wanted));
  }

  #readable<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof XmlFault) throw new DiagError('AUTO_HEAL_UNREADABLE', { file: this.#given.path, why: error.message }, { cause: error });
      throw error;
    }
  }

  #unchanged(look: Look, etag: string | undefined): void {
    if (etag !== undefined && etag !== look.etag) throw new DiagError('AUTO_HEAL_CHANGED', { file: this.#given.path });
  }

  async #look(): Promise<Look> {
    const { path: named } = this.#given;
    try {
      const path = await realpath(named);                         // a link stays a link: what it leads to is changed
      const { size, mode } = await stat(path);
      if (size > MAX_FILE_BYTES) throw new DiagError('AUTO_HEAL_UNREADABLE', { file: named, why: `it has ${size} bytes, more than a web.config may have` });
      const bytes = await readFile(path);
      return { bytes, etag: sha256(bytes).slice(0, 32), path, mode };
    } catch (error) {
      if (codeIn(error) === 'ENOENT') return { bytes: undefined, etag: NO_FILE, path: await placeOf(named) };
      if (['EISDIR', 'EACCES', 'ENOTDIR', 'ELOOP'].includes(codeIn(error))) throw new DiagError('AUTO_HEAL_UNREADABLE', { file: named, why: `it cannot be read (${codeIn(error)})` }, { cause: error });
      throw error;
    }
  }

  /** Of bytes that are no text of ours, as a backup may be, each byte is shown as it is. */
  #diff(before: Uint8Array | undefined, after: Uint8Array | undefined): DiffView {
    return lineDiff(shown(before), shown(after), this.#given.mask);
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

/** Where a file would stand that is not there: named as it will be once it is. */
async function placeOf(path: string): Promise<string> {
  try {
    return join(await realpath(dirname(path)), basename(path));
  } catch (error) {
    if (codeIn(error) === 'ENOENT') throw new DiagError('AUTO_HEAL_UNREADABLE', { file: path, why: 'its folder is not there' }, { cause: error });
    throw error;
  }
}

function shown(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return '';
  try {
    return openWebConfig(bytes).decoded.text;
  } catch (error) {
    if (error instanceof XmlFault) return new TextDecoder(bytes[0] === 0xff ? 'utf-16le' : bytes[0] === 0xfe ? 'utf-16be' : 'utf-8').decode(bytes);
    throw error;
  }
}

const same = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean => (a === undefined || b === undefined ? a === b : Buffer.from(a).equals(b));
const optional = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } => (value === undefined ? {} : { [key]: value } as { [P in K]?: V });
