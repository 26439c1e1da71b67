// Owns the cause recycled-by-rule: auto-heal or another rule replaced the process, and the requests in it broke off.
import type { CauseRule, Claim } from './cause.ts';
import { recycleClaim } from './recycled.ts';
import { restartRows } from './restarts.ts';

export const recycledByRule: CauseRule = {
  id: 'recycled-by-rule', about: 'a rule that recycles the app', explains: ['broke', 'refused', 'recycling', 'gone'], needs: ['exits'], collect: ['event-log', 'changes'],
  judge(scene): Claim[] {
    const { restarts, rows } = restartRows(scene, (r) => r.by === 'rule');
    return recycleClaim('recycled-by-rule', restarts, rows, {
      who: 'A rule recycled the app', weights: [{ by: 0.8, says: 'the event log or the list of changes names the rule' }],
      advice: ['Look at what the rule counts: it reacts to a trouble that lies deeper, and its own restart ends the requests in flight.', 'Raise its limit or the minimum process time, or let it collect a dump before it recycles.', 'If it fires on a schedule of load: fix the slow or failing route that feeds it.'],
    });
  },
  excludes: (scene) => (scene.has.has('exits') && !scene.lives.restarts.some((r) => r.by === 'rule') ? 'no rule recycled the app in this time' : undefined),
};
