// Owns the metric history of this instance: its tracks, what may be written, and when files come and go.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../platform/clock.ts';
import { TIERS } from '../shared/metrics.ts';
import type { ProcessKey, Sample } from '../shared/model.ts';
import { codeIn, isTemp, namesIn } from './atomic.ts';
import { readSeries } from './history-read.ts';
import { createTrack, findTrack, type Track } from './history-track.ts';
import type { Losses } from './losses.ts';
import type { History } from './store.ts';
import { createTurns } from './turns.ts';

/** Processes with a history of their own: a site has a few workers; the rest is room for those that ended, so that a crash can be looked at. 24 × 1.2 MB on disk. */
export const KEPT_TRACKS = 24;
/** A process without a sample for so long has ended (or is not sampled any more) and may give its place to a new one. */
const DEAD_AFTER_MS = 30_000;
/** Rows that wait for the disk: two minutes of 24 processes and the site, about 5 MB at worst. More are refused and counted. */
const MAX_WAITING = 20_000;
/** Files of tracks without a new row for so long are closed. */
const RESTS_AFTER_MS = 60_000;
/** The most points a read gives, whatever is asked for. */
const MAX_POINTS = 20_000;

const SITE = 'site';
const ENDING = '.history';

export interface HistorySettings {
  readonly folder: string;
  readonly instance: string;
  readonly clock: Clock;
  readonly losses: Losses;
  readonly keptTracks: number;
  /** Whether this agent writes now; another one of the instance does else, and its files are only read. */
  readonly leads?: () => boolean;
}

interface Context extends Required<HistorySettings> {
  readonly tracks: Map<string, Track>;
  /** Tracks that gave their place; their files go with the next flush. */
  readonly leaving: Track[];
  waiting: number;
  /** All places are taken by living processes until then at least: spares looking for one for each sample of each process beyond. */
  fullUntil: number;
}

/**
 * Opens the history of one instance; who leads is the only writer of its folder. Damaged files are set aside and counted, half-made ones removed.
 * A kill loses what waits for the next flush; a power cut also what the system had not written yet: rows are not synced one by one,
 * which a network share would pay for dearly, and a row torn by it is found by its checksum.
 */
export async function openHistoryOf(settings: HistorySettings): Promise<History> {
  const context: Context = { leads: () => true, ...settings, tracks: new Map(), leaving: [], waiting: 0, fullUntil: 0 };
  await mkdir(settings.folder, { recursive: true });
  await findTracks(context);
  const turns = createTurns();
  const flush = (): Promise<void> => turns.take(() => flushAll(context));
  return {
    write: (stepMs, sample) => { write(context, stepMs, sample); },
    read: async (query) => readSeries(context.tracks.get(keyOf(query.process)), { ...query, points: Math.min(MAX_POINTS, Math.max(1, Math.floor(query.points))) }, query.process),
    tracks: async (from, to) => [...context.tracks.values()].flatMap((t) => (t.process && t.process.startedAt <= to && t.lastAt >= from ? [t.process] : [])),
    flush,
    look: () => turns.take(() => look(context)),
    reopen: () => turns.take(() => reopen(context)),
    async close() {
      await endured(context, 'flushes of history at the end that the disk did not take', flush);
      for (const track of context.tracks.values()) await endured(context, 'files of history that the disk did not take at the end', () => track.rest(context.leads()));
    },
  };
}

/** At the end a full disk takes nothing, and who ends must end all the same. */
async function endured(context: Context, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (codeIn(error) === '') throw error;
    context.losses.add(what);
  }
}

const keyOf = (process: ProcessKey | undefined): string => (process ? `p${process.pid}-${process.startedAt}` : SITE);

/** What the disk does not give (another user's file, a bad sector) is counted and left: it must not keep the agent from its start. */
async function findTracks(context: Context): Promise<void> {
  await findAmong(context, await namesIn(context.folder));
  if (!context.leads()) return;
  while (context.tracks.size > context.keptTracks + 1 && replaceOldest(context, Infinity));
  await removeLeaving(context);
}

async function findAmong(context: Context, names: readonly string[]): Promise<void> {
  for (const name of names) {
    try {
      await findOne(context, name);
    } catch (error) {
      if (codeIn(error) === '') throw error;
      context.losses.add('files of history that cannot be read');
    }
  }
}

async function findOne(context: Context, name: string): Promise<void> {
  const path = join(context.folder, name);
  const leads = context.leads();
  if (isTemp(name) && leads) await rm(path, { force: true });
  if (!name.endsWith(ENDING)) return;
  const track = await findTrack(path, context.losses, leads);
  if (track) context.tracks.set(keyOf(track.process), track);
}

async function look(context: Context): Promise<void> {
  if (context.leads()) return;
  const names = await namesIn(context.folder);
  const known = new Set([...context.tracks.keys()].map((key) => `${key}${ENDING}`));
  for (const key of context.tracks.keys()) if (!names.includes(`${key}${ENDING}`)) context.tracks.delete(key);
  await findAmong(context, names.filter((name) => !known.has(name)));
}

async function reopen(context: Context): Promise<void> {
  for (const track of context.tracks.values()) await track.rest(false);
  context.tracks.clear();
  context.leaving.length = 0;
  context.waiting = 0;
  context.fullUntil = 0;
  await findTracks(context);
}

function write(context: Context, stepMs: number, sample: Sample): void {
  if (!context.leads()) return;
  const tier = TIERS.findIndex((t) => t.stepMs === stepMs);
  const { keptMs } = TIERS[tier] ?? { keptMs: 0 };
  if (keptMs === 0) throw new Error(`history has no tier of ${stepMs} ms`);
  const slot = Math.floor(sample.at / stepMs) * stepMs;
  const track = context.tracks.get(keyOf(sample.process)) ?? admit(context, sample.process, sample.at);
  if (!track) { context.losses.add(`samples of processes beyond the ${context.keptTracks} with a history`); return; }
  if (slot <= newestOf(context, track, sample.at) - keptMs) { context.losses.add('rows too old for their tier of history'); return; }
  if (!track.holds(tier, slot)) {
    if (context.waiting >= MAX_WAITING) { context.losses.add('rows of history that the disk did not take in time'); return; }
    context.waiting += 1;
  }
  track.put(tier, slot, sample.values);
}

/** A minute of the future is the difference of two clocks; more was written while this clock was wrong, and must not make everything else old. */
const FUTURE_MS = 60_000;

function newestOf(context: Context, track: Track, at: number): number {
  const now = context.clock.now();
  return track.lastAt > now + FUTURE_MS ? Math.max(now, at) : track.lastAt;
}

/** A new track, where there is room for one: all places taken by living processes leave the newcomer without. */
function admit(context: Context, process: ProcessKey | undefined, at: number): Track | undefined {
  if (process && at < context.fullUntil) return undefined;
  const full = process !== undefined && processTracks(context).length >= context.keptTracks;
  if (full && !replaceOldest(context, at - DEAD_AFTER_MS)) {
    context.fullUntil = Math.min(...processTracks(context).map(([, track]) => track.lastAt)) + DEAD_AFTER_MS;
    return undefined;
  }
  const key = keyOf(process);
  const track = createTrack(join(context.folder, `${key}${ENDING}`), context.instance, process, context.losses);
  context.tracks.set(key, track);
  return track;
}

const processTracks = (context: Context): [string, Track][] => [...context.tracks].filter(([key]) => key !== SITE);

/** The process that ended first gives its place; its file goes with the next flush. */
function replaceOldest(context: Context, deadBefore: number): boolean {
  const oldest = processTracks(context).reduce<[string, Track] | undefined>((a, b) => (a === undefined || b[1].lastAt < a[1].lastAt ? b : a), undefined);
  if (!oldest || oldest[1].lastAt >= deadBefore) return false;
  context.tracks.delete(oldest[0]);
  context.leaving.push(oldest[1]);
  context.losses.add('histories of ended processes that gave place to newer ones');
  return true;
}

async function removeLeaving(context: Context): Promise<void> {
  for (let track = context.leaving.pop(); track; track = context.leaving.pop()) await track.remove();
}

/** Every track is tried; the first failure is thrown at the end, its rows wait for the next time. */
async function flushAll(context: Context): Promise<void> {
  if (!context.leads()) return;
  const now = context.clock.now();
  const failures: unknown[] = [];
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.push(error);
    }
  };
  await attempt(() => removeLeaving(context));
  for (const track of context.tracks.values()) {
    await attempt(() => track.flush(now));
    if (track.lastAt < now - RESTS_AFTER_MS) await attempt(() => track.rest());
  }
  context.waiting = [...context.tracks.values()].reduce((n, track) => n + track.waiting, 0);
  if (failures.length > 0) throw failures[0];
}
