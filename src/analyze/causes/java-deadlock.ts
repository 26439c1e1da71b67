// Owns the cause java-deadlock: threads of a JVM hold locks that each other wait for, seen in a thread dump.
import { effectText, oneLine, rowsFact, type CauseRule, type Claim } from './cause.ts';

export const javaDeadlock: CauseRule = {
  id: 'java-deadlock', about: 'a deadlock of Java threads', explains: ['silent', 'slow', 'gateway'], needs: ['threads'], collect: ['java-thread-dump', 'application-logs'],
  judge(scene): Claim[] {
    const dumps = scene.logs.threads.filter((t) => t.deadlock.length > 1);
    const signs = scene.signs('java-deadlock');
    if (dumps.length === 0 && signs.length === 0) return [];
    const names = dumps[0]?.deadlock ?? [];
    const rows = [...scene.rows.failed.filter((r) => r.effect === 'silent' || (r.effect === 'gateway' && r.status === 504)), ...scene.rows.slow].sort((a, b) => a.at - b.at);
    const who = names.length === 0 ? 'Java threads' : `The threads ${names.slice(0, 3).map((n) => `"${oneLine(n, 60)}"`).join(' and ')}`;
    return [{
      cause: 'java-deadlock', key: '', rows, incidents: Math.max(dumps.length, 1), bad: true,
      weights: [{ by: 0.9, says: 'a thread dump shows threads that wait for each other in a circle: they never end' }, ...(rows.length > 0 ? [{ by: 0.4, says: 'requests got no answer' }] : []), ...(dumps.length > 1 ? [{ by: 0.4, says: `the same in ${dumps.length} dumps` }] : [{ by: 0.3, says: 'the JVM names the locks and their owners' }])],
      for: [...dumps.slice(0, 2).map((d) => ({ text: `${d.deadlock.join(' and ')} wait for each other`, ...(d.at === undefined ? {} : { at: d.at }), where: d.proof.where, proof: d.stack.join('\n') })), ...rowsFact(rows, 'got no answer in time')], against: [],
      chain: [{ ...(dumps[0]?.at === undefined ? {} : { at: dumps[0].at }), what: `${who} wait for each other`, detail: dumps[0]?.stack.join('\n') ?? '', part: 'root' }, ...(rows[0] === undefined ? [] : [{ at: rows[0].at, what: 'Requests that need these locks never end', part: 'effect' as const }])],
      title: (t) => `${who} are in a deadlock: each waits for a lock that another holds; ${effectText(t, 'requests that need them never end')}.`,
      advice: ['Fix it: take the locks in the same order everywhere; the stacks below show both orders.', 'Stop it now: restart, a deadlock does not dissolve.', 'Be safe: tryLock with a time limit where two locks are needed.'], mitigations: ['restart'],
    }];
  },
  excludes: (scene) => (scene.logs.threads.length > 0 && scene.logs.threads.every((t) => t.deadlock.length === 0) ? 'the thread dump holds no circle of locks' : undefined),
};
