// Owns the cause startup-too-slow: the app does start, but takes longer than those who wait for it.
import { duration } from '../../shared/units.ts';
import { effectText, rowsFact, type CauseRule, type Claim, type Weight } from './cause.ts';
import type { Scene } from '../events/scene.ts';
import { factOf, merge } from './sign-claim.ts';

/** Longer than a restart should be felt. */
const LONG_MS = 8_000;

/** App Service for Linux gives a container 230 s to its first answer, unless it is told otherwise. */
const LONG_WARMUP_MS = 60_000;
/** It says every quarter of a minute that it waits. */
const SAYS_AGAIN_MS = 45_000;

export const startupTooSlow: CauseRule = {
  id: 'startup-too-slow', about: 'a start that takes too long', explains: ['refused', 'unstartable', 'silent'], needs: ['exits', 'app-log', 'http'], collect: ['event-log', 'application-logs', 'changes'],
  judge(scene): Claim[] {
    const late = scene.signs('listen-late');
    const everListened = scene.lives.starts.some((s) => s.listening) || scene.signs('listening').some((l) => late.some((s) => l.named === s.named));
    const signs = [...scene.signs('start-slow'), ...(everListened ? late : [])];
    const told = scene.rows.failed.filter((r) => r.effect === 'unstartable' && r.sub === 37);
    const { starts } = scene.lives;
    const gaps = starts.filter((s) => !s.listening).flatMap((s) => { const ready = starts.find((l) => l.listening && l.at >= s.at && (l.pid === undefined || s.pid === undefined || l.pid === s.pid)); return ready && ready.at - s.at >= LONG_MS ? [{ from: s.at, until: ready.at }] : []; });
    const waited = scene.rows.failed.filter((r) => (r.effect === 'refused' || r.effect === 'unstartable' || r.effect === 'silent' || r.effect === 'gateway') && gaps.some((g) => r.until >= g.from && r.at <= g.until + 1_000));
    const rows = [...new Set([...told, ...waited, ...(signs.length > 0 ? scene.rows.failed.filter((r) => r.effect === 'refused' || r.effect === 'unstartable') : [])])].sort((a, b) => a.at - b.at);
    const warmed = warmupMs(scene);
    if (signs.length === 0 && told.length === 0 && waited.length === 0 && warmed < LONG_WARMUP_MS) return [];
    const longest = Math.max(0, warmed < LONG_WARMUP_MS ? 0 : warmed, ...gaps.map((g) => g.until - g.from));
    const weights: Weight[] = [];
    if (signs.length > 0) weights.push({ by: 0.7, says: 'the platform says that the start took longer than it waits' });
    if (told.length > 0) weights.push({ by: 0.75, says: '500.37 says that the app did not start in time' });
    if (longest > 0) weights.push({ by: 0.6, says: `from start to listening it took ${duration(longest)}` });
    if (waited.length > 0) weights.push({ by: 0.45, says: 'requests came meanwhile and found nobody' });
    return [{
      cause: 'startup-too-slow', key: '', rows, weights, incidents: Math.max(1, signs.length, gaps.length), since: gaps[0]?.from ?? rows[0]?.at ?? signs[0]?.times[0], bad: signs.length > 0 || warmed >= LONG_WARMUP_MS, for: [...[...signs, ...(warmed < LONG_WARMUP_MS ? [] : scene.signs('warming'))].slice(0, 2).map(factOf), ...rowsFact(rows, 'came before the app was ready')], against: [],
      chain: [{ ...(gaps[0] ? { at: gaps[0].from } : {}), what: `The app starts and is not ready for ${longest > 0 ? duration(longest) : 'longer than the platform waits'}`, part: 'root' }, ...(rows[0] ? [{ at: rows[0].at, what: 'Requests find nobody', part: 'effect' as const }] : [])],
      title: (t) => `The app takes ${longest > 0 ? duration(longest) : 'too long'} to start: ${effectText(t, signs.length > 0 ? 'the platform gave it up' : 'whoever comes meanwhile waits')}.`,
      advice: ['Listen first, then load: caches, migrations and connections can follow.', 'Warm up before traffic comes: a slot with applicationInitialization, Always On, a health check.', 'For time: WEBSITES_CONTAINER_START_TIME_LIMIT, startupTimeLimit of the handler.'],
    }];
  },
  excludes: (scene) => (scene.lives.starts.some((s) => s.listening) && scene.signs('start-slow').length === 0 ? 'each start was soon done' : undefined),
};

/** The longest time in which the platform said again and again that it waits for the first answer. */
function warmupMs(scene: Scene): number {
  let longest = 0, from = 0, before = 0;
  for (const at of merge(scene.signs('warming'))) {
    if (at - before > SAYS_AGAIN_MS) from = at;
    before = at;
    longest = Math.max(longest, at - from);
  }
  return longest;
}
