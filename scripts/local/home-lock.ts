// Owns that one home has one front end at a time, and that a worker left behind by a dead one is ended.
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from './home.ts';
import { type Marked, endOrphan, lives, markOf } from './process-mark.ts';
import { besidePath, recordPath } from './worker.ts';

/** A launcher that was killed leaves its front end up to 2 s to notice; a new one waits that long for the home. */
const WAIT_MS = 4_000;
const LOOK_MS = 50;

/** Takes the home for this process, or rejects with who has it. Resolves with what gives it back. */
export async function takeHome(home: Home): Promise<() => Promise<void>> {
  const path = join(home.own, 'front.json');
  const mine = JSON.stringify({ pid: process.pid, mark: markOf(process.pid) ?? '' });
  const until = performance.now() + WAIT_MS;
  while (!(await claim(path, mine))) {
    const holder = await readRecord(path);
    if (holder === undefined || !lives(holder)) {
      await rm(path, { force: true });
      continue;
    }
    if (performance.now() > until) throw new Error(`the home ${home.root} is in use by process ${holder.pid}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  await endRecordedWorker(home);
  return () => rm(path, { force: true });
}

/**
 * Ends the worker on record, and the one beside it, if they still are these processes. Resolves with its pid when it was ended.
 * With `ofFront` only a worker of that front end: who was refused a home must not touch what lives in it.
 */
export async function endRecordedWorker(home: Pick<Home, 'own'>, ofFront?: number): Promise<number | undefined> {
  const ended: number[] = [];
  for (const path of [recordPath(home), besidePath(home)]) {
    const orphan = await readRecord(path);
    if (orphan === undefined || (ofFront !== undefined && orphan.front !== ofFront)) continue;
    if (endOrphan(orphan)) ended.push(orphan.pid);
  }
  return ended[0];
}

/** A hard link comes into being whole or not at all: no reader can see a claim without its pid. */
async function claim(path: string, text: string): Promise<boolean> {
  const beside = `${path}.${process.pid}.tmp`;
  await writeFile(beside, text);
  try {
    await link(beside, path);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  } finally {
    await rm(beside, { force: true });
  }
}

/** Who holds the home, or who works in it; for a worker also the front end that started it. */
async function readRecord(path: string): Promise<(Marked & { readonly front?: unknown }) | undefined> {
  try {
    const found: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof found !== 'object' || found === null || !('pid' in found) || !('mark' in found)) return undefined;
    const { pid, mark } = found;
    // 1 and below are never ours; -1 would mean every process there is.
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 2 || typeof mark !== 'string' || mark === '') return undefined;
    return { pid, mark, ...('front' in found ? { front: found.front } : {}) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' || cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}
