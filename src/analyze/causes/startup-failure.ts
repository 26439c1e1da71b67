// Owns the cause startup-failure: the process ends before it listens, again and again, or the server cannot start it at all.
import { exceptionName } from '../crash-chain.ts';
import type { CauseFact } from '../../shared/cause.ts';
import type { Scene } from '../events/scene.ts';
import { effectText, oneLine, plural, saidBy, rowsFact, type CauseRule, type Claim } from './cause.ts';
import { crashClaim } from './crash-claim.ts';
import { crashesOf, type Ended } from './crashes.ts';

/** A process that served before it ended has started. */
const YOUNG_MS = 15_000;

export const startupFailure: CauseRule = {
  id: 'startup-failure', about: 'a start that fails', explains: ['refused', 'stopped', 'unstartable', 'gateway'], needs: ['exits', 'app-log'], collect: ['event-log', 'application-logs', 'changes'],
  judge(scene): Claim[] {
    const crashes = unstarted(scene);
    const signs = scene.signs('module-missing', 'port-taken', 'start-failed', 'config-error').filter((s) => s.sign !== 'config-error' || crashes.length > 0);
    const said = signs.find((s) => s.sign !== 'start-failed') ?? signs[0];
    if (crashes.length > 0) return [ofExits(scene, crashes, said)];
    const rows = scene.rows.failed.filter((r) => r.effect === 'unstartable' || (r.effect === 'gateway' && signs.length > 0) || (r.effect === 'refused' && signs.some((s) => s.sign === 'start-failed')));
    const started = scene.signs('start-failed');
    if (rows.filter((r) => r.effect === 'unstartable').length === 0 && started.length === 0) return [];
    const thrown = scene.logs.exceptions.find((e) => e.fatal > 0) ?? scene.logs.exceptions[0];
    const name = thrown === undefined ? said === undefined ? undefined : saidBy(said.text) : exceptionName(thrown, true);
    return [{
      cause: 'startup-failure', key: '', rows, incidents: started.reduce((n, s) => n + s.count, 0) || 1, bad: true,
      weights: [...(rows.length > 0 ? [{ by: 0.6, says: 'the server answered that it could not start the app' }] : []), ...(started.length > 0 ? [{ by: 0.6, says: 'the platform\'s log says that the start failed' }] : []), ...(name === undefined ? [] : [{ by: 0.5, says: 'the log holds what the start died of' }])],
      for: [...signs.slice(0, 3).map(signFact), ...rowsFact(rows, 'were answered with "the app could not be started"')], against: [],
      chain: [{ what: 'The app fails to start', ...(name === undefined ? {} : { detail: name }), part: 'root' }, ...(rows[0] === undefined ? [] : [{ at: rows[0].at, what: `${plural(rows.length, 'request')} find no app`, part: 'effect' as const }])],
      title: (told) => `The app fails to start${name === undefined ? '' : ` (${oneLine(name, 160)})`}: ${effectText(told, `the platform said so ${plural(started.reduce((n, s) => n + s.count, 0), 'time')}`)}.`, advice: ADVICE,
    }];
  },
  excludes: (scene) => (scene.lives.starts.some((s) => s.listening) && unstarted(scene).length === 0 ? 'each process that started began to listen' : scene.rows.total > scene.rows.failures && unstarted(scene).length === 0 && scene.signs('start-failed').length === 0 ? 'requests were answered by a running app' : undefined),
};

const ADVICE = ['Read the last lines of the application\'s log of that start: they name what is missing.', 'Check what the start needs: the command, the packages (npm ci, pip install), the settings, the runtime\'s version.', 'Stop it now: roll the last deployment or setting back.'];

function ofExits(scene: Scene, crashes: readonly Ended[], said: ReturnType<Scene['signs']>[number] | undefined): Claim {
  const exception = crashes.find((c) => c.exception)?.exception;
  const name = exception === undefined ? (said === undefined ? undefined : saidBy(said.text)) ?? crashes.find((c) => c.exit.said !== undefined)?.exit.said : exceptionName(exception, true);
  return crashClaim(scene, crashes, {
    cause: 'startup-failure', key: '', proof: [{ by: 0.75, says: 'the process ended before it began to listen' }, ...(name === undefined ? [] : [{ by: 0.4, says: 'the log holds what it died of' }])],
    for: said === undefined ? [] : [signFact(said)], root: [{ at: crashes[0]?.exit.at ?? 0, what: 'The app fails while it starts', ...(name === undefined ? {} : { detail: oneLine(name, 300) }), part: 'root' }],
    title: (told, times) => `The app ends while it starts, ${times}${name === undefined ? '' : ` (\`${oneLine(name, 160)}\`)`}: ${effectText(told, 'no failed request was seen')}.`, advice: ADVICE,
  });
}

/** Told so by the platform, or dead within seconds without ever having listened or answered. */
export function unstarted(scene: Scene): readonly Ended[] {
  const { crashes } = crashesOf(scene);
  const listens = scene.lives.starts.some((s) => s.listening);
  return crashes.filter((c) => c.exit.starting || c.ending === 'starting' || (listens && c.livedMs !== undefined && c.livedMs < YOUNG_MS && !scene.lives.starts.some((s) => s.listening && s.pid === c.exit.pid && s.at <= c.exit.at)));
}

export function signFact(sign: ReturnType<Scene['signs']>[number]): CauseFact {
  return { text: `${sign.text}${sign.count > 1 ? ` (${sign.count.toLocaleString('en-US')} times)` : ''}`, ...(sign.times[0] === undefined ? {} : { at: sign.times[0], until: sign.times.at(-1) ?? sign.times[0] }), where: sign.proof.where, ...(sign.proof.line === undefined ? {} : { proof: sign.proof.line }) };
}
