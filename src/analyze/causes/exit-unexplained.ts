// Owns the cause exit-unexplained: the process ended by itself and nothing says why; the end is certain, the reason open.
import { exitWords } from '../parse/exits.ts';
import { effectText, oneLine, saidBy, type CauseRule, type Claim } from './cause.ts';
import { crashClaim } from './crash-claim.ts';
import { crashesOf } from './crashes.ts';

/** An error that the app logged shortly before is no proof of the reason, and the first place to look. */
const ERROR_LINE = /^\S*\s*\[?(?:ERROR|FATAL)\b/i;
const lastWords = (said: string | undefined): string => (said !== undefined && ERROR_LINE.test(said) ? `; the last error that it wrote is "${oneLine(saidBy(said), 100)}"` : ', and nothing that was collected says why');

export const exitUnexplained: CauseRule = {
  id: 'exit-unexplained', about: 'an end of the process without a reason in sight', explains: ['broke', 'refused', 'stopped'], needs: ['exits'], collect: ['application-logs', 'event-log', 'changes'],
  judge(scene): Claim[] {
    const crashes = crashesOf(scene).crashes.filter((c) => c.ending === 'unknown');
    const [first] = crashes;
    if (!first) return [];
    const logs = scene.has.has('app-log');
    return [crashClaim(scene, crashes, {
      cause: 'exit-unexplained', key: '', proof: [{ by: logs ? 0.3 : 0.15, says: logs ? 'the logs were read and hold no exception: the app may have ended itself (process.exit)' : 'the application\'s log was not there to read' }],
      root: [],
      title: (told, times, trigger) => `The process ended ${times} with ${exitWords(first.exit)}${trigger === undefined ? '' : ` while ${oneLine(trigger, 100)} was running`}${lastWords(first.exit.said)}: ${effectText(told, 'no failed request was seen')}.`,
      advice: [logs ? 'Search the code for process.exit, System.exit or Environment.Exit.' : 'Turn on the application\'s log, so that the next end leaves its reason.', 'Set a dump on the end of the process (Dumps, "when it crashes").'],
      mitigations: ['restart'],
    })];
  },
  excludes: (scene) => (scene.has.has('exits') && crashesOf(scene).crashes.length === 0 ? 'no process ended without being asked to' : scene.has.has('exits') ? 'each end has a reason' : undefined),
};
