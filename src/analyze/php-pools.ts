// Owns asking php-fpm about its pools: its configuration as its main process names it, then each pool's status page, past any web server.
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { PhpStatusFile } from '../shared/artifacts.ts';
import { sayError } from '../shared/errors.ts';
import type { ProcessInfo } from '../shared/model.ts';
import { duration } from '../shared/units.ts';
import { askFastCgi } from '../platform/fastcgi.ts';
import { within } from '../platform/clock.ts';
import type { Collecting } from './contracts.ts';
import { parseFpmText, poolsOf, type FpmText, type PoolSettings } from './parse/php-fpm-conf.ts';
import { parsePhpStatus } from './parse/php-status.ts';

type Pool = PhpStatusFile['pools'][number];

const MAX_FILES = 50;
const MAX_FILE_BYTES = 1024 * 1024;
/** A pool with one free process answers within milliseconds. */
const ANSWER_MS = 3_000;
const NO_PATH = 'pm.status_path is not set for this pool. Put pm.status_path = /fpm-status and pm.status_listen = 127.0.0.1:9001 into its section of php-fpm\'s configuration and reload php-fpm';

/** The main process of php-fpm, whose title names its configuration. */
export function fpmMaster(processes: readonly ProcessInfo[]): { readonly process: ProcessInfo; readonly conf: string } | undefined {
  for (const process of processes) {
    const conf = process.ours === true ? undefined : /php-fpm\S*: master process \((\/[^)]{1,500})\)/.exec(process.commandLine ?? '')?.[1];
    if (conf !== undefined) return { process, conf };
  }
  return undefined;
}

/** "php-fpm: pool www". */
export function poolOfTitle(process: ProcessInfo): string | undefined {
  return /php-fpm\S*: pool (\S{1,100})/.exec(process.commandLine ?? '')?.[1];
}

/** @throws what the disk throws on the main file */
export async function poolSettings(conf: string): Promise<PoolSettings[]> {
  const texts: FpmText[] = [];
  await readInto(resolve(conf), texts);
  return poolsOf(texts);
}

async function readInto(path: string, texts: FpmText[]): Promise<void> {
  if (texts.length >= MAX_FILES || (await stat(path)).size > MAX_FILE_BYTES) return;
  const text = parseFpmText(await readFile(path, 'utf8'));
  texts.push(text);
  for (const include of text.includes) for (const one of await matching(resolve(dirname(path), include))) await readInto(one, texts);
}

/** Files of a pattern with stars in its last part, as php-fpm's own include has it. */
async function matching(pattern: string): Promise<string[]> {
  const [head = '', ...rest] = basename(pattern).split('*');
  const tail = rest.at(-1) ?? '';
  const names = await readdir(dirname(pattern)).catch(() => []);
  const fits = (name: string): boolean => (rest.length === 0 ? name === head : name.length >= head.length + tail.length && name.startsWith(head) && name.endsWith(tail) && !name.startsWith('.'));
  return names.filter(fits).sort().map((name) => join(dirname(pattern), name));
}

/** Whatever the pool does, there is an entry that says it. */
export async function askPool(run: Collecting, pool: PoolSettings): Promise<Pool> {
  const known = { name: pool.name, ...(pool.manager === undefined ? {} : { manager: pool.manager }), ...(pool.limit === undefined ? {} : { limit: pool.limit }), workers: [] };
  const end = pool.statusListen ?? pool.listen;
  if (pool.statusPath === undefined || end === undefined) return { ...known, answered: 'no', why: NO_PATH };
  const late = within(ANSWER_MS);
  try {
    const { status, body } = await askFastCgi(end, { REQUEST_METHOD: 'GET', SCRIPT_NAME: pool.statusPath, SCRIPT_FILENAME: pool.statusPath, REQUEST_URI: `${pool.statusPath}?json&full`, QUERY_STRING: 'json&full', SERVER_PROTOCOL: 'HTTP/1.1', GATEWAY_INTERFACE: 'CGI/1.1' }, AbortSignal.any([run.cancel, run.enough, late]));
    const page = parsePhpStatus(body, pool.statusPath);
    return page === undefined ? { ...known, answered: 'no', why: `its status page answered with status ${status} and no report` } : { ...known, answered: 'yes', ...page };
  } catch (error) {
    run.cancel.throwIfAborted();
    return late.aborted ? { ...known, answered: 'waited', why: `it did not answer within ${duration(ANSWER_MS)}: no process of it was free` } : { ...known, answered: 'no', why: sayError(error) };
  }
}
