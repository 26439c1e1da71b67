// Owns the cause dns-failure: a name that the app or the front needs does not resolve.
import { effectText, type CauseRule, type Claim } from './cause.ts';
import { byName, signClaim, timesText } from './sign-claim.ts';

export const dnsFailure: CauseRule = {
  id: 'dns-failure', about: 'a name that does not resolve', explains: ['unnamed', 'answered', 'silent'], needs: ['app-log', 'inside', 'http'], collect: ['application-logs', 'app-inside'],
  judge(scene): Claim[] {
    const unnamed = scene.rows.failed.filter((r) => r.effect === 'unnamed');
    const codes = scene.inside.codes.filter((c) => c.sign === 'host-unknown');
    const groups = byName(scene.signs('host-unknown'));
    const all = groups.length > 0 ? groups : codes.length > 0 || unnamed.length > 0 ? [{ name: codes[0]?.host, signs: [] }] : [];
    return all.flatMap(({ name, signs }) => signClaim(scene, {
      cause: 'dns-failure', key: name ?? '', signs, effects: ['answered', 'unnamed', 'silent', 'stopped', 'gateway', 'slow'], by: 0.8, says: 'the log says that the name does not resolve', crashBy: ['host-unknown'], what: `The name ${name ?? 'of a server'} does not resolve`,
      more: [...(codes.length > 0 ? [{ by: 0.6, says: 'the app itself saw its look-ups fail' }] : []), ...(unnamed.length > 0 ? [{ by: 0.7, says: 'the front answered that the name of the app server does not resolve' }] : [])],
      rows: [...unnamed, ...(signs.length === 0 && codes.length > 0 ? scene.rows.failed.filter((r) => r.effect === 'answered') : [])], facts: codes.slice(0, 3).map((c) => ({ text: `Seen in the app: ${c.code} for ${c.host}, ${c.count} times`, where: 'the app from inside (preload)' })),
      title: (t) => `The name ${name === undefined ? 'of a server that is needed' : `\`${name}\``} does not resolve: ${effectText(t, `the log says so ${timesText(signs)}`)}.`,
      advice: ['Check the name for a slip of the pen in the settings that were changed last.', 'Resolve it from the instance\'s console; in a virtual network look at its DNS servers and private zones (WEBSITE_DNS_SERVER).', 'If it fails only at times: keep connections open, and cache look-ups.'],
    }));
  },
  excludes: (scene) => (scene.has.has('app-log') && scene.signs('host-unknown').length === 0 ? 'no log speaks of a name that does not resolve' : undefined),
};
