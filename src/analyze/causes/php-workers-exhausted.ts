// Owns the cause php-workers-exhausted: all PHP processes are at work and the next request waits for one, or is turned away.
import { effectText, type CauseRule, type Claim } from './cause.ts';
import { signClaim, timesText } from './sign-claim.ts';

export const phpWorkersExhausted: CauseRule = {
  id: 'php-workers-exhausted', about: 'PHP processes that are all at work', explains: ['busy', 'silent', 'slow'], needs: ['app-log', 'front-log', 'http'], collect: ['php-error-log'], byHand: 'the log of php-fpm and its status page',
  judge(scene): Claim[] {
    const signs = scene.signs('php-children');
    const queue = scene.rows.failed.filter((r) => r.status === 503 && r.sub === 4);
    const busy = scene.rows.failed.filter((r) => r.effect === 'busy' && r.sub === undefined);
    if (signs.length === 0 && queue.length === 0) return [];
    const since = signs.flatMap((s) => s.times)[0];
    // php-fpm says it once and stays so: what waits from then on waits for a process.
    const waiting = since === undefined ? [] : [...scene.rows.failed, ...scene.rows.slow, ...scene.rows.long].filter((r) => r.until >= since - 5_000 && (r.effect === 'silent' || r.effect === 'busy' || r.effect === 'fine' || (r.effect === 'gateway' && r.status === 504)));
    const slow = scene.signs('php-slow');
    return signClaim(scene, {
      cause: 'php-workers-exhausted', signs, effects: ['busy', 'silent', 'slow', 'gateway'], by: 0.85, says: 'php-fpm said that it has as many processes as it may', rows: [...queue, ...busy, ...waiting], what: 'All PHP processes are at work',
      more: [...(queue.length > 0 ? [{ by: 0.8, says: 'the server answered that the FastCGI queue is full' }] : []), ...(busy.length > 0 ? [{ by: 0.5, says: 'the socket of PHP took no further connection' }] : [])],
      facts: slow.slice(0, 2).map((s) => ({ text: `PHP's slow log: ${s.text}`, where: s.proof.where, ...(s.proof.line === undefined ? {} : { proof: s.proof.line }) })),
      title: (t) => `All PHP processes are at work and requests wait for one: ${effectText(t, `php-fpm said so ${timesText(signs)}`)}.`,
      advice: ['Find what the processes do: the slow log (request_slowlog_timeout) and the status page show script and line.', 'Shorten that (a slow query, a call without a time limit); then raise pm.max_children as far as the memory allows.', 'Stop it now: scale out, or restart php-fpm.'], mitigations: ['restart'],
    });
  },
  excludes: (scene) => (scene.has.has('app-log') && scene.signs('php-children').length === 0 && !scene.rows.failed.some((r) => r.status === 503 && r.sub === 4) ? 'PHP did not say that its processes were all at work' : undefined),
};
