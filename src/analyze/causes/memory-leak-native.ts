// Owns the cause memory-leak-native: the process grows outside of its managed heap until it is ended for its memory.
import { bytes, duration } from '../../shared/units.ts';
import { effectText, type CauseRule, type Claim } from './cause.ts';
import { crashesOf, rowsOf } from './crashes.ts';
import { restartRows } from './restarts.ts';

export const memoryLeakNative: CauseRule = {
  id: 'memory-leak-native', about: 'memory that grows outside of the heap', explains: ['broke', 'refused', 'slow'], needs: ['metrics'], collect: ['metrics', 'memory-dump'],
  judge(scene): Claim[] {
    const growth = scene.measured.growths.find((g) => g.steady && g.of === 'private');
    const heapKnown = scene.measured.site('app.heap-used').some(([, v]) => v !== null);
    if (!growth || scene.measured.growths.some((g) => g.of === 'heap')) return [];
    const crashes = crashesOf(scene).crashes.filter((c) => c.ending === 'memory-kill' && c.exit.at >= growth.at && (growth.pid === undefined || c.exit.pid === undefined || growth.pid === c.exit.pid));
    const recycled = restartRows(scene, (r) => r.by === 'rule' && /memory|private/i.test(r.said)).rows;
    const rows = [...new Set([...rowsOf(crashes), ...recycled])];
    if (!heapKnown || (rows.length === 0 && crashes.length === 0)) return [];
    return [{
      cause: 'memory-leak-native', key: '', rows, incidents: Math.max(1, crashes.length), since: growth.at, bad: crashes.length > 0,
      weights: [{ by: 0.45, says: `the process grew steadily from ${bytes(growth.from)} to ${bytes(growth.to)} in ${duration(growth.until - growth.at)}` }, { by: 0.5, says: 'its JavaScript heap did not grow with it' }, ...(crashes.length > 0 ? [{ by: 0.5, says: 'it was killed when it was largest' }] : [{ by: 0.4, says: 'a rule recycled it for its memory' }])],
      for: [{ text: `Private bytes: ${bytes(growth.from)} to ${bytes(growth.to)}, the heap flat`, at: growth.at, until: growth.until, where: growth.proof.where }], against: [],
      chain: [{ at: growth.at, what: `Memory outside of the heap grows from ${bytes(growth.from)} to ${bytes(growth.to)}`, part: 'root' }, ...(crashes[0] ? [{ at: crashes[0].exit.at, what: 'The system ends the process', part: 'link' as const }] : []), ...(rows[0] ? [{ at: rows[0].at, what: 'Requests break off', part: 'effect' as const }] : [])],
      title: (t) => `Memory outside of the JavaScript heap leaks: the process grew from ${bytes(growth.from)} to ${bytes(growth.to)} in ${duration(growth.until - growth.at)} while its heap stayed flat; ${effectText(t, 'no failed request was seen')}.`,
      advice: ['Suspect buffers that are kept, native packages (images, compression, databases) and their newest version.', 'Find it: a memory dump when it is large; external and arrayBuffers in the app\'s own figures tell buffers from the rest.', 'Stop it now: a restart gives as much time as it took to grow.'], mitigations: ['restart'],
    }];
  },
  excludes: (scene) => (scene.measured.processes.length > 0 && !scene.measured.growths.some((g) => g.of === 'private') ? 'no process grew' : undefined),
};
