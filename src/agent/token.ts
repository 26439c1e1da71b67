// Owns what lets local programs in: the token of a standalone agent, made once for a home and readable by its owner only (writeAtomic makes private files), and the name of the file with its address.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFull } from '../platform/folders.ts';
import { writeAtomic } from '../store/atomic.ts';

export const TOKEN_FILE = 'token';
/** Where the agent of a home answers, for the CLI on the same machine; beside the token. Written by server/run.ts while it runs. */
export const ADDRESS_FILE = 'agent.json';
/** 160 bits: cannot be guessed at any rate of tries. */
const TOKEN_BYTES = 20;

export async function ownToken(folder: string): Promise<string> {
  const path = join(folder, TOKEN_FILE);
  try {
    const kept = (await readFile(path, 'utf8')).trim();
    if (kept.length >= 16) return kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  try {
    await writeAtomic(path, `${token}\n`);
  } catch (error) {
    if (!isFull(error)) throw error;                           // on a full disk the token lasts as long as this run
  }
  return token;
}
