// Owns the cause crash-unhandled-rejection: a promise rejected without a handler ends a Node process since version 15.
import { exceptionName } from '../crash-chain.ts';
import { effectText, oneLine, type CauseRule, type Claim } from './cause.ts';
import { crashClaim } from './crash-claim.ts';
import { crashesOf, culpritsOf } from './crashes.ts';

export const crashUnhandledRejection: CauseRule = {
  id: 'crash-unhandled-rejection', about: 'a rejected promise that nothing handles', explains: ['broke', 'refused', 'stopped', 'gateway'], needs: ['exits', 'app-log'], collect: ['application-logs', 'event-log', 'changes'],
  judge: (scene): Claim[] => culpritsOf(crashesOf(scene).crashes.filter((c) => c.ending === 'rejection')).map(({ key, exception, crashes }) => {
    const name = exception === undefined ? oneLine(crashes.find((c) => c.exit.said !== undefined)?.exit.said ?? 'A rejected promise', 140) : exceptionName(exception, true);
    return crashClaim(scene, crashes, {
      cause: 'crash-unhandled-rejection', key, proof: [{ by: exception ? 0.7 : 0.5, says: 'the runtime said that a promise was rejected and nothing handled it' }],
      root: [{ ...(exception?.seen[0]?.at === undefined ? {} : { at: exception.seen[0].at }), what: 'A promise is rejected and nothing handles it', detail: [name, ...exception?.frames.slice(0, 4).map((f) => `    ${f.text}`) ?? []].join('\n'), part: 'root' }],
      title: (told, times, trigger) => `The process crashed ${times} on a promise that was rejected without a handler (${name})${trigger === undefined ? '' : `, from ${oneLine(trigger, 100)}`}: ${effectText(told, 'no failed request was seen')}.`,
      advice: [`Fix it: await the promise inside a try, or give it a catch, at ${exception?.place ?? 'the place that the stack names'}.`, 'Stop it now: roll the last deployment back if the error came with it.', 'Be safe: wrap asynchronous handlers so that their rejection answers 500 for one request (Express 4 does not do this by itself).'],
    });
  }),
  excludes: (scene) => (!scene.has.has('exits') ? undefined : crashesOf(scene).crashes.length === 0 ? 'no process ended without being asked to' : scene.has.has('app-log') && scene.signs('unhandled-rejection').length === 0 ? 'no log speaks of an unhandled rejection' : undefined),
};
