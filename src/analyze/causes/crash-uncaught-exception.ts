// Owns the cause crash-uncaught-exception: an exception that nothing catches ends the process, and the requests in it.
import { exceptionName } from '../crash-chain.ts';
import { exitWords } from '../parse/exits.ts';
import { effectText, oneLine, type CauseRule, type Claim } from './cause.ts';
import { crashClaim } from './crash-claim.ts';
import { crashesOf, culpritsOf } from './crashes.ts';

export const crashUncaughtException: CauseRule = {
  id: 'crash-uncaught-exception', about: 'an exception that nothing catches', explains: ['broke', 'refused', 'stopped', 'gateway'], needs: ['exits', 'app-log'], collect: ['application-logs', 'event-log', 'changes'],
  judge: (scene): Claim[] => culpritsOf(crashesOf(scene).crashes.filter((c) => c.ending === 'exception')).map(({ key, exception, crashes }) => {
    const said = crashes.find((c) => c.exit.said !== undefined)?.exit.said;
    const name = exception === undefined ? oneLine(said ?? 'an exception', 140) : exceptionName(exception, true);
    return crashClaim(scene, crashes, {
      cause: 'crash-uncaught-exception', key,
      proof: [exception ? exception.fatal > 0 ? { by: 0.7, says: 'the log holds the exception in the words of a dying process' } : { by: 0.45, says: 'the log holds an exception of that process just before' } : { by: 0.45, says: 'the process left a note with the exception' }],
      root: [{ ...(exception?.seen[0]?.at === undefined ? {} : { at: exception.seen[0].at }), what: 'An exception that nothing catches is thrown', detail: [name, ...exception?.frames.slice(0, 4).map((f) => `    ${f.text}`) ?? []].join('\n'), part: 'root' }],
      title: (told, times, trigger) => `The process crashed ${times} on ${name},${trigger === undefined ? '' : ` thrown by ${oneLine(trigger, 100)} and`} caught by nothing: ${effectText(told, 'no failed request was seen')}.`,
      advice: [
        `Fix it: handle the case at ${exception?.place ?? 'the place that the stack names'}; the stack below shows how it came there.`,
        'Stop it now: roll the last deployment back if the error came with it; restarting helps only until the next such request.',
        `Be safe: catch errors at the edge of each request, so that one request fails and not the process (${exitWords(crashes[0]?.exit ?? { code: undefined, signal: undefined })} ends all of them).`,
      ],
    });
  }),
  excludes: (scene) => (!scene.has.has('exits') ? undefined : crashesOf(scene).crashes.length === 0 ? 'no process ended without being asked to' : undefined),
};
