// Owns downloads of the CLI: to a temporary name, resumed where they broke, renamed when whole.
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getSecure } from 'node:https';
import { dirname } from 'node:path';
import { DiagError, sayError } from '../shared/errors.ts';
import { ApiProblem } from '../shared/connect.ts';
import { Problem } from '../shared/api.ts';
import { bytes } from '../shared/units.ts';
import { systemClock } from '../platform/clock.ts';
import { clearLine, showLine } from './live-line.ts';
import type { Reached } from './reach.ts';
import { stop } from './until.ts';

/** So many connections in a row that bring nothing, and the download is given up. */
const TRIES = 5;
const RETRY_MS = 500;
/** A bundle is zipped before its first byte; a front end gives up after 230 s. */
const SILENT_MS = 300_000;
const MAX_REFUSAL_CHARS = 64 * 1024;

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
      stop.throwIfAborted();
      if (!(error instanceof Broken)) throw error;
      const have = await sizeOf(part);
      idle = have > most ? 0 : idle + 1;
      most = Math.max(most, have);
      if (idle >= TRIES) throw new DiagError('UNREACHABLE', { url: reached.url, why: error.message }, { cause: error });
      if (idle > 0) await systemClock.wait(RETRY_MS, stop);
    }
  }
}

/** `version`: the ETag of what is there already; another file by now starts from the beginning. */
async function fetchRest(reached: Reached, address: string, part: string, version: string | undefined, tell: (version: string | undefined) => void): Promise<void> {
  const from = version === undefined ? 0 : await sizeOf(part);
  const answer = await asked(address, { ...reached.headers, ...(from > 0 && version !== undefined ? { range: `bytes=${from}-`, 'if-range': version } : {}) });
  const { statusCode: status = 0, headers } = answer;
  if (status === 416) { answer.destroy(); tell(undefined); throw new Broken('the file changed while it was sent'); }
  if (status !== 200 && status !== 206) throw await refusal(reached.url, answer);
  tell(headers.etag);
  const start = status === 206 ? from : 0;
  const total = start + Number(headers['content-length'] ?? Number.NaN);
  const have = start + await write(answer, part, start, total);
  if (have < total) throw new Broken(`the connection ended after ${have} of ${total} bytes`);
}

/** Not fetch(): it drops what a connection brought just before it broke, and small pieces would never add up. Redirects are not followed: our credentials are for this address only. */
function asked(address: string, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((done, failed) => {
    const get = address.startsWith('https:') ? getSecure : getPlain;
    const request = get(address, { headers, signal: stop, timeout: SILENT_MS }, done);
    request.on('timeout', () => { request.destroy(new Error(`it was silent for ${SILENT_MS / 1_000} s`)); });
    request.on('error', (error) => { failed(new Broken(sayError(error), { cause: error })); });
  });
}

/** Appends from `start` on. What came is on disk also when the connection breaks. @returns the bytes that came @throws Broken, what the disk says */
function write(answer: IncomingMessage, part: string, start: number, total: number): Promise<number> {
  return new Promise((done, failed) => {
    const file = createWriteStream(part, { flags: start > 0 ? 'a' : 'w' });
    let came = 0;
    let broken: Error | undefined;
    answer.on('data', (piece: Uint8Array) => {
      came += piece.length;
      showLine(`${bytes(start + came)}${Number.isNaN(total) ? '' : ` of ${bytes(total)}`}`);
      if (!file.write(piece)) { answer.pause(); file.once('drain', () => answer.resume()); }
    });
    answer.on('error', (error) => { broken = error; });
    answer.on('close', () => { file.end(); });
    file.on('error', (error) => { answer.destroy(); failed(error); });
    file.on('close', () => { if (broken) failed(new Broken(sayError(broken), { cause: broken })); else done(came); });
  });
}

async function refusal(url: string, answer: IncomingMessage): Promise<Error> {
  let text = '';
  try {
    for await (const piece of answer.setEncoding('utf8') as AsyncIterable<string>) if (text.length < MAX_REFUSAL_CHARS) text += piece;
    const problem = Problem.safeParse(JSON.parse(text));
    if (problem.success) return new ApiProblem(problem.data);
  } catch (error) {
    if (!(error instanceof SyntaxError)) return new Broken(sayError(error), { cause: error });
  }
  const why = `it answered ${answer.statusCode}`;
  return (answer.statusCode ?? 0) >= 500 ? new Broken(why) : new DiagError('UNREACHABLE', { url, why });
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
