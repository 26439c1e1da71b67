// Owns downloads of the CLI: to a temporary name, resumed where they broke, renamed when whole.
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { DiagError } from '../shared/errors.ts';
import { ApiProblem } from '../shared/connect.ts';
import { Problem } from '../shared/api.ts';
import { bytes } from '../shared/units.ts';
import { systemClock } from '../platform/clock.ts';
import { unreachable } from './address.ts';
import { clearLine, showLine } from './live-line.ts';
import type { Reached } from './reach.ts';
import { stop } from './until.ts';

/** So many connections in a row that bring nothing, and the download is given up. */
const TRIES = 5;
const RETRY_MS = 500;

/** The connection broke, or an answer says that the server is not itself: worth another try. */
class Broken extends Error {}

/** The file appears whole or not at all. @returns its bytes @throws ApiProblem, UNREACHABLE, what the disk says */
export async function download(reached: Reached, address: string, file: string): Promise<number> {
  const part = `${file}.${process.pid}.part`;
  await mkdir(dirname(file), { recursive: true });
  try {
    await fetchAll(reached, address, part);
    await rename(part, file);
    return (await stat(file)).size;
  } finally {
    clearLine();
    await rm(part, { force: true });
  }
}

async function fetchAll(reached: Reached, address: string, part: string): Promise<void> {
  let version: string | undefined;
  let most = 0;
  for (let idle = 0; ;) {
    try {
      await fetchRest(reached, address, part, version, (tag) => { version = tag; });
      return;
    } catch (error) {
      if (!(error instanceof Broken) || stop.aborted) throw error;
      const have = await sizeOf(part);
      idle = have > most ? 0 : idle + 1;
      most = Math.max(most, have);
      if (idle >= TRIES) throw unreachable(reached.url, error.cause);
      await systemClock.wait(RETRY_MS, stop);
    }
  }
}

/** `version`: the ETag of what is there already; another file by now starts from the beginning. */
async function fetchRest(reached: Reached, address: string, part: string, version: string | undefined, tell: (version: string | undefined) => void): Promise<void> {
  const from = version === undefined ? 0 : await sizeOf(part);
  const answer = await asked(address, { ...reached.headers, ...(from > 0 && version !== undefined ? { range: `bytes=${from}-`, 'if-range': version } : {}) });
  if (answer.status === 416) { tell(undefined); throw new Broken('the file is another one now', { cause: new TypeError('the file changed while it was sent') }); }
  if (!answer.ok || !answer.body) throw await refusal(reached.url, answer);
  tell(answer.headers.get('etag') ?? undefined);
  const goesOn = answer.status === 206;
  const length = Number(answer.headers.get('content-length') ?? Number.NaN);
  const total = (goesOn ? from : 0) + length;
  await write(answer.body as ReadableStream, part, goesOn ? from : 0, total);
  const have = await sizeOf(part);
  if (have < total) throw new Broken('cut', { cause: new TypeError(`the connection ended after ${have} of ${total} bytes`) });
}

async function asked(address: string, headers: Record<string, string>): Promise<Response> {
  try {
    // As it is: a length that counts compressed bytes would be no place to resume at.
    return await fetch(address, { headers: { ...headers, 'accept-encoding': 'identity' }, redirect: 'manual', signal: stop });
  } catch (error) {
    throw error instanceof TypeError ? new Broken('no answer', { cause: error }) : error;
  }
}

async function write(body: ReadableStream, part: string, from: number, total: number): Promise<void> {
  let have = from;
  const counted = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      have += chunk.length;
      showLine(`${bytes(have)}${Number.isNaN(total) ? '' : ` of ${bytes(total)}`}`);
      yield chunk;
    }
  };
  try {
    await pipeline(Readable.fromWeb(body), counted, createWriteStream(part, { flags: from > 0 ? 'a' : 'w' }));
  } catch (error) {
    throw error instanceof TypeError ? new Broken('cut', { cause: error }) : error;   // the disk's errors are none
  }
}

async function refusal(url: string, answer: Response): Promise<Error> {
  const problem = Problem.safeParse(await answer.json().catch(() => undefined));
  if (problem.success) return new ApiProblem(problem.data);
  const why = new DiagError('UNREACHABLE', { url, why: `it answered ${answer.status}` });
  return answer.status >= 500 ? new Broken('not itself', { cause: why }) : why;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
