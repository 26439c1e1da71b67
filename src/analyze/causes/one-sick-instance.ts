// Owns the cause one-sick-instance: nearly all failures come from one instance or process, while the others serve the same requests well.
import { effectText, oneLine, count, rowsFact, type CauseRule, type Claim } from './cause.ts';
import { shareText } from '../parse/words.ts';

const LEAST_ROWS = 5;
const LEAST_TRAFFIC = 20;
const FAILED_SHARE = 0.9;
/** The others fail at most a tenth as often. */
const TIMES = 10;

export const oneSickInstance: CauseRule = {
  id: 'one-sick-instance', about: 'one sick instance', explains: ['broke', 'refused', 'silent', 'answered', 'busy', 'gateway'], needs: ['http'], collect: ['http-logs'],
  judge(scene): Claim[] {
    const all = [...scene.rows.instances].filter(([name]) => name !== '').sort((a, b) => b[1].failed - a[1].failed || (a[0] < b[0] ? -1 : 1));
    const [sick, ...others] = all;
    const rest = others.reduce((sum, [, one]) => ({ total: sum.total + one.total, failed: sum.failed + one.failed }), { total: 0, failed: 0 });
    if (!sick || sick[1].failed < LEAST_ROWS || rest.total < LEAST_TRAFFIC || sick[1].failed < (sick[1].failed + rest.failed) * FAILED_SHARE) return [];
    const rate = sick[1].failed / sick[1].total, other = rest.failed / rest.total;
    if (rate < other * TIMES) return [];
    const rows = scene.rows.failed.filter((r) => r.instance === sick[0]);
    const name = oneLine(sick[0], 60);
    // An answer whose reason nobody logged says less than where it comes from.
    const over: Claim['over'] = scene.logs.exceptions.length === 0 ? ['application-error', 'keep-alive-race'] : [];
    return [{
      cause: 'one-sick-instance', key: sick[0], rows, over, incidents: sick[1].failed, since: rows[0]?.at, weights: [{ by: 0.6, says: `${count(sick[1].failed)} of ${count(sick[1].failed + rest.failed)} failures are of ${name}` }, { by: 0.5, says: `the others served ${count(rest.total)} requests and failed ${count(rest.failed)}` }],
      for: rowsFact(rows, `failed on ${name}`), against: [], chain: [{ at: rows[0]?.at ?? 0, what: `${name} fails ${shareText(sick[1].failed, sick[1].total)} of its requests`, detail: `the others ${shareText(rest.failed, rest.total)}`, part: 'root' }],
      title: (t) => `Only ${name} is sick: ${effectText(t, '')}, ${shareText(sick[1].failed, sick[1].total)} of its own, while the others serve the same requests.`,
      advice: ['Stop it now: restart or replace that instance alone (advanced restart, or scale out and in).', 'Turn on the health check, so that the platform takes a sick instance out by itself.', 'Before that: diagnose on that instance, its state is the proof.'], mitigations: ['restart'],
    }];
  },
  excludes: (scene) => { const served = [...scene.rows.instances].filter(([, one]) => one.total > 0); return served.length > 1 ? 'the failures are spread over the instances' : undefined; },
};
