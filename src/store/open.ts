// Owns the opening of the store: everything that is kept, for one instance of one home.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AuditEntry } from '../shared/api.ts';
import { Change } from '../shared/model.ts';
import type { Platform } from '../platform/platform.ts';
import { createArtifacts } from './artifacts.ts';
import { removeStale } from './atomic.ts';
import { KEPT_TRACKS, openHistoryOf } from './history.ts';
import { createJournal } from './journal.ts';
import { createLosses } from './losses.ts';
import { ownerOf } from './owner.ts';
import { placesOf } from './places.ts';
import { DEFAULT_LIMIT_BYTES, createRoom } from './room.ts';
import { createSessions, draftsName } from './sessions.ts';
import type { Store } from './store.ts';

export interface Limits {
  /** Artifacts and reports of all sessions together; a fifth of the disk is the limit where that is less. */
  readonly artifactBytes: number;
  readonly sessions: number;
  readonly sessionAgeMs: number;
  readonly journalBytes: number;
  /** Processes with a metric history of their own. */
  readonly tracks: number;
}

/** 10 sessions and 20 days: what users know from DaaS. 4 MiB hold some 20,000 changes or audit entries. */
const DEFAULTS: Limits = { artifactBytes: DEFAULT_LIMIT_BYTES, sessions: 10, sessionAgeMs: 20 * 86_400_000, journalBytes: 4 * 2 ** 20, tracks: KEPT_TRACKS };

/**
 * Opens what this instance keeps under its home's data/DaaS; makes the folders. close() it. Of several stores of one instance and home
 * one leads (default: this one): it writes the history and clears away; all may write sessions, changes and audit.
 */
export async function openStore(settings: { readonly platform: Platform; readonly limits?: Partial<Limits>; readonly leads?: () => boolean }): Promise<Store> {
  const { platform, leads = () => true } = settings;
  const limits: Limits = { ...DEFAULTS, ...settings.limits };
  const places = placesOf(platform);
  await mkdir(places.sessions, { recursive: true });
  await mkdir(places.temp, { recursive: true });
  if (leads()) await removeStale(places.journals, places.instance);
  const owner = ownerOf(platform);
  const losses = createLosses();
  const room = createRoom(platform, places, limits.artifactBytes);
  const drafts = join(places.temp, draftsName(places.instance, owner));
  const history = await openHistoryOf({ folder: places.history, instance: places.instance, clock: platform.clock, losses, keptTracks: limits.tracks, leads });
  const changes = createJournal({ path: join(places.journals, 'changes.jsonl'), schema: Change, maxBytes: limits.journalBytes, owner: places.instance, leads });
  const audit = createJournal({ path: join(places.journals, 'audit.jsonl'), schema: AuditEntry, maxBytes: limits.journalBytes, owner: places.instance, leads });
  return {
    artifacts: createArtifacts(places, room, drafts),
    sessions: createSessions({ platform, places, room, owner, ageing: { sessions: limits.sessions, ageMs: limits.sessionAgeMs } }),
    history, changes, audit,
    lost: () => losses.list(),
    async close() {
      await history.close();
      await Promise.all([changes.settled(), audit.settled()]);
      await rm(drafts, { recursive: true, force: true });
    },
  };
}
