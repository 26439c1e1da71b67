// Owns uploads in parts: they gather in a local file, go on after a break, and are bounded in number, age and room.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, stat, statfs, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { DiagError } from '../../shared/errors.ts';
import { PART_BYTES, Upload } from '../../shared/files.ts';
import { bytes as sized } from '../../shared/units.ts';
import type { Clock } from '../clock.ts';
import { codeIn } from '../rename.ts';
import { KeyedTurns } from './turns.ts';
import { contentOf } from './write.ts';

export type UploadWish = Pick<Upload, 'root' | 'path' | 'sizeBytes' | 'sha256' | 'ifMatch' | 'onlyNew'>;
/** Unfinished ones at once, and for how long. */
export const MAX_UPLOADS = 16;
export const UPLOAD_KEPT_MS = 86_400_000;
/** Local temp is small on App Service, and the app needs it too. */
const RESERVE_BYTES = 256 * 1024 * 1024;
const ID = /^[0-9a-f]{16}$/;

export class Uploads {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #turns = new KeyedTurns();

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** Goes on with the one that is there for the same place and size. @throws TOO_MANY, NO_ROOM */
  async begin(wish: UploadWish): Promise<Upload> {
    return this.#turns.take('begin', async () => {
      const all = await this.list();
      const same = all.find((one) => one.root === wish.root && one.path === wish.path && one.sizeBytes === wish.sizeBytes && one.sha256 === wish.sha256 && one.ifMatch === wish.ifMatch && one.onlyNew === wish.onlyNew);
      if (same !== undefined) return same;
      if (all.length >= MAX_UPLOADS) throw new DiagError('TOO_MANY', { what: 'unfinished uploads', limit: MAX_UPLOADS });
      await this.#demandRoom(wish.sizeBytes, all);
      const upload: Upload = { ...wish, id: randomBytes(8).toString('hex'), haveBytes: 0, partBytes: PART_BYTES, at: this.#clock.now() };
      await writeFile(this.#part(upload.id), '', { flag: 'wx', mode: 0o600 });
      await writeFile(this.#about(upload.id), JSON.stringify(upload), { flag: 'wx', mode: 0o600 });
      return upload;
    });
  }

  async #demandRoom(needBytes: number, others: readonly Upload[]): Promise<void> {
    const { bavail, bsize, blocks } = await statfs(this.#folder);
    const promised = others.reduce((sum, one) => sum + one.sizeBytes - one.haveBytes, 0);
    const freeBytes = Math.max(0, bavail * bsize - RESERVE_BYTES - promised);
    if (blocks > 0 && needBytes > freeBytes) throw new DiagError('NO_ROOM', { what: 'The upload', needBytes, freeBytes });
  }

  /** Newest first; those that are too old are dropped. */
  async list(): Promise<Upload[]> {
    await mkdir(this.#folder, { recursive: true });
    const ids = (await readdir(this.#folder)).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length)).filter((id) => ID.test(id));
    const found: Upload[] = [];
    for (const id of ids) {
      const one = await this.#read(id);
      if (one === undefined || this.#clock.now() - one.at > UPLOAD_KEPT_MS) await this.#remove(id);
      else found.push(one);
    }
    return found.sort((a, b) => b.at - a.at);
  }

  /** @throws UPLOAD_UNKNOWN */
  async get(id: string): Promise<Upload> {
    const one = ID.test(id) ? await this.#read(id) : undefined;
    if (one === undefined) throw new DiagError('UPLOAD_UNKNOWN', { upload: id.slice(0, 40) });
    return one;
  }

  /** What a file has is what arrived: a part that broke off counts as far as it came. @throws UPLOAD_OFFSET, BODY_TOO_LARGE, UPLOAD_DIFFERS */
  async add(id: string, offset: number, content: Readable, signal: AbortSignal): Promise<Upload> {
    return this.#turns.take(id, async () => {
      const upload = await this.get(id);
      if (offset !== upload.haveBytes) throw new DiagError('UPLOAD_OFFSET', { have: upload.haveBytes, offset });
      const file = await open(this.#part(id), 'r+');
      let at = offset;
      try {
        for await (const piece of content.iterator({ destroyOnReturn: false })) {
          signal.throwIfAborted();
          const chunk = piece as Buffer;
          if (at + chunk.length - offset > PART_BYTES) throw new DiagError('BODY_TOO_LARGE', { limit: sized(PART_BYTES) });
          if (at + chunk.length > upload.sizeBytes) throw new DiagError('UPLOAD_DIFFERS', { why: `it is longer than ${upload.sizeBytes} bytes` });
          await file.write(chunk, 0, chunk.length, at);
          at += chunk.length;
        }
      } catch (error) {
        if (error instanceof DiagError) await file.truncate(offset);   // a part that is refused leaves nothing
        throw error;
      } finally {
        await file.close();
      }
      return { ...upload, haveBytes: at };
    });
  }

  /** The whole file, checked; `put` brings it to its place, and the upload is over. @throws UPLOAD_OFFSET, UPLOAD_DIFFERS */
  async finish<T>(id: string, put: (upload: Upload, local: string) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#turns.take(id, async () => {
      const upload = await this.get(id);
      if (upload.haveBytes !== upload.sizeBytes) throw new DiagError('UPLOAD_OFFSET', { have: upload.haveBytes, offset: upload.sizeBytes });
      if (upload.sha256 !== undefined && await hashOf(this.#part(id), signal) !== upload.sha256) {
        await truncate(this.#part(id), 0);
        throw new DiagError('UPLOAD_DIFFERS', { why: 'its SHA-256 is another one' });
      }
      const done = await put(upload, this.#part(id));
      await this.#remove(id);
      return done;
    });
  }

  async drop(id: string): Promise<void> {
    await this.get(id);
    await this.#turns.take(id, () => this.#remove(id));
  }

  async #read(id: string): Promise<Upload | undefined> {
    try {
      const parsed = Upload.safeParse(JSON.parse(await readFile(this.#about(id), 'utf8')));
      return parsed.success && parsed.data.id === id ? { ...parsed.data, haveBytes: (await stat(this.#part(id))).size } : undefined;
    } catch (error) {
      if (error instanceof SyntaxError || codeIn(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #remove(id: string): Promise<void> {
    await rm(this.#about(id), { force: true });
    await rm(this.#part(id), { force: true });
  }

  #part(id: string): string { return join(this.#folder, `${id}.part`); }
  #about(id: string): string { return join(this.#folder, `${id}.json`); }
}

async function hashOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of contentOf(path)) { signal.throwIfAborted(); hash.update(piece as Buffer); }
  return hash.digest('hex');
}
