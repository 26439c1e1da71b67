// Owns the cause recycled-by-user: someone restarted or stopped the app, or a deployment did, and the requests in it broke off.
import type { CauseRule, Claim } from './cause.ts';
import { recycleClaim } from './recycled.ts';
import { restartRows, rowsOfGap } from './restarts.ts';
import type { RestartEvent } from '../events/event.ts';

const ASKED_MS = 35_000;
/** A process that goes when the file of its configuration is written goes within seconds. */
const ADVICE = ['Nothing in the app is wrong: requests that are in flight in a restart end with it.', 'Let the app finish them: stop listening on SIGTERM, answer what is open, then exit.', 'Restart without a gap: swap slots, or restart instance by instance.'];

export const recycledByUser: CauseRule = {
  id: 'recycled-by-user', about: 'a restart that someone asked for', explains: ['broke', 'refused', 'recycling', 'gone'], needs: ['exits'], collect: ['event-log', 'changes'],
  judge(scene): Claim[] {
    const asked = restartRows(scene, (r) => r.by === 'user');
    if (asked.rows.length > 0) return recycleClaim('recycled-by-user', asked.restarts, asked.rows, { who: 'Someone restarted the app', weights: [{ by: 0.8, says: 'the list of changes names the restart' }], advice: ADVICE });
    const { exits, restarts, changes } = scene.lives;
    const deployed = changes.filter((c) => rowsOfGap(scene, c.at).length > 0);
    const byDeployment = deployed.flatMap((c) => rowsOfGap(scene, c.at));
    if (byDeployment.length > 0) return recycleClaim('recycled-by-user', deployed.map((c) => ({ at: c.at, by: 'user' as const, said: c.said, proof: c.proof })), [...new Set(byDeployment)], { who: 'A change of the site restarted the app', weights: [{ by: 0.6, says: 'a deployment or change of the configuration replaces the process' }], advice: ADVICE, remark: true });
    const alone = exits.filter((e) => e.planned && !restarts.some((r) => Math.abs(r.at - e.at) <= ASKED_MS)).map((e): RestartEvent => ({ at: e.at, by: 'platform', said: `process ${e.pid ?? ''} was asked to end`.replace('  ', ' '), proof: e.proof }));
    const platform = restarts.filter((r) => r.by === 'platform');
    const all = [...platform, ...alone];
    return recycleClaim('recycled-by-user', all, [...new Set(all.flatMap((r) => rowsOfGap(scene, r.at)))], { who: 'The app was asked to end and was started again', weights: [{ by: 0.45, says: 'a process ended as one does that is asked to; who asked was not seen' }], advice: ADVICE });
  },
  excludes: (scene) => (scene.has.has('exits') && !scene.lives.restarts.some((r) => r.by !== 'rule') && !scene.lives.exits.some((e) => e.planned) ? 'nobody restarted the app in this time' : undefined),
};
