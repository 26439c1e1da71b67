// Owns the meeting of two readers of one log: one of them brought to the place where the other stands.
import type { LogReader } from './reader.ts';

/** Looks that lead from the end of a file into the next: one more at the old, one to leave, a spare. */
const STEPS_TO_EMPTY = 3;

/** Brings `own` to the place of `other`, so that the other's next entry follows this one's last. False when they are not in the same
 *  file, farther apart than `maxBytes`, or in the midst of different entries: read on and ask again. The other must stand still meanwhile. */
export async function catchUp(own: LogReader, other: LogReader, maxBytes: number): Promise<boolean> {
  const { ino, offset } = other.place;
  if (!own.file || !other.file) return !own.file && !other.file;
  // The other waits in a new file that has nothing yet; this one may wait at the end of the old.
  if (own.file.ino !== ino && other.next === 0) await toEmpty(own, ino);
  if (own.file?.ino !== ino || offset - own.next > maxBytes) return false;
  if (own.next > offset) return own.place.offset === offset && agree(own, other); // both wait for the end of one entry: the other will hand it over
  while (own.next < offset && isIn(own, ino)) if (await own.step(offset) === 'idle') break;
  if (own.next !== offset || !isIn(own, ino) || !await agree(own, other)) return false;
  own.flush('end');
  return true;
}

const isIn = (reader: LogReader, ino: string): boolean => reader.file?.ino === ino;

async function toEmpty(own: LogReader, ino: string): Promise<void> {
  for (let i = 0; i < STEPS_TO_EMPTY && !isIn(own, ino); i += 1) if (await own.stepIntoEmpty() === 'idle') return;
}

/** Does the file hold, at one moment, both what this reader read last and what the other did? An inode alone does not tell: the file may have been emptied and refilled between the two. */
async function agree(own: LogReader, other: LogReader): Promise<boolean> {
  const { file } = own;
  if (!file) return false;
  const from = Math.min(own.next - own.guard.length, other.next - other.guard.length);
  const to = Math.max(own.next, other.next);
  const now = await file.read(Buffer.allocUnsafe(to - from), from);
  const has = (end: number, guard: Buffer): boolean => now.subarray(end - guard.length - from, end - from).equals(guard);
  return has(own.next, own.guard) && has(other.next, other.guard);
}
