// Owns the cause heap-limit-reached: the JavaScript heap met its limit and V8 ended the process.
import { bytes } from '../../shared/units.ts';
import { effectText, oneLine, type CauseRule, type Claim } from './cause.ts';
import { crashClaim } from './crash-claim.ts';
import { crashesOf } from './crashes.ts';

export const heapLimitReached: CauseRule = {
  id: 'heap-limit-reached', about: 'the limit of the JavaScript heap', explains: ['broke', 'refused', 'gateway'], needs: ['app-log', 'inside'], collect: ['application-logs', 'event-log', 'node-heap-snapshot'],
  judge(scene): Claim[] {
    const crashes = crashesOf(scene).crashes.filter((c) => c.ending === 'heap-limit');
    const [first] = crashes;
    const signs = scene.signs('js-heap-out');
    if (!first) return [];
    const limit = scene.inside.apps.find((a) => a.heap !== undefined)?.heap?.limit;
    return [crashClaim(scene, crashes, {
      cause: 'heap-limit-reached', key: '', proof: [signs.length > 0 ? { by: 0.85, says: 'V8 said in the log that the heap is out of memory' } : { by: 0.6, says: 'the heap stood at its limit when the process ended' }],
      for: signs.slice(0, 1).map((s) => ({ text: oneLine(s.text, 200), ...(s.times[0] === undefined ? {} : { at: s.times[0] }), where: s.proof.where, ...(s.proof.line === undefined ? {} : { proof: s.proof.line }) })),
      root: [{ at: first.exit.at, what: `The JavaScript heap meets its limit${limit === undefined ? '' : ` of ${bytes(limit)}`}`, ...(signs[0] === undefined ? {} : { detail: signs[0].text }), part: 'root' }],
      title: (told, times, trigger) => `The JavaScript heap reached its limit${limit === undefined ? '' : ` of ${bytes(limit)}`} and V8 ended the process ${times}${trigger === undefined ? '' : `, each time during ${oneLine(trigger, 100)}`}: ${effectText(told, 'no failed request was seen')}.`,
      advice: ['Find what fills it: a heap snapshot shortly before (Dumps, "when the heap is nearly full") names the objects and who holds them.', 'If one request does it, read and answer in pieces (streams) instead of holding everything.', 'For time: raise the limit with NODE_OPTIONS=--max-old-space-size, as far as the plan\'s memory allows.'],
      mitigations: ['restart'],
    })];
  },
  excludes: (scene) => (crashesOf(scene).crashes.some((c) => c.ending === 'heap-limit') ? undefined : scene.has.has('inside') && scene.inside.apps.every((a) => a.heap === undefined || a.heap.used < a.heap.limit * 0.7) ? 'the JavaScript heap stayed below 70 % of its limit' : scene.has.has('exits') && crashesOf(scene).crashes.length === 0 ? 'no process ended without being asked to' : scene.has.has('app-log') && scene.signs('js-heap-out').length === 0 ? 'V8 said nothing of an exhausted heap' : undefined),
};
