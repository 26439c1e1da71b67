// Owns downloads of the CLI: to a temporary name, resumed where they broke, renamed when whole.
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { DiagError, sayError } from '../shared/errors.ts';
import { ApiProblem } from '../shared/connect.ts';
import type { Problem } from '../shared/api.ts';
import type { Reached } from './reach.ts';

/** A connection may break this often before the download is given up. */
const TRIES = 5;

export async function download(reached: Reached, address: string, file: string): Promise<number> {
  const part = `${file}.part`;
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await fetchPart(reached, address, part);
        break;
      } catch (error) {
        if (error instanceof ApiProblem || attempt === TRIES) throw error;
      }
    }
    await rename(part, file);
    return (await stat(file)).size;
  } catch (error) {
    await rm(part, { force: true });
    if (error instanceof ApiProblem || error instanceof DiagError) throw error;
    throw new DiagError('UNREACHABLE', { url: reached.url, why: sayError(error) }, { cause: error });
  }
}

async function fetchPart(reached: Reached, address: string, part: string): Promise<void> {
  const from = await sizeOf(part);
  const answer = await fetch(address, { headers: { ...reached.headers, ...(from > 0 ? { range: `bytes=${from}-` } : {}) } });
  if (!answer.ok || !answer.body) throw new ApiProblem(await answer.json() as Problem);
  const append = answer.status === 206;
  await pipeline(Readable.fromWeb(answer.body as ReadableStream), createWriteStream(part, { flags: append ? 'a' : 'w' }));
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
