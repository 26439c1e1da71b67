// Owns the cause crash-loop: the process dies soon after each start whatever is asked of it, until the platform gives it up.
import { duration } from '../../shared/units.ts';
import { exceptionName } from '../crash-chain.ts';
import { effectText, type CauseRule, type Claim } from './cause.ts';
import type { Scene } from '../events/scene.ts';
import { crashClaim } from './crash-claim.ts';
import { crashesOf, triggerOf, type Ended } from './crashes.ts';

const LEAST = 3;
/** A life of under a minute is no life. */
const SHORT_MS = 60_000;
/** Deaths at the same age are the process's own doing; those of a request come when the request comes. */
const SPREAD = 0.35;
/** Ages this equal over so many lives are no chance, whatever request was in flight each time. */
const SAME_AGE = { spread: 0.12, lives: 4 };
/** Endings whose reason does not make another cause of the loop. */
const ITS_OWN: ReadonlySet<Ended['ending']> = new Set(['exception', 'rejection', 'unknown']);

export const crashLoop: CauseRule = {
  id: 'crash-loop', about: 'a process that dies after each start', explains: ['refused', 'stopped', 'broke'], needs: ['exits'], collect: ['event-log', 'changes', 'application-logs'],
  judge(scene): Claim[] {
    const { crashes } = crashesOf(scene);
    const stop = scene.lives.restarts.find((r) => r.by === 'stopped');
    const lives = livesOf(crashes, scene);
    if (crashes.length < LEAST || (lives.length < LEAST && !stop)) return [];
    const long = lives.filter((ms) => ms >= SHORT_MS).length;
    if (long * 2 > lives.length) return [];
    const spread = spreadOf(lives);
    const alike = lives.length >= LEAST && spread <= SPREAD && (triggerOf(crashes) === undefined || (spread <= SAME_AGE.spread && lives.length >= SAME_AGE.lives));
    const exception = crashes.find((c) => c.exception)?.exception;
    const typical = [...lives].sort((a, b) => a - b)[Math.floor(lives.length / 2)];
    const claim = crashClaim(scene, crashes, {
      cause: 'crash-loop', key: '', since: crashes[0]?.exit.at,
      proof: [{ by: alike ? 0.7 : 0.3, says: alike ? 'it dies at about the same age each time, whatever was asked' : 'it died again and again within a minute of its start' }, ...(stop ? [{ by: 0.4, says: 'the platform gave the app up after too many failures' }] : [])],
      for: stop ? [{ text: stop.said, at: stop.at, where: stop.proof.where }] : [], root: [],
      title: (told, times) => `The process dies ${typical === undefined ? 'soon after each start' : `about ${duration(typical)} after each start`}, ${times}${exception === undefined ? '' : ` (\`${exceptionName(exception, true)}\`)`}${stop ? ', until the platform stopped the app' : ''}: ${effectText(told, 'no failed request was seen')}.`,
      advice: ['Read what the process says last in its log: it ends by itself, not by a request.', 'Stop it now: roll the last deployment or setting back.', ...(stop ? ['Start the app again when it is fixed: the platform has stopped it.'] : [])],
      mitigations: ['restart'],
    });
    return [alike && crashes.every((c) => ITS_OWN.has(c.ending)) ? { ...claim, over: ['crash-uncaught-exception', 'crash-unhandled-rejection', 'exit-unexplained'] } : claim];
  },
  excludes: (scene) => (!scene.has.has('exits') ? undefined : crashesOf(scene).crashes.length < LEAST ? `${crashesOf(scene).crashes.length === 0 ? 'no process' : 'a process'} ended without being asked to${crashesOf(scene).crashes.length === 0 ? '' : ' fewer than three times'}` : undefined),
};

/** From listening on where that is known of each: the start of a process is seen late, its port at once. */
function livesOf(crashes: readonly Ended[], scene: Scene): number[] {
  const listened = crashes.flatMap(({ exit }) => { const from = scene.lives.starts.filter((s) => s.listening && s.pid === exit.pid && s.at <= exit.at).at(-1)?.at; return from === undefined || exit.pid === undefined ? [] : [exit.at - from]; });
  if (listened.length === crashes.length) return listened;
  const told = crashes.flatMap((c) => (c.livedMs === undefined ? [] : [c.livedMs]));
  if (told.length >= LEAST) return told;
  return crashes.slice(1).map((c, i) => c.exit.at - (crashes[i]?.exit.at ?? c.exit.at));
}

/** Standard deviation over mean. */
function spreadOf(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return mean === 0 ? 0 : Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length) / mean;
}
