// Owns how files are looked at: folders in pages, windows of files of any size as text, a search by bytes, and which of them hold secrets.
import { DiagError } from '../shared/errors.ts';
import { MAX_WINDOW_BYTES, type FileEntry, type FileWindow } from '../shared/files.ts';
import type { FileDoor, Name, Opened, Place } from '../platform/files/index.ts';
import { decode, encode, encodingOf, HEAD_BYTES } from '../platform/files/text.ts';

/** Names of a folder are kept for the pages that follow: so many lists, for so long, as long as the folder was not changed. */
const KEPT_LISTS = 4;
const LIST_FRESH_MS = 30_000;
const SEARCH_BYTES = 256 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

export interface Page { entries: FileEntry[]; total: number; more: boolean; next?: string }
interface Listed { readonly at: number; readonly changedAt: number | undefined; readonly names: readonly Name[]; readonly more: boolean }

export class Pages {
  readonly #door: FileDoor;
  readonly #now: () => number;
  readonly #lists = new Map<string, Listed>();

  constructor(door: FileDoor, now: () => number) { this.#door = door; this.#now = now; }

  /** Folders are not sorted apart: the order is that of the names, so that a page follows from the last name of the one before. */
  async page(place: Place, after: string | undefined, limit: number, signal: AbortSignal): Promise<Page> {
    const { names, more } = await this.#names(place, after !== undefined, signal);
    const from = after === undefined ? 0 : firstAfter(names, after);
    const asked = names.slice(from, from + limit);
    const entries = [...await this.#door.entries(place, asked.map(({ name }) => name), signal)];
    const last = asked.at(-1);
    return { entries, total: names.length, more, ...(last !== undefined && from + limit < names.length ? { next: last.name } : {}) };
  }

  async #names(place: Place, mayBeKept: boolean, signal: AbortSignal): Promise<Listed> {
    const key = `${place.root}:${place.path}`;
    const { modifiedAt: changedAt } = await this.#door.stat(place);
    const kept = this.#lists.get(key);
    if (mayBeKept && kept !== undefined && kept.changedAt === changedAt && this.#now() - kept.at < LIST_FRESH_MS) return kept;
    const listed = { at: this.#now(), changedAt, ...await this.#door.names(place, signal) };
    this.#lists.delete(key);
    this.#lists.set(key, listed);
    for (const old of [...this.#lists.keys()].slice(0, Math.max(0, this.#lists.size - KEPT_LISTS))) this.#lists.delete(old);
    return listed;
  }
}

/** Names are sorted: the first that comes after a text, whether that is still there or not. */
function firstAfter(names: readonly Name[], after: string): number {
  let low = 0, high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle]?.name ?? '') <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Files whose very purpose is to keep secrets. Their content can be downloaded by whoever may sign in; a glance over the shoulder need not show it. */
const SECRET_NAMES = [
  /^\.env(?:\..+)?$/, /\.env$/, /^appsettings(?:\..+)?\.json$/, /^(?:local\.settings|secrets?|credentials?|serviceaccount|parameters|connectionstrings)\.(?:json|ya?ml|xml|config|ini|toml)$/, /^(?:web|app|machine)(?:\..+)?\.config$/,
  /^\.(?:npmrc|netrc|pypirc|htpasswd|pgpass|git-credentials|dockercfg|yarnrc\.yml)$/, /^auth\.json$/, /^(?:id_(?:rsa|dsa|ecdsa|ed25519)|credentials)$/, /\.(?:pem|key|pfx|p12|jks|keystore|ppk|publishsettings|kdbx)$/,
  /^wp-config\.php$/, /^application(?:-.+)?\.(?:properties|ya?ml)$/, /^(?:database|master|secrets)\.(?:ya?ml|key)$/, /^privatesettings\.json$/,
];
export const isSecretFile = (path: string): boolean => { const name = (path.split('/').at(-1) ?? '').toLowerCase(); return SECRET_NAMES.some((one) => one.test(name)); };

export interface WindowWish { readonly offset?: number | undefined; readonly end?: number | undefined; readonly last?: boolean | undefined; readonly length: number; readonly reveal?: boolean | undefined }

/** A secret that is cut in two by a window is no secret to any pattern: a file that holds them is masked as a whole, and too large a one is not shown. */
export async function windowOf(door: FileDoor, place: Place, wish: WindowWish, mask: (text: string) => string): Promise<FileWindow> {
  const file = await door.open(place);
  try {
    const kind = encodingOf(await file.read(0, HEAD_BYTES));
    const secret = isSecretFile(place.path);
    const { sizeBytes } = file.entry;
    const shared = { entry: file.entry, encoding: kind.encoding, sizeBytes, secret, mark: kind.markBytes > 0 };
    if (kind.encoding === 'binary') return { ...shared, from: 0, to: 0, masked: 0 };
    if (secret && wish.reveal !== true) return { ...shared, ...await maskedWhole(file, kind, mask) };
    const [from, to] = spanOf(wish, sizeBytes);
    return { ...shared, ...decode(await file.read(from, to - from), from, to >= sizeBytes, kind), masked: 0 };
  } finally {
    await file.close();
  }
}

function spanOf({ offset, end, last, length }: WindowWish, sizeBytes: number): [number, number] {
  if (last === true) return [Math.max(0, sizeBytes - length), sizeBytes];
  if (end !== undefined) { const to = Math.min(end, sizeBytes); return [Math.max(0, to - length), to]; }
  const from = Math.min(offset ?? 0, sizeBytes);
  return [from, Math.min(sizeBytes, from + length)];
}

async function maskedWhole(file: Opened, kind: Parameters<typeof decode>[3], mask: (text: string) => string): Promise<{ from: number; to: number; text?: string; masked: number }> {
  const { sizeBytes } = file.entry;
  if (sizeBytes > MAX_WINDOW_BYTES) return { from: 0, to: 0, masked: 1 };
  const { text } = decode(await file.read(0, sizeBytes), 0, true, kind);
  const hidden = mask(text);
  return { from: 0, to: sizeBytes, text: hidden, masked: differing(text, hidden) };
}

/** Lines that masking changed: what is told of it. */
function differing(text: string, hidden: string): number {
  if (text === hidden) return 0;
  const lines = new Set(text.split('\n'));
  return Math.max(1, hidden.split('\n').filter((line) => !lines.has(line)).length);
}

/** The next place of a text at or after a byte, as it is written in the file. */
export async function searchIn(door: FileDoor, place: Place, text: string, offset: number, signal: AbortSignal): Promise<{ at?: number; searchedTo: number; atEnd: boolean }> {
  const file = await door.open(place);
  try {
    const { encoding } = encodingOf(await file.read(0, HEAD_BYTES));
    const wanted = needleOf(text, encoding);
    const end = Math.min(file.entry.sizeBytes, offset + SEARCH_BYTES);
    const step = encoding === 'utf-16le' || encoding === 'utf-16be' ? 2 : 1;
    for (let at = offset - (offset % step); at < end; at += PIECE_BYTES) {
      signal.throwIfAborted();
      const piece = await file.read(at, PIECE_BYTES + wanted.length - 1);
      let found = piece.indexOf(wanted);
      while (found >= 0 && found % step !== 0) found = piece.indexOf(wanted, found + 1);
      if (found >= 0) return { at: at + found, searchedTo: at + found, atEnd: false };
    }
    return { searchedTo: end, atEnd: end >= file.entry.sizeBytes };
  } finally {
    await file.close();
  }
}

function needleOf(text: string, encoding: FileWindow['encoding']): Buffer {
  try {
    return encode(text, encoding === 'binary' ? 'utf-8' : encoding, false);
  } catch (error) {
    throw new DiagError('BAD_INPUT', { why: (error as Error).message }, { cause: error });
  }
}
