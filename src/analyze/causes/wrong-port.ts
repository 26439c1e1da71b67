// Owns the cause wrong-port: the app listens, but on another port or address than the one the front uses.
import { effectText, rowsFact, type CauseRule, type Claim, type Weight } from './cause.ts';
import { factOf } from './sign-claim.ts';
import type { Scene } from '../events/scene.ts';

export const wrongPort: CauseRule = {
  id: 'wrong-port', about: 'a port or address that does not fit', explains: ['refused', 'unstartable'], needs: ['app-log'], collect: ['application-logs', 'event-log', 'environment'],
  judge(scene): Claim[] {
    const listening = scene.signs('listening');
    const wanted = wantedPorts(scene);
    const [said] = listening;
    if (!said || wanted.size === 0) return [];
    const fits = listening.some((s) => s.named !== undefined && wanted.has(s.named));
    const local = listening.find((s) => s.named !== undefined && wanted.has(s.named) && /127\.0\.0\.1|localhost|\[::1\]/.test(s.text));
    const pings = scene.signs('ping-failed');
    if (fits && !(local && pings.length > 0)) return [];
    const rows = scene.rows.failed.filter((r) => r.effect === 'refused' || r.effect === 'unstartable' || r.effect === 'stopped' || (r.effect === 'gateway' && r.status !== 504));
    const late = scene.signs('listen-late');
    if (rows.length === 0 && pings.length === 0 && late.length === 0 && !scene.lives.exits.some((e) => e.starting)) return [];
    const weights: Weight[] = [local ? { by: 0.6, says: 'the app says that it listens on the loopback address only' } : { by: 0.6, says: `the app says that it listens on ${said.named ?? 'another port'}, the front uses ${[...wanted].slice(0, 3).join(', ')}` }];
    if (pings.length > 0) weights.push({ by: 0.55, says: 'the platform got no answer on its port' });
    if (rows.length > 0) weights.push({ by: 0.5, says: 'requests found nobody there' });
    if (late.length > 0 || scene.lives.exits.some((e) => e.starting)) weights.push({ by: 0.4, says: 'the platform ended it because its port stayed closed' });
    const where = local ? `on the loopback address only (${said.named ?? ''})` : `on port ${said.named ?? '?'}`;
    return [{
      cause: 'wrong-port', key: '', rows, weights, incidents: Math.max(1, pings.length), since: rows[0]?.at ?? said.times[0], bad: true, for: [factOf(said), ...pings.slice(0, 2).map(factOf), ...rowsFact(rows, 'found nobody listening')], against: [],
      chain: [{ ...(said.times[0] === undefined ? {} : { at: said.times[0] }), what: `The app listens ${where}`, detail: said.text, part: 'root' }, { ...(rows[0] ? { at: rows[0].at } : {}), what: `The front looks for it on ${[...wanted].slice(0, 3).join(', ')} and finds nobody`, part: 'effect' }],
      title: (t) => `The app listens ${where}, but the front looks for it on port ${[...wanted][0] ?? ''}: ${effectText(t, 'the platform\'s pings got no answer')}.`,
      advice: ['Fix it: listen on the port in the variable PORT (HTTP_PLATFORM_PORT for HttpPlatformHandler), on all addresses (0.0.0.0).', 'Or tell the platform the port: the setting WEBSITES_PORT of a container, proxy_pass of nginx.'],
    }];
  },
  excludes: (scene) => { const wanted = wantedPorts(scene); const fits = scene.signs('listening').find((s) => s.named !== undefined && wanted.has(s.named)); return fits === undefined ? undefined : `the app says that it listens on ${fits.named ?? ''}, where the front looks for it`; },
};

/** Where the front looks: the pings' port, the upstream of refused requests, what the event log says that was waited for. */
function wantedPorts(scene: Scene): ReadonlySet<string> {
  const ports = new Set<string>();
  for (const sign of scene.signs('ping-failed')) if (sign.named !== undefined) ports.add(sign.named);
  for (const row of scene.rows.failed) { if (row.effect !== 'refused') continue; const port = /:(\d{2,5})$/.exec(row.instance)?.[1]; if (port !== undefined) ports.add(port); }
  for (const line of scene.logs.front) { if (line.effect !== 'refused') continue; const port = /:(\d{2,5})$/.exec(line.upstream ?? '')?.[1]; if (port !== undefined) ports.add(port); }
  for (const exit of scene.lives.exits) { const port = exit.starting ? /port '?(\d{2,5})/i.exec(exit.proof.line ?? '')?.[1] : undefined; if (port !== undefined) ports.add(port); }
  for (const sign of scene.signs('listen-late')) if (sign.named !== undefined) ports.add(sign.named);
  for (const sign of scene.signs('start-slow')) { const port = /port '?(\d{2,5})/i.exec(sign.proof.line ?? sign.text)?.[1]; if (port !== undefined) ports.add(port); }
  return ports;
}
