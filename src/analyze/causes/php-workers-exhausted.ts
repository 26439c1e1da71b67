// Owns the cause php-workers-exhausted: all PHP processes are at work and the next request waits for one, or is turned away.
import { duration } from '../../shared/units.ts';
import type { PhpPoolEvent } from '../events/read-php.ts';
import { effectText, plural, type CauseRule, type Claim } from './cause.ts';
import { signClaim, timesText } from './sign-claim.ts';

export const phpWorkersExhausted: CauseRule = {
  id: 'php-workers-exhausted', about: 'PHP processes that are all at work', explains: ['busy', 'silent', 'slow'], needs: ['app-log', 'front-log', 'http', 'php-status'], collect: ['php-process-report', 'php-error-log'], byHand: 'the log of php-fpm',
  judge(scene): Claim[] {
    const signs = scene.signs('php-children');
    const queue = scene.rows.failed.filter((r) => r.status === 503 && r.sub === 4);
    const busy = scene.rows.failed.filter((r) => r.effect === 'busy' && r.sub === undefined);
    const full = scene.phpPools.filter((pool) => pool.full);
    if (signs.length === 0 && queue.length === 0 && full.length === 0) return [];
    const since = [...signs.flatMap((s) => s.times).slice(0, 1), ...full.map((pool) => pool.since)].sort((a, b) => a - b)[0];
    // php-fpm says it once and stays so: what waits from then on waits for a process.
    const waiting = since === undefined ? [] : [...scene.rows.failed, ...scene.rows.slow, ...scene.rows.long].filter((r) => r.until >= since - 5_000 && (r.effect === 'silent' || r.effect === 'busy' || r.effect === 'fine' || (r.effect === 'gateway' && r.status === 504)));
    const slow = scene.signs('php-slow');
    return signClaim(scene, {
      cause: 'php-workers-exhausted', signs, effects: ['busy', 'silent', 'slow', 'gateway'], by: 0.85, says: 'php-fpm said that it has as many processes as it may', rows: [...queue, ...busy, ...waiting], what: 'All PHP processes are at work',
      more: [...full.slice(0, 1).map((pool) => ({ by: 0.8, says: `pool ${pool.pool} had no process free when it was asked${pool.queue > 0 ? ` and ${pool.queue} requests waited` : ''}` })), ...(queue.length > 0 ? [{ by: 0.8, says: 'the server answered that the FastCGI queue is full' }] : []), ...(busy.length > 0 ? [{ by: 0.5, says: 'the socket of PHP took no further connection' }] : [])],
      facts: [...full.map((pool) => ({ text: poolText(pool), at: pool.at, where: pool.where })), ...slow.slice(0, 2).map((s) => ({ text: `PHP's slow log: ${s.text}`, where: s.proof.where, ...(s.proof.line === undefined ? {} : { proof: s.proof.line }) }))],
      title: (t) => `All PHP processes are at work and requests wait for one: ${effectText(t, signs.length > 0 ? `php-fpm said so ${timesText(signs)}` : 'its pool has none free')}.`,
      advice: ['Find what the processes do: the slow log (request_slowlog_timeout) and the status page show script and line.', 'Shorten that (a slow query, a call without a time limit); then raise pm.max_children as far as the memory allows.', 'Stop it now: scale out, or restart php-fpm.'], mitigations: ['restart'],
    });
  },
  excludes: (scene) => (scene.has.has('app-log') && scene.signs('php-children').length === 0 && !scene.phpPools.some((pool) => pool.full) && !scene.rows.failed.some((r) => r.status === 503 && r.sub === 4) ? 'PHP did not say that its processes were all at work' : undefined),
};

function poolText(pool: PhpPoolEvent): string {
  const busy = pool.active === undefined ? 'gave no answer to its own status page: no process was free' : `${pool.active}${pool.limit === undefined ? '' : ` of ${pool.limit}`} processes at work, ${plural(pool.queue, 'request')} waiting`;
  const at = pool.scripts.map((one) => `${one.workers} in ${one.script} for up to ${duration(one.longestMs)}`).join(', ');
  return `Pool ${pool.pool}: ${busy}${at === '' ? '' : `; ${at}`}`;
}
