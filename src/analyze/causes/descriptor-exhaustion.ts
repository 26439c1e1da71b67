// Owns the cause descriptor-exhaustion: a process holds as many files and sockets as it may, and the next cannot be opened.
import { effectText, type CauseRule, type Claim } from './cause.ts';
import { signClaim, timesText } from './sign-claim.ts';

export const descriptorExhaustion: CauseRule = {
  id: 'descriptor-exhaustion', about: 'a lack of file descriptors', explains: ['answered', 'broke', 'silent', 'gateway', 'refused', 'slow'], needs: ['app-log', 'front-log', 'inside'], collect: ['open-files', 'application-logs'],
  judge(scene): Claim[] {
    const signs = scene.signs('no-descriptors');
    const codes = scene.inside.codes.filter((c) => c.sign === 'no-descriptors');
    if (signs.length === 0 && codes.length === 0) return [];
    const front = signs.some((s) => /worker_connections|accept4?\(\)/.test(s.text));
    return signClaim(scene, {
      cause: 'descriptor-exhaustion', signs, effects: ['answered', 'stopped', 'broke', 'silent', 'gateway', 'refused', 'slow'], by: 0.85, says: 'a log says that there are too many open files', crashBy: ['no-descriptors'], what: `${front ? 'The front' : 'The process'} may open no further file or socket`,
      more: codes.length > 0 ? [{ by: 0.5, says: 'the app itself saw EMFILE' }] : [],
      title: (t) => `${front ? 'The front server' : 'The app'} holds as many open files and sockets as it may (EMFILE): ${effectText(t, `the log says so ${timesText(signs)}`)}.`,
      advice: ['Find what is not closed: the list of open files (Open files) shows which path or remote end repeats.', 'Close streams on the error path too; share connections instead of opening one per request.', 'Stop it now: a restart closes them all; raise the limit (ulimit -n, worker_rlimit_nofile) only for what is really needed.'], mitigations: ['restart'],
    });
  },
  excludes: (scene) => ((scene.has.has('app-log') || scene.has.has('front-log')) && scene.signs('no-descriptors').length === 0 ? 'no log speaks of too many open files' : undefined),
};
