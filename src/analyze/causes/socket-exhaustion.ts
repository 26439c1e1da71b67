// Owns the cause socket-exhaustion: no local port or socket is left for another outbound connection.
import { percent } from '../../shared/units.ts';
import { effectText, type CauseRule, type Claim } from './cause.ts';
import { serviceAt } from './services.ts';
import { signClaim, timesText } from './sign-claim.ts';

/** Windows has 16,384 dynamic ports by default, Linux 28,232; App Service allows 1,920 connections on a small machine. */
const MANY = 1_500;

export const socketExhaustion: CauseRule = {
  id: 'socket-exhaustion', about: 'a lack of sockets or ports', explains: ['answered', 'silent', 'slow'], needs: ['app-log', 'connections', 'metrics'], collect: ['connections', 'application-logs'],
  judge(scene): Claim[] {
    const signs = scene.signs('no-ports');
    const level = scene.measured.levels.find((l) => l.measure === 'connections');
    const ends = scene.connections.flatMap((c) => c.byRemote).filter((r) => r.count >= MANY);
    if (signs.length === 0 && !level && ends.length === 0) return [];
    const [top] = ends;
    return signClaim(scene, {
      cause: 'socket-exhaustion', signs, effects: ['answered', 'stopped', 'silent', 'slow', 'gateway'], by: 0.85, says: 'the system said that it has no port or socket left', crashBy: ['no-ports'], what: 'No port is left for another outbound connection',
      more: [...(level?.limit === undefined ? [] : [{ by: 0.6, says: `connections stood at ${percent((level.peak / level.limit) * 100)} of the sandbox's limit` }]), ...(top === undefined ? [] : [{ by: 0.4, says: `${top.count} connections lead to ${top.remote}, ${top.waiting} of them only waiting to close` }])],
      facts: ends.map((e) => ({ text: `${e.count} connections to ${e.remote}, ${e.waiting} waiting to close`, where: 'connections.json' })),
      ...(signs.length === 0 && level ? { rows: scene.rows.failed.filter((r) => r.effect === 'answered' && r.until >= level.at && r.from <= level.until) } : {}),
      title: (t) => `No port is left for outbound connections${top === undefined ? '' : `: ${top.count} lead to ${serviceAt(scene, top.remote)}`}; ${effectText(t, `the log says so ${timesText(signs)}`)}.`,
      advice: ['Keep connections open and share them: one agent with keep-alive, one HttpClient, one pool per server, never one per request.', 'For many connections to one public address: a private endpoint or a NAT gateway, which have ports of their own.', 'Stop it now: a restart frees the ports for a while.'], mitigations: ['restart'],
    });
  },
  excludes: (scene) => (scene.has.has('connections') && !scene.connections.some((c) => c.total >= MANY) ? `only ${Math.max(...scene.connections.map((c) => c.total))} connections were open` : scene.has.has('app-log') && scene.signs('no-ports').length === 0 ? 'no log speaks of missing ports or sockets' : undefined),
};
