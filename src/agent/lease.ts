// Owns the lease: which of the agents of one instance and home observes, agreed on by one small file in local temp.
import { copyFile, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { constants } from 'node:fs';
import { join } from 'node:path';
import { sayError } from '../shared/errors.ts';
import { jsonAs } from '../shared/json-as.ts';
import { isFull } from '../platform/folders.ts';
import type { Platform } from '../platform/platform.ts';
import { codeIn, namesIn } from '../store/atomic.ts';
import { Owner, isAlive, ownerOf } from '../store/owner.ts';
import { placesOf } from '../store/places.ts';

/** How often each agent looks: what a holder that was killed leaves undone before the next one has it. */
export const LOOK_EVERY_MS = 2_000;
/** A holder that has not renewed for so long hangs (or its pid cannot be seen from here): the next one takes over, and it must not write any more. */
export const SILENT_MS = 10_000;

/** One of ours has a hundred. */
const MAX_LEASE_BYTES = 4_096;

export interface Lease {
  /** Whether this agent observes now. False as soon as another one may have taken over while we were held up. */
  held(): boolean;
  /** Whether another agent waits for it, and reads what we write meanwhile. */
  followed(): boolean;
  /** The other one that holds it, as of the last look. */
  holder(): { readonly pid: number; readonly startedAt: number } | undefined;
  /** Why the file could not be made, when that is so: then this agent observes without it, as two that observe are better than none. */
  fault(): string | undefined;
  /** One look, every LOOK_EVERY_MS: renews what is ours, takes what is free or was left behind. Answers whether it is ours. */
  look(): Promise<boolean>;
  /** Leaves it to the next one, at once. */
  release(): Promise<void>;
}

interface Found { readonly text: string; readonly owner: Owner | undefined; readonly touchedAt: number }
interface Seen { readonly what: string; readonly since: number }

/**
 * Birth is exclusive (`wx`), the content never changes, and life shows in the file's own time, compared only with itself: no two clocks meet.
 * One that was left behind is renamed away first and looked at: whoever renames a fresh one by mistake puts it back.
 */
export function createLease(platform: Platform, own: Owner = ownerOf(platform), exists: (pid: number) => boolean = isThere): Lease {
  const path = join(platform.host.folders.temp, `lease-${placesOf(platform).instance}`);
  const files = { path, aside: `${path}.${own.run}.left`, waiting: `${path}.waiting` };
  const monotonic = (): number => platform.clock.monotonic();
  let renewedAt: number | undefined;
  let holder: Owner | undefined;
  let fault: { readonly why: string; readonly since: number } | undefined;
  let seen: Seen | undefined;                                  // the file as it was when it last changed
  let waiter: Seen | undefined;
  const freshen = (before: Seen | undefined, what: string): Seen => (before?.what === what ? before : { what, since: monotonic() });
  const isLeft = async (found: Found): Promise<boolean> => {
    seen = freshen(seen, `${found.text} ${found.touchedAt}`);
    if (monotonic() - seen.since >= SILENT_MS) return true;
    // A door may show the site's processes only, of which an agent is none: one that is not shown and yet there is silent first.
    return found.owner !== undefined && !await isAlive(platform, own, found.owner) && !exists(found.owner.pid);
  };
  const renew = async (): Promise<void> => {
    await touch(path, platform.clock.now());
    renewedAt = monotonic();
    const touchedAt = await timeOf(files.waiting);
    waiter = touchedAt === undefined ? undefined : freshen(waiter ?? { what: String(touchedAt), since: -Infinity }, String(touchedAt));
  };
  const compete = async (): Promise<boolean> => {
    const found = await read(path);
    if (found?.owner?.run === own.run) { await renew(); return true; }
    renewedAt = undefined;
    holder = found?.owner;
    if (found && !(await isLeft(found) && await setAside(files, found))) {
      await wait(files.waiting, platform.clock.now());
      return false;
    }
    if (!await bear(path, own)) return false;
    holder = undefined;
    renewedAt = monotonic();
    await sweep(platform.host.folders.temp, path);
    return true;
  };
  return {
    held: () => renewedAt !== undefined && monotonic() - renewedAt < SILENT_MS,
    followed: () => waiter !== undefined && monotonic() - waiter.since < SILENT_MS,
    holder: () => holder,
    fault: () => fault?.why,
    async look() {
      try {
        const held = await compete();
        fault = undefined;
        return held;
      } catch (error) {
        if (codeIn(error) === '') throw error;
        fault = { why: sayError(error), since: fault?.since ?? monotonic() };
        // Windows refuses a file for a moment while another has it open; what lasts is a disk that takes no file.
        if (isFull(error) || monotonic() - fault.since >= SILENT_MS) renewedAt = monotonic();
        return this.held();
      }
    },
    async release() {
      renewedAt = undefined;
      if ((await read(path))?.owner?.run === own.run) await rm(path, { force: true });
    },
  };
}

/** Signal 0 only asks. One of another user may not be asked, and is there. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeIn(error) === 'EPERM';
  }
}

/** Undefined: nobody has it. What has no whole owner is one being born, or torn, or nothing of ours. */
async function read(path: string): Promise<Found | undefined> {
  try {
    const there = await stat(path);
    // A pipe would be waited for, and a long file is none of ours: neither is opened.
    const strange = !there.isDirectory() && (!there.isFile() || there.size > MAX_LEASE_BYTES);
    const text = strange ? `${there.mode} ${there.size}` : await readFile(path, 'utf8');
    return { text, owner: jsonAs(Owner, text), touchedAt: strange ? there.mtimeMs : (await stat(path)).mtimeMs };
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** False: another agent was faster. */
async function bear(path: string, own: Owner): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify(own));
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (codeIn(error) === 'EEXIST') return false;
    await rm(path, { force: true });                           // a full disk gives a name without content
    throw error;
  }
}

/** Takes away the very file that was judged; another one goes back to its place. False: not now. */
async function setAside({ path, aside }: { path: string; aside: string }, judged: Found): Promise<boolean> {
  try {
    await rename(path, aside);
  } catch (error) {
    if (['ENOENT', 'EPERM', 'EACCES', 'EBUSY'].includes(codeIn(error))) return false;
    throw error;
  }
  const taken = await read(aside);
  const same = taken?.text === judged.text && taken.touchedAt === judged.touchedAt;
  try {
    if (!same) await copyFile(aside, path, constants.COPYFILE_EXCL);
  } catch (error) {
    if (!['EEXIST', 'ENOENT'].includes(codeIn(error))) throw error;
  }
  await rm(aside, { force: true });
  return same;
}

/** A change of the file's time is all that the other side looks for. */
async function touch(path: string, now: number): Promise<void> {
  const at = new Date(now);
  await utimes(path, at, at);
}

/** Tells the holder that somebody reads. Where that fails (a full disk) it writes at its own pace: what is read is a few seconds older. */
async function wait(path: string, now: number): Promise<void> {
  try {
    await (await open(path, 'a', 0o600)).close();
    await touch(path, now);
  } catch (error) {
    if (codeIn(error) === '') throw error;
  }
}

async function timeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** What agents left that were killed in the middle of taking over. */
async function sweep(folder: string, path: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (join(folder, name).startsWith(`${path}.`) && name.endsWith('.left')) await rm(join(folder, name), { force: true });
  }
}
