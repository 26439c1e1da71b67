// Owns the cause gc-thrashing: the process spends its time collecting garbage, because its heap is nearly full.
import { percent } from '../../shared/units.ts';
import { effectText, rowsFact, type CauseRule, type Claim, type Weight } from './cause.ts';
import { factOf } from './sign-claim.ts';

const LEAST_LINES = 8;

export const gcThrashing: CauseRule = {
  id: 'gc-thrashing', about: 'a collector of garbage that takes all the time', explains: ['slow', 'silent', 'busy'], needs: ['inside', 'app-log'], collect: ['app-inside', 'node-heap-snapshot'],
  judge(scene): Claim[] {
    const spans = scene.inside.collections;
    const lines = scene.signs('collecting').filter((s) => s.count >= LEAST_LINES);
    const [span] = spans;
    const times = lines.flatMap((s) => s.times);
    if (!span && lines.length === 0) return [];
    const from = span?.at ?? Math.min(...times), until = span ? span.at + span.forMs : Math.max(...times);
    const rows = [...scene.rows.failed.filter((r) => r.effect === 'silent' || r.effect === 'busy'), ...scene.rows.slow, ...(span ? scene.rows.long : [])].filter((r) => !Number.isFinite(from) || (r.until >= from && r.from <= until)).sort((a, b) => a.at - b.at);
    if (rows.length === 0) return [];
    const weights: Weight[] = [];
    if (span) weights.push({ by: span.share >= 0.4 ? 0.7 : 0.5, says: `${percent(Math.round(span.share * 100))} of the time went into collecting` });
    if (span?.heapShare !== undefined) weights.push(span.heapShare >= 0.8 ? { by: 0.5, says: `the heap stood at ${percent(Math.round(span.heapShare * 100))} of its limit` } : { by: -0.2, says: `the heap stood at only ${percent(Math.round(span.heapShare * 100))} of its limit` });
    if (lines.length > 0) weights.push({ by: 0.45, says: `the log holds ${lines.reduce((n, s) => n + s.count, 0)} collections` });
    return [{
      cause: 'gc-thrashing', key: '', rows, weights, incidents: spans.length + lines.length, since: Number.isFinite(from) ? from : undefined,
      for: [...(span ? [{ text: `${percent(Math.round(span.share * 100))} of the time was spent collecting garbage`, at: Math.max(0, Math.round(span.at)), where: span.proof.where }] : []), ...lines.slice(0, 2).map(factOf), ...rowsFact(rows, 'waited meanwhile')], against: [],
      chain: [{ ...(Number.isFinite(from) ? { at: Math.max(0, Math.round(from)) } : {}), what: 'The heap is nearly full and the collector runs again and again', part: 'root' }, { at: rows[0]?.at ?? 0, what: 'Requests wait while it runs', part: 'effect' }],
      title: (t) => `The process spends ${span ? percent(Math.round(span.share * 100)) : 'much'} of its time collecting garbage: ${effectText(t, 'requests wait meanwhile')}.`,
      advice: ['Find what fills the heap: a heap snapshot names the objects and who holds them.', 'If all of it is needed: raise the limit (--max-old-space-size, -Xmx) as far as the plan\'s memory allows.', 'Stop it now: restart.'], mitigations: ['restart'],
    }];
  },
  excludes: (scene) => (scene.has.has('inside') && scene.inside.collections.length === 0 ? 'less than a fifth of the time went into collecting' : undefined),
};
