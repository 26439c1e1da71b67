// Owns the cause not-listening: the process lives, but nothing accepts connections where the front looks for it.
import { effectText, plural, rowsFact, weightOf, type CauseRule, type Claim, type Weight } from './cause.ts';
import { crashesOf, rowsOf } from './crashes.ts';
import { factOf } from './sign-claim.ts';

const LASTS_MS = 5_000;
/** The platform gives an app up with its last start. */
const STOPS_MS = 10_000;

export const notListening: CauseRule = {
  id: 'not-listening', about: 'an app that does not listen', explains: ['refused'], needs: ['http', 'front-log', 'app-log'], collect: ['event-log', 'application-logs', 'open-files'],
  judge(scene): Claim[] {
    const crashed = new Set(rowsOf(crashesOf(scene).crashes));
    const stop = scene.lives.restarts.find((r) => r.by === 'stopped' && scene.signs('listen-late', 'ping-failed').some((s) => s.times.some((at) => Math.abs(at - r.at) <= STOPS_MS)));
    const rows = scene.rows.failed.filter((r) => !crashed.has(r) && (r.effect === 'refused' || (stop !== undefined && r.effect === 'stopped' && r.until >= stop.at)));
    const pings = scene.signs('ping-failed', 'listen-late');
    const failedStart = crashesOf(scene).crashes.filter((c) => c.exit.starting && /listen/i.test(c.exit.proof.line ?? ''));
    const [first] = rows, last = rows.at(-1);
    if (!first && pings.length === 0) return [];
    const lasted = first && last ? last.at - first.at : 0;
    const weights: Weight[] = [];
    if (first) weights.push({ by: 0.55, says: 'the front found nobody who takes the connection' });
    if (first && lasted >= LASTS_MS && scene.has.has('exits')) weights.push({ by: 0.4, says: 'no process ended meanwhile' });
    if (pings.length > 0) weights.push({ by: 0.6, says: 'the platform waited for its port in vain' });
    if (failedStart.length > 0) weights.push({ by: 0.4, says: 'the process was ended because it did not listen' });
    const okBetween = first && last ? scene.rows.norms.within('', undefined, first.at, last.at) : { count: 0, failed: 0 };
    if (okBetween.count - okBetween.failed > okBetween.failed) weights.push({ by: -0.3, says: 'most requests were answered meanwhile' });
    return [{
      cause: 'not-listening', key: '', rows, weights, incidents: Math.max(rows.length, pings.length), since: first?.at ?? pings[0]?.times[0], bad: pings.length > 0,
      for: [...pings.slice(0, 2).map(factOf), ...rowsFact(rows, 'found nobody listening')], against: [],
      chain: [{ ...(first ? { at: first.at } : {}), what: 'Nothing listens where the front looks for the app', ...(pings[0] ? { detail: pings[0].text } : {}), part: 'root' }, ...(first ? [{ at: first.at, what: `${plural(Math.round(weightOf(rows)), 'request')} are refused`, part: 'effect' as const }] : [])],
      title: (t) => `Nothing listens where the front looks for the app, though no process was seen to end: ${effectText(t, 'the platform\'s pings got no answer')}.`,
      advice: ['Check in the log how far the start came: a migration or a call that hangs before listen() keeps the app away.', 'Listen on 0.0.0.0 and on the port that the platform gives (PORT, HTTP_PLATFORM_PORT), not on a fixed one.', 'Stop it now: restart; roll the last deployment back.'], mitigations: ['restart'],
    }];
  },
  excludes: (scene) => (scene.rowsFrom !== 'none' && !scene.rows.failed.some((r) => r.effect === 'refused') ? 'no request was refused for want of a listener' : undefined),
};
