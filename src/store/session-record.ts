// Owns the record of a session on disk: its place, its form, and who works on it.
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DiagError } from '../shared/errors.ts';
import { Session, SessionId } from '../shared/model.ts';
import { codeIn, namesIn, writeAtomic } from './atomic.ts';
import { Owner } from './owner.ts';
import { known, type Places } from './places.ts';

/** A record with thousands of artifacts stays below; what is larger is not ours. */
const MAX_RECORD_BYTES = 8 * 2 ** 20;

/** On disk a running session also says whose it is. */
const SessionFile = Session.extend({ owner: Owner.optional() });

export interface SessionRecord { readonly session: Session; readonly owner?: Owner }

export const recordPath = (places: Places, id: string): string => join(places.sessions, `${known(id)}.json`);

/** Ids of all records of this home, newest first. */
export async function sessionIds(places: Places): Promise<SessionId[]> {
  const names = await namesIn(places.sessions);
  return names.filter((n) => n.endsWith('.json')).map((n) => n.slice(0, -'.json'.length)).filter((id) => SessionId.safeParse(id).success).sort().reverse();
}

/** @throws SESSION_UNKNOWN, SESSION_UNREADABLE */
export async function readRecord(places: Places, id: string): Promise<SessionRecord> {
  const path = recordPath(places, id);
  const unreadable = (why: string, cause?: unknown): DiagError => new DiagError('SESSION_UNREADABLE', { session: id, why }, { cause });
  try {
    const found = await lstat(path);
    if (!found.isFile()) throw unreadable('it is not a plain file');   // reading a pipe would wait for ever
    if (found.size > MAX_RECORD_BYTES) throw unreadable(`it has ${found.size} bytes`);
    const { owner, ...session } = SessionFile.parse(JSON.parse(await readFile(path, 'utf8')));
    if (session.id !== id) throw unreadable(`it is the record of ${session.id}`);
    return owner ? { session, owner } : { session };
  } catch (error) {
    if (error instanceof DiagError) throw error;
    if (codeIn(error) === 'ENOENT') throw new DiagError('SESSION_UNKNOWN', { session: id }, { cause: error });
    if (error instanceof SyntaxError || error instanceof z.ZodError) throw unreadable('it is not a record of this version', error);
    // Another user's, or a bad disk: one record must not hide the others, nor keep the agent from its start.
    if (codeIn(error) !== '') throw unreadable(`the system says ${codeIn(error)}`, error);
    throw error;
  }
}

/** Only a running session has an owner. */
export async function writeRecord(places: Places, session: Session, owner: Owner): Promise<void> {
  const file = session.state === 'running' ? { ...session, owner } : session;
  await writeAtomic(recordPath(places, session.id), JSON.stringify(file), { owner: places.instance });
}
