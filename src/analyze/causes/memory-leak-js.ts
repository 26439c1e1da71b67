// Owns the cause memory-leak-js: the JavaScript heap grows without end, until its limit, the collector or a rule stops it.
import { bytes, duration } from '../../shared/units.ts';
import { effectText, type CauseRule, type Claim, type Weight } from './cause.ts';
import { crashesOf, rowsOf } from './crashes.ts';
import { gcThrashing } from './gc-thrashing.ts';
import { restartRows } from './restarts.ts';

export const memoryLeakJs: CauseRule = {
  id: 'memory-leak-js', about: 'a JavaScript heap that grows without end', explains: ['broke', 'refused', 'slow'], needs: ['inside', 'metrics'], collect: ['metrics', 'app-inside', 'node-heap-snapshot'],
  judge(scene): Claim[] {
    const growth = scene.measured.growths.find((g) => g.steady && g.of === 'heap') ?? scene.measured.growths.find((g) => g.steady && g.of === 'private' && !scene.measured.site('app.heap-used').some(([, v]) => v !== null));
    if (!growth) return [];
    const crashes = crashesOf(scene).crashes.filter((c) => (c.ending === 'heap-limit' || (growth.of === 'heap' && c.ending === 'memory-kill')) && c.exit.at >= growth.at);
    const collecting = gcThrashing.judge(scene).flatMap((c) => c.rows);
    const recycled = restartRows(scene, (r) => r.by === 'rule' && /memory|private/i.test(r.said)).rows;
    const rows = [...new Set([...rowsOf(crashes), ...collecting, ...recycled])];
    if (rows.length === 0 && crashes.length === 0) return [];
    const weights: Weight[] = [{ by: growth.of === 'heap' ? 0.6 : 0.4, says: `${growth.of === 'heap' ? 'the heap' : 'the process'} grew steadily from ${bytes(growth.from)} to ${bytes(growth.to)} in ${duration(growth.until - growth.at)}` }];
    if (crashes.length > 0) weights.push({ by: 0.6, says: 'it ended at the limit of the heap' });
    if (crashes.length > 1) weights.push({ by: 0.3, says: `the same ${crashes.length} times` });
    if (collecting.length > 0) weights.push({ by: 0.4, says: 'the collector ran out of room' });
    if (recycled.length > 0) weights.push({ by: 0.5, says: 'a rule recycled it for its memory' });
    return [{
      cause: 'memory-leak-js', key: '', rows, weights, incidents: Math.max(1, crashes.length), since: growth.at, bad: crashes.length > 0,
      for: [{ text: `${growth.of === 'heap' ? 'JavaScript heap' : 'Private bytes'}: ${bytes(growth.from)} to ${bytes(growth.to)}`, at: growth.at, until: growth.until, where: growth.proof.where }], against: [],
      chain: [{ at: growth.at, what: `The heap grows from ${bytes(growth.from)} to ${bytes(growth.to)}`, part: 'root' }, ...(crashes[0] ? [{ at: crashes[0].exit.at, what: 'It meets its limit, and V8 ends the process', part: 'link' as const }] : []), ...(rows[0] ? [{ at: rows[0].at, what: 'Requests break off or wait', part: 'effect' as const }] : [])],
      title: (t) => `The JavaScript heap leaks: it grew from ${bytes(growth.from)} to ${bytes(growth.to)} in ${duration(growth.until - growth.at)}${crashes.length > 0 ? ', until V8 ended the process' : ''}; ${effectText(t, 'no failed request was seen')}.`,
      advice: ['Find it: two heap snapshots some minutes apart; the comparison names what stays and who holds it (a cache without a bound, listeners, closures of timers).', 'Stop it now: a restart gives as much time as it took to grow.', 'Until it is fixed: a rule that takes a snapshot and restarts before the limit.'], mitigations: ['restart'],
    }];
  },
  excludes: (scene) => (scene.measured.site('app.heap-used').some(([, v]) => v !== null) && scene.measured.growths.every((g) => g.of !== 'heap') ? 'the JavaScript heap did not grow' : scene.measured.processes.length > 0 && scene.measured.growths.length === 0 ? 'no process grew' : undefined),
};
