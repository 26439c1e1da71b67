// Owns the kept environments of a home: one file for each instance, a bounded number of saved moments, and the key that marks hidden values.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DiagError } from '../shared/errors.ts';
import { EntryGroup } from '../shared/environment.ts';
import { At } from '../shared/model.ts';
import type { Platform } from '../platform/platform.ts';
import { codeIn, namesIn, writeAtomic } from './atomic.ts';
import { placesOf } from './places.ts';

/** `mark`: of a hidden or cut value: the same value under the same name and key has the same mark, and nothing leads back. */
export const KeptEntry = z.object({ group: EntryGroup, name: z.string(), value: z.string(), masked: z.boolean(), mark: z.string().optional() });
export type KeptEntry = z.infer<typeof KeptEntry>;
/** `keyId` names the key of the marks, without telling it. */
export const KeptEnvironment = z.object({
  version: z.literal(1), at: At, instance: z.string(), machine: z.string(), of: z.enum(['app', 'agent']), keyId: z.string(),
  note: z.string().optional(), who: z.string().optional(), entries: z.array(KeptEntry),
});
export type KeptEnvironment = z.infer<typeof KeptEnvironment>;

export interface Marker { readonly keyId: string; mark(name: string, value: string): string }
export interface KeptFile { readonly id: string; readonly kept: KeptEnvironment }

export interface Environments {
  /** The one key of this home, made at its first use. */
  marker(): Promise<Marker>;
  saveOwn(kept: KeptEnvironment): Promise<void>;
  /** What this instance wrote last, also in an earlier life of the agent. */
  own(): Promise<KeptEnvironment | undefined>;
  /** @throws TOO_MANY */
  saveMoment(kept: KeptEnvironment): Promise<string>;
  deleteMoment(id: string): Promise<void>;                     // @throws SNAPSHOT_UNKNOWN
  instance(name: string): Promise<KeptEnvironment>;            // @throws SNAPSHOT_UNKNOWN
  moment(id: string): Promise<KeptEnvironment>;                // @throws SNAPSHOT_UNKNOWN
  /** Newest first; files that are no environments are counted. */
  list(): Promise<{ readonly instances: readonly KeptFile[]; readonly moments: readonly KeptFile[]; readonly unreadable: number }>;
  /** Forgets instances that wrote nothing for a week: they are gone. */
  tidy(now: number): Promise<void>;
}

/** Of all instances together; a further one is refused, since nobody should lose a moment they saved. */
export const MAX_MOMENTS = 30;
/** A plan has at most 100 instances; more files are of instances that are gone. */
const MAX_INSTANCES = 200;
/** An environment has some 50 to 200 KB at most; Windows bounds a block to 32,767 characters, Linux to a few MiB. */
const MAX_FILE_BYTES = 8 * 2 ** 20;
const GONE_AFTER_MS = 7 * 86_400_000;
const KEY = /^[0-9a-f]{64}$/;
const MARK_CHARS = 24;
const KEY_TRIES = 5;
const KEY_PAUSE_MS = 200;

export function openEnvironments(platform: Pick<Platform, 'host' | 'clock'>): Environments {
  const top = join(platform.host.folders.own, 'environment');
  const { instance } = placesOf(platform as Platform);
  const folders = { instances: join(top, 'instances'), moments: join(top, 'moments') };
  let marker: Promise<Marker> | undefined;
  const momentPath = (id: string): string => { if (!/^\d{6}-\d{6}-\d{3}-[A-Za-z0-9_-]{1,64}$/.test(id)) throw unknown(id); return join(folders.moments, `${id}.json`); };
  return {
    marker: () => {
      marker ??= keyOf(top, platform).then(markerOf).catch((error: unknown) => { marker = undefined; throw error; });
      return marker;
    },
    saveOwn: async (kept) => { await writeAtomic(join(folders.instances, `${instance}.json`), JSON.stringify(kept), { owner: instance }); },
    async own() {
      const kept = await read(join(folders.instances, `${instance}.json`));
      return kept === 'unreadable' ? undefined : kept;
    },
    async saveMoment(kept) {
      if ((await idsIn(folders.moments)).length >= MAX_MOMENTS) throw new DiagError('TOO_MANY', { what: 'saved moments of the environment', limit: MAX_MOMENTS });
      const id = `${new Date(kept.at).toISOString().replace(/^..(..)-(..)-(..)T(..):(..):(..)\.(...)Z$/, '$1$2$3-$4$5$6-$7')}-${instance}`;
      await writeAtomic(momentPath(id), JSON.stringify(kept), { owner: instance });
      return id;
    },
    async deleteMoment(id) {
      try {
        await rm(momentPath(id));
      } catch (error) {
        if (codeIn(error) === 'ENOENT') throw unknown(id);
        throw error;
      }
    },
    instance: async (name) => { if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) throw unknown(name); return demand(await read(join(folders.instances, `${name}.json`)), name); },
    moment: async (id) => demand(await read(momentPath(id)), id),
    async list() {
      const [instances, moments] = [await allIn(folders.instances, MAX_INSTANCES), await allIn(folders.moments, MAX_MOMENTS * 2)];
      return { instances: instances.found, moments: moments.found, unreadable: instances.unreadable + moments.unreadable };
    },
    async tidy(now) {
      for (const id of await idsIn(folders.instances)) {
        const path = join(folders.instances, `${id}.json`);
        const seen = id === instance ? undefined : await stat(path).catch((error: unknown) => { if (codeIn(error) === 'ENOENT') return undefined; throw error; });
        if (seen !== undefined && now - seen.mtimeMs > GONE_AFTER_MS) await rm(path, { force: true });
      }
    },
  };
}

const unknown = (snapshot: string): DiagError => new DiagError('SNAPSHOT_UNKNOWN', { snapshot: snapshot.slice(0, 100) });

function demand(kept: KeptEnvironment | 'unreadable' | undefined, name: string): KeptEnvironment {
  if (kept === undefined || kept === 'unreadable') throw unknown(name);
  return kept;
}

async function idsIn(folder: string): Promise<string[]> {
  return (await namesIn(folder)).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length)).sort().reverse();
}

async function allIn(folder: string, bound: number): Promise<{ readonly found: KeptFile[]; readonly unreadable: number }> {
  const found: KeptFile[] = [];
  let unreadable = 0;
  for (const id of (await idsIn(folder)).slice(0, bound)) {
    const kept = await read(join(folder, `${id}.json`));
    if (kept === 'unreadable') unreadable += 1;
    else if (kept !== undefined) found.push({ id, kept });
  }
  return { found: found.sort((a, b) => b.kept.at - a.kept.at), unreadable };
}

async function read(path: string): Promise<KeptEnvironment | 'unreadable' | undefined> {
  try {
    if ((await stat(path)).size > MAX_FILE_BYTES) return 'unreadable';
    const parsed = KeptEnvironment.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : 'unreadable';
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return undefined;
    if (error instanceof SyntaxError) return 'unreadable';
    throw error;
  }
}

function markerOf(key: string): Marker {
  return {
    keyId: createHash('sha256').update(`key ${key}`).digest('hex').slice(0, 8),
    mark: (name, value) => createHmac('sha256', key).update(`${name}\0${value}`).digest('hex').slice(0, MARK_CHARS),
  };
}

/** Instances that begin at the same moment must take the same key: who comes second reads that of the first, which may still be in writing. */
async function keyOf(top: string, { clock }: Pick<Platform, 'clock'>): Promise<string> {
  const path = join(top, 'key');
  await mkdir(top, { recursive: true });
  for (let tries = 0; ; tries += 1) {
    try {
      const made = randomBytes(32).toString('hex');
      await writeFile(path, made, { flag: 'wx', mode: 0o600 });
      return made;
    } catch (error) {
      if (codeIn(error) !== 'EEXIST') throw error;
    }
    const kept = await readFile(path, 'utf8');
    if (KEY.test(kept)) return kept;
    // Torn by a kill or a full disk: nothing was marked with it, so it may be made anew.
    if (tries >= KEY_TRIES) await rm(path, { force: true });
    if (tries > KEY_TRIES) throw new DiagError('HOME_UNUSABLE', { home: top, why: 'the key for hidden values cannot be kept' });
    await clock.wait(KEY_PAUSE_MS, new AbortController().signal);
  }
}
