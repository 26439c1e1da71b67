// Owns what is read once of a large file though several ask for it: dumps and profiles, judged by themselves and as evidence of causes.
import { stat } from 'node:fs/promises';

/** A session has a dump and a profile or two; what was read of one is small beside the file. */
const KEPT = 4;
const kept = new Map<string, Promise<unknown>>();

/** The same file, while it stays as it is, is read once; a failure is not kept. */
export async function readOnce<T>(what: string, path: string, read: () => Promise<T>): Promise<T> {
  const { size, mtimeMs } = await stat(path);
  const key = `${what} ${path} ${size} ${mtimeMs}`;
  const known = kept.get(key);
  if (known) return known as Promise<T>;
  const made = read();
  kept.set(key, made);
  for (const oldest of kept.keys()) { if (kept.size <= KEPT) break; kept.delete(oldest); }
  made.catch(() => kept.delete(key));
  return made;
}
