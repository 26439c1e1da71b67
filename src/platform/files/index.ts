// Owns the opening of the file door: its roots, its rules, its bin, and each deed in its place.
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { systemClock, type Clock } from '../clock.ts';
import { Bin, type BinLimits } from './bin.ts';
import { copy, makeFolder, move, type Given } from './change.ts';
import type { FileDoor, FileRoot, Place, Private } from './door.ts';
import { hold, holding, type Held } from './hold.ts';
import { entriesOf, look, namesIn, openFile } from './look.ts';
import type { PathRules } from './path-guard.ts';
import { Places, type Spot } from './places.ts';
import { KeyedTurns } from './turns.ts';
import { unzip } from './unzip.ts';
import { diskUse } from './use.ts';
import { contentOf, fill, holdParent, writeFile } from './write.ts';
import { zipOf } from './zip.ts';

export type * from './door.ts';

export interface DoorSettings {
  readonly roots: readonly FileRoot[];
  /** The agent's own part, absolute; its names that may be read. */
  readonly own?: Private;
  /** Where the bin lies: on the disk of the roots. */
  readonly bin: string;
  /** Local disk, for what is received. */
  readonly temp: string;
  readonly clock: Clock;
  readonly binLimits?: BinLimits;
  /** Default: this system's. */
  readonly rules?: PathRules;
}

/** Nobody sends for so long without a byte. */
const STALE_MS = 6 * 3_600_000;

/** Rules of the system that we run on. */
export const ownRules = (): PathRules => (process.platform === 'win32' ? 'windows' : 'posix');

export function openFileDoor(settings: DoorSettings): FileDoor {
  const places = new Places(settings.roots, settings.own, settings.rules ?? ownRules());
  const given: Given = { places, turns: new KeyedTurns() };
  const bin = new Bin(settings.bin, given, settings.clock, settings.binLimits);
  return {
    roots: settings.roots,
    describe: ({ root, path }) => join(settings.roots.find(({ name }) => name === root)?.path ?? root, ...path.split('/')),
    stat: (place) => statOf(places, place),
    names: async (place, signal) => onFolder(places, place, (held, spot) => namesIn(held, spot.path, signal)),
    entries: async (place, names, signal) => onFolder(places, place, async (held, spot) => {
      const found = await entriesOf(held, names, signal);
      return Promise.all(found.map(async (entry) => { const closed = entry.closed ?? await places.closed(spot, entry.name); return closed === undefined ? entry : { ...entry, closed }; }));
    }),
    async open(place) {
      const spot = await places.spot(place, 'look');
      const { held, name } = await holdParent(spot);
      return holding(held, () => openFile(held, name, spot.path));
    },
    write: (place, content, options, signal) => writeFile(given, place, content, options, signal),
    take: (place, local, options, signal) => take(given, place, local, options, signal),
    makeFolder: (place, options) => makeFolder(given, place, options),
    move: (from, to, options, signal) => move(given, from, to, options, signal),
    copy: (from, to, signal, tell) => copy(given, from, to, signal, tell),
    remove: (place, options, signal, tell) => bin.remove(place, options, signal, tell),
    bin: async () => { await bin.age(); return bin.list(); },
    restore: (id) => bin.restore(id),
    emptyBin: (id) => bin.empty(id),
    zip: (place, options, signal) => zipOf(given, place, options, signal),
    unzip: (source, to, options, signal, tell) => unzip(given, source, to, options, signal, tell),
    use: (place, signal, tell) => diskUse(given, place, signal, tell),
    receive: (content, maxBytes, signal) => receive(settings.temp, content, maxBytes, signal),
  };
}

async function onFolder<T>(places: Places, place: Place, work: (held: Held, spot: Spot) => Promise<T>): Promise<T> {
  const spot = await places.spot(place, 'look');
  return holding(await hold(spot.folder, spot.parts), (held) => work(held, spot));
}

async function statOf(places: Places, place: Place): ReturnType<FileDoor['stat']> {
  const spot = await places.spot(place, 'look');
  if (spot.parts.length === 0) return onFolder(places, place, async (held) => ({ ...await look(held, '.', spot.root), name: '' }));
  const { held, name } = await holdParent(spot);
  return holding(held, () => look(held, name, spot.path));
}

/** Copied beside its place, then renamed, as every write. */
async function take(given: Given, place: Place, local: string, options: Parameters<FileDoor['take']>[2], signal: AbortSignal): ReturnType<FileDoor['take']> {
  const content = contentOf(local);
  try {
    const written = await writeFile(given, place, content, options, signal);
    await rm(local, { force: true });
    return written;
  } finally {
    content.destroy();
  }
}

/** What a killed agent left half received. */
async function removeStale(temp: string): Promise<void> {
  for (const name of await readdir(temp)) {
    if (!/^received-[0-9a-f]{16}\.tmp$/.test(name)) continue;
    const { mtimeMs } = await stat(join(temp, name)).catch(() => ({ mtimeMs: Infinity }));
    if (systemClock.now() - mtimeMs > STALE_MS) await rm(join(temp, name), { force: true });
  }
}

async function receive(temp: string, content: Readable, maxBytes: number, signal: AbortSignal): ReturnType<FileDoor['receive']> {
  await mkdir(temp, { recursive: true });
  await removeStale(temp);
  const local = join(temp, `received-${randomBytes(8).toString('hex')}.tmp`);
  const remove = async (): Promise<void> => { await rm(local, { force: true }); };
  try {
    const file = await open(local, 'wx', 0o600);
    try {
      return { local, sizeBytes: await fill(file, content, maxBytes, signal), remove };
    } finally {
      await file.close();
    }
  } catch (error) {
    await remove();
    throw error;
  }
}

