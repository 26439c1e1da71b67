// Owns the sessions on disk: their records and reports, what becomes of them after a crash, and when they go.
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DiagError } from '../shared/errors.ts';
import { Report, SessionId, type Session } from '../shared/model.ts';
import type { Platform } from '../platform/platform.ts';
import { listArtifacts } from './artifacts.ts';
import { codeIn, namesIn, removeStale, renameOver, writeAtomic } from './atomic.ts';
import { isAlive, type Owner } from './owner.ts';
import { known, type Places } from './places.ts';
import { sessionBytes, type RoomKeeper } from './room.ts';
import { readRecord, recordPath, sessionIds, writeRecord, type SessionRecord } from './session-record.ts';
import { atOf, reserveId } from './session-id.ts';
import type { SessionStore } from './store.ts';
import { createTurns } from './turns.ts';

export interface Ageing { readonly sessions: number; readonly ageMs: number }

interface Context { readonly platform: Platform; readonly places: Places; readonly room: RoomKeeper; readonly owner: Owner; readonly ageing: Ageing }

export function createSessions(context: Context): SessionStore {
  const { places, room, owner } = context;
  const turns = createTurns();                                 // two saves of one session must not overtake each other
  return {
    nextId: () => turns.take(() => reserveId(places, context.platform.clock.now())),
    save: (session) => turns.take(async () => {
      await writeRecord(places, session, owner);
      await rm(join(places.sessions, `${session.id}.id`), { force: true });
    }),
    get: async (id) => (await readRecord(places, known(id))).session,
    list: () => list(places),
    remove: (id, isOver = false) => turns.take(async () => {
      const { session, owner: whose } = await readRecord(places, known(id));
      if (session.state === 'running' && !(isOver && whose?.run === owner.run)) throw new DiagError('SESSION_RUNNING', { session: id });
      await removeFiles(places, id);
      room.forget();
    }),
    saveReport: async (report, html) => {
      await saveReport(places, report, html);
      room.forget();
    },
    report: async (id) => readReport(places, known(id)),
    reportPath: async (id, file) => reportPath(places, known(id), file),
    recover: (now) => turns.take(() => recover(context, now)),
    sweep: (now) => turns.take(() => sweep(context, now)),
  };
}

async function list(places: Places): Promise<{ sessions: Session[]; unreadable: number }> {
  const { records, unreadable } = await readAll(places);
  return { sessions: records.map((r) => r.session), unreadable };
}

/** Newest first. A record that went while we read is no record; one that cannot be read is counted and left where it is. */
async function readAll(places: Places): Promise<{ records: SessionRecord[]; unreadable: number }> {
  const records: SessionRecord[] = [];
  let unreadable = 0;
  for (const id of await sessionIds(places)) {
    try {
      records.push(await readRecord(places, id));
    } catch (error) {
      if (!(error instanceof DiagError)) throw error;
      if (error.code === 'SESSION_UNREADABLE') unreadable += 1;
    }
  }
  return { records, unreadable };
}

/** A session that is being removed: not listed any more, its files may still be there. */
const LEAVING = '.leaving';

/** First the session leaves the list, in one step; a kill or a held file in between leaves a mark by which the next sweep ends the work. */
async function removeFiles(places: Places, id: SessionId): Promise<void> {
  await renameOver(recordPath(places, id), join(places.sessions, `${id}${LEAVING}`));
  await finishRemoval(places, id);
}

async function finishRemoval(places: Places, id: SessionId): Promise<void> {
  const patient = { recursive: true, force: true, maxRetries: 3 } as const;      // Windows: a download may hold a file for a moment
  await rm(places.logs(id), patient);
  await rm(places.reports(id), patient);
  await rm(join(places.sessions, `${id}${LEAVING}`), patient);
}

async function finishRemovals(places: Places): Promise<void> {
  const ids = (await namesIn(places.sessions)).filter((name) => name.endsWith(LEAVING)).map((name) => name.slice(0, -LEAVING.length));
  for (const id of ids) if (SessionId.safeParse(id).success) await finishRemoval(places, id);
}

/** The JSON comes last: where it is, the page is too. */
async function saveReport(places: Places, report: Report, html: string): Promise<void> {
  const folder = places.reports(report.session);
  await writeAtomic(join(folder, 'report.html'), html, { owner: places.instance });
  await writeAtomic(join(folder, 'report.json'), `${JSON.stringify(report, undefined, 2)}\n`, { owner: places.instance });
}

async function readReport(places: Places, id: SessionId): Promise<Report> {
  const path = await reportPath(places, id, 'report.json');
  try {
    return Report.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error;
    throw new DiagError('SESSION_UNREADABLE', { session: id, why: 'its report is not of this version' }, { cause: error });
  }
}

async function reportPath(places: Places, id: SessionId, file: 'report.json' | 'report.html'): Promise<string> {
  const { session } = await readRecord(places, id);
  const folder = places.reports(id);
  if (!await isThere(join(folder, 'report.json'))) throw new DiagError('REPORT_NOT_READY', { session: id, state: session.state });
  return join(folder, file);
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Sessions of this instance whose agent is gone; another agent of this home that still runs keeps its own. */
async function recover(context: Context, now: number): Promise<SessionId[]> {
  const { places, platform } = context;
  await removeStale(places.sessions, places.instance);
  await removeDrafts(context);
  await finishRemovals(places);
  const interrupted: SessionId[] = [];
  for (const { session, owner } of (await readAll(places)).records) {
    if (session.state !== 'running' || session.instance !== platform.host.app.instance) continue;
    if (owner && await isAlive(platform, context.owner, owner)) continue;
    await removeStale(join(places.logs(session.id), places.instance), places.instance);
    await removeStale(places.reports(session.id), places.instance);
    await writeRecord(places, await asInterrupted(places, session, now), context.owner);
    interrupted.push(session.id);
  }
  return interrupted;
}

async function asInterrupted(places: Places, session: Session, now: number): Promise<Session> {
  const report = await isThere(join(places.reports(session.id), 'report.json'));
  return {
    ...session,
    state: 'interrupted',
    endedAt: Math.max(now, session.madeAt),
    steps: session.steps.map((step) => (step.state === 'running' || step.state === 'waiting' ? { ...step, state: 'cancelled' as const, because: 'the agent ended' } : step)),
    artifacts: await listArtifacts(places, session.id),         // also what was committed after the last save
    report,
  };
}

/** The folder of one run's drafts, named so that a later run can ask whether that one is still alive. */
export function draftsName(instance: string, owner: Owner): string {
  return `drafts-${instance}-${owner.pid}-${owner.startedAt}-${owner.run}`;
}

async function removeDrafts({ platform, places, owner }: Context): Promise<void> {
  for (const name of await namesIn(places.temp)) {
    const found = /^drafts-([A-Za-z0-9_-]+)-(\d+)-(\d+)-([0-9a-f]{8})$/.exec(name);
    if (found?.[1] !== places.instance) continue;
    const other: Owner = { pid: Number(found[2]), startedAt: Number(found[3]), run: found[4] ?? '' };
    if (!await isAlive(platform, owner, other)) await rm(join(places.temp, name), { recursive: true, force: true });
  }
}

/** No session runs that long: one of an instance that was scaled away would say "running" for ever. */
async function sweep(context: Context, now: number): Promise<SessionId[]> {
  const { places, ageing } = context;
  await removeReservations(places, now);
  await finishRemovals(places);
  const { records } = await readAll(places);
  const loose = records.map((r) => r.session).filter((s) => !s.pinned);
  const aged = loose.filter((s, i) => now - s.madeAt > ageing.ageMs || (i >= ageing.sessions && s.state !== 'running'));
  for (const session of aged) await removeFiles(places, session.id);
  const kept = loose.filter((s) => !aged.includes(s));
  const heavy = await removeForQuota(context, kept.filter((s) => s.state !== 'running'));
  context.room.forget();
  return [...aged, ...heavy].map((s) => s.id);
}

/** The oldest go until the rest fits; the newest stays even so: it is what someone is looking at. */
async function removeForQuota({ places, room }: Context, newestFirst: readonly Session[]): Promise<Session[]> {
  room.forget();
  const { usedBytes, limitBytes } = await room.room();
  const gone: Session[] = [];
  let used = usedBytes;
  for (const session of newestFirst.slice(1).reverse()) {
    if (used <= limitBytes) break;
    used -= await sessionBytes(places, session.id);
    await removeFiles(places, session.id);
    gone.push(session);
  }
  return gone;
}

/** An id that was asked for and never saved: the agent was killed in between. */
const RESERVED_MS = 3_600_000;

async function removeReservations(places: Places, now: number): Promise<void> {
  const names = (await namesIn(places.sessions)).filter((n) => n.endsWith('.id'));
  for (const name of names) {
    const at = atOf(name.slice(0, -'.id'.length));
    if (at !== undefined && now - at > RESERVED_MS) await rm(join(places.sessions, name), { force: true });
  }
}
