// Owns session ids: `yyMMdd_HHmmssffff` in UTC, DaaS's form, each given once in a home that several instances share.
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SessionId } from '../shared/model.ts';
import { codeIn } from './atomic.ts';
import type { Places } from './places.ts';
import { recordPath } from './session-record.ts';

/** ffff counts ten-thousandths of a second. */
const TICKS_PER_MS = 10;
/** A second's worth of ids that are all taken would be a mistake elsewhere. */
const TRIES = 10_000;

/** The id of an instant; ticks = ten-thousandths of a second since 1970. */
function idOf(ticks: number): SessionId {
  const iso = new Date(Math.floor(ticks / TICKS_PER_MS)).toISOString();
  const [yy, mo, dd, hh, mi, ss] = [iso.slice(2, 4), iso.slice(5, 7), iso.slice(8, 10), iso.slice(11, 13), iso.slice(14, 16), iso.slice(17, 19)];
  return `${yy}${mo}${dd}_${hh}${mi}${ss}${String(ticks % 10_000).padStart(4, '0')}`;
}

/** The instant of an id, in ms; undefined for a text that is none. */
export function atOf(id: string): number | undefined {
  if (!SessionId.safeParse(id).success) return undefined;
  const part = (from: number): number => Number(id.slice(from, from + 2));
  return Date.UTC(2000 + part(0), part(2) - 1, part(4), part(7), part(9), part(11)) + Math.floor(Number(id.slice(13)) / TICKS_PER_MS);
}

/**
 * Takes the first free id from this instant on. An exclusively made file decides between instances; the record is looked for after
 * that, because the maker of an earlier one removes its reservation only when its record is there.
 */
export async function reserveId(places: Places, now: number): Promise<SessionId> {
  await mkdir(places.sessions, { recursive: true });
  for (let n = 0; n < TRIES; n += 1) {
    const id = idOf(now * TICKS_PER_MS + n);
    const mark = join(places.sessions, `${id}.id`);
    if (!await makeExclusively(mark)) continue;
    if (!await isTaken(recordPath(places, id)) && !await isTaken(places.logs(id))) return id;
    await rm(mark, { force: true });
  }
  throw new Error(`no free session id within ${TRIES} of ${now}`);
}

async function makeExclusively(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close();
    return true;
  } catch (error) {
    if (codeIn(error) === 'EEXIST') return false;
    throw error;
  }
}

/** The platform's own DaaS names its folders in the same way. */
async function isTaken(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return false;
    throw error;
  }
}
