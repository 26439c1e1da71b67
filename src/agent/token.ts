// Owns the token of a standalone agent: made once for a home, readable by its owner only (writeAtomic makes private files).
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../store/atomic.ts';

export const TOKEN_FILE = 'token';
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
  await writeAtomic(path, `${token}\n`);
  return token;
}
