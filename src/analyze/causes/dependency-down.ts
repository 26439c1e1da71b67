// Owns the cause dependency-down: what the app calls refuses connections, cannot be reached or drops them.
import { percent, plural } from '../../shared/units.ts';
import { effectText, type CauseRule, type Claim, type Weight } from './cause.ts';
import { byName, signClaim, timesText } from './sign-claim.ts';
import { sameHost } from './same-host.ts';
import { serviceAt } from './services.ts';
import type { Scene } from '../events/scene.ts';
import type { DependencyEvent, RemoteEnd, SignEvent } from '../events/event.ts';

const FAILED_SHARE = 0.5;
/** One attempt under way is everyday. */
const LEAST_OPENING = 3;
const REFUSED = ['connect-refused', 'connect-timed-out'] as const;
const DROPPED = 'connection-reset';

export const dependencyDown: CauseRule = {
  id: 'dependency-down', about: 'a dependency that cannot be reached', explains: ['answered', 'silent', 'slow', 'gateway'], needs: ['app-log', 'inside'], collect: ['application-logs', 'app-inside', 'connections'],
  judge(scene): Claim[] {
    const groups = byName(scene.signs(...REFUSED));
    const claims = groups.flatMap(({ name, signs }) => ofRemote(scene, name, signs));
    const silentHosts = scene.inside.dependencies.filter((d) => isDown(d, scene) && !groups.some((g) => g.name !== undefined && sameHost(g.name, d.host)));
    const inside = groups.length === 0 ? silentHosts.flatMap((d) => ofRemote(scene, d.host, [])) : [];
    const dropped = scene.signs(DROPPED);
    const silent = groups.length === 0 && inside.length === 0 ? unanswered(scene).flatMap((end) => ofRemote(scene, end.remote, [])) : [];
    return [...claims, ...inside, ...silent, ...(groups.length === 0 && inside.length === 0 && silent.length === 0 && dropped.length > 0 ? ofDropped(scene, dropped) : [])];
  },
  excludes: (scene) => (scene.has.has('inside') && scene.inside.dependencies.length > 0 && !scene.inside.dependencies.some((d) => isDown(d, scene)) && scene.signs(...REFUSED).length === 0 ? 'each dependency answered' : scene.has.has('app-log') && scene.signs(...REFUSED, DROPPED).length === 0 ? 'no log speaks of a refused or lost connection' : undefined),
};

function ofRemote(scene: Scene, name: string | undefined, signs: readonly SignEvent[]): Claim[] {
  const told = name === undefined ? undefined : scene.inside.dependencies.find((d) => sameHost(name, d.host));
  const opening = name === undefined ? undefined : unanswered(scene).find((end) => sameHost(name, end.remote));
  const who = name === undefined ? 'A server that the app calls' : `The app's dependency ${serviceAt(scene, name)}`;
  const refused = signs.some((s) => s.sign === 'connect-refused') || told?.errors.some(([code]) => code === 'ECONNREFUSED') === true;
  return signClaim(scene, {
    cause: 'dependency-down', key: name ?? '', signs, ...(refused ? { effects: ['answered', 'stopped', 'gateway', ...failing(told) ? ['slow' as const] : []], orElse: ['silent', 'slow'] } : { effects: ['answered', 'stopped', 'silent', 'gateway', 'slow'] }), by: 0.65, says: 'the log says that the connection to it was refused or never came about', crashBy: [...REFUSED],
    what: `${who} ${refused ? 'refuses connections' : 'cannot be reached'}`, more: [...insideWeights(told), ...(opening === undefined ? [] : [{ by: 0.55, says: `${plural(opening.opening, 'connection')} to it ${opening.opening === 1 ? 'is' : 'are'} asked for, none is open` }])],
    facts: [...(opening === undefined ? [] : [{ text: `${plural(opening.opening, 'connection')} to ${opening.remote} asked for and not answered, none open`, where: 'connections.json' }]), ...(told === undefined ? [] : [{ text: `Seen in the app: ${told.failed} of ${told.calls + told.failed} calls to ${told.host} failed (${told.errors.map(([code, n]) => `${code} ${n}`).join(', ')})`, where: told.proof.where }])],
    ...(signs.length === 0 ? { rows: scene.rows.failed.filter((r) => r.effect === 'answered' || r.effect === 'silent') } : {}),
    title: (t) => `${who} ${refused ? 'refuses connections' : 'cannot be reached'}: ${effectText(t, `the log says so ${timesText(signs)}`)}.`,
    advice: [`Check that ${name ?? 'it'} runs, listens there and lets this app in (firewall, virtual network, access restrictions).`, 'Check the address and port in the app\'s settings, and what was changed last.', 'Be safe: answer without it where that is possible, and give calls a time limit and a circuit breaker.'],
  });
}

function insideWeights(told: DependencyEvent | undefined): Weight[] {
  if (told === undefined || told.calls + told.failed === 0) return [];
  const share = shareOf(told);
  if (share >= FAILED_SHARE) return [{ by: 0.6, says: `the app itself saw ${percent(Math.round(share * 100))} of its calls fail` }];
  return share < 0.1 ? [{ by: -0.4, says: 'most calls to it went well' }] : [];
}

const shareOf = (told: DependencyEvent): number => Math.min(1, told.failed / Math.max(told.calls, told.failed));

/** Drivers keep calls for a server that is gone and try again: who waited meanwhile waited for it. */
const failing = (told: DependencyEvent | undefined): boolean => told !== undefined && told.failed > 0 && shareOf(told) >= FAILED_SHARE;

function ofDropped(scene: Scene, signs: readonly SignEvent[]): Claim[] {
  return signClaim(scene, {
    cause: 'dependency-down', key: 'dropped', signs, effects: ['answered', 'silent'], by: 0.35, says: 'the log says that connections were dropped by the other end', crashBy: [DROPPED], what: 'A server that the app calls drops connections',
    title: (t) => `A server that the app calls drops its connections: ${effectText(t, `the log says so ${timesText(signs)}`)}.`,
    advice: ['See in the log which call it was, and in that server\'s log why it closed.', 'Retry such calls once where that is safe, on a new connection.'],
  });
}

/** Remote ends that were asked for a connection again and again, and gave none. */
function unanswered(scene: Scene): readonly RemoteEnd[] {
  return scene.connections.flatMap((c) => c.byRemote).filter((end) => end.opening >= LEAST_OPENING && end.open === 0);
}

/** The system gives a connection up after twenty seconds at the earliest; what ends sooner met a limit of the app's own. */
const SYSTEM_GIVES_UP_MS = 20_000;

/** A time limit of the app's own says that an answer was late, not that nobody was there. */
function isDown(d: DependencyEvent, scene: Scene): boolean {
  const late = scene.signs('call-timed-out').length > 0 || (scene.rows.failed.length > 0 && scene.rows.failed.every((r) => (r.takenMs ?? 0) < SYSTEM_GIVES_UP_MS));
  return d.errors.length > 0 && d.failed >= Math.max(1, d.calls * FAILED_SHARE) && d.errors.some(([code]) => /ECONN(?!ABORTED)|EHOST|ENET|CONNECT|SOCKET|^SocketClosed|^ConnectionTimeout|^ClientOffline/.test(code) || (code === 'ETIMEDOUT' && !late));
}
