// Owns the cause bad-configuration: a setting or web.config keeps the app from working.
import { afterChange, changeFacts } from './after-change.ts';
import { clock, effectText, oneLine, rowsFact, type CauseRule, type Claim } from './cause.ts';
import type { Scene } from '../events/scene.ts';
import { byName, factOf, signClaim, timesText } from './sign-claim.ts';

export const badConfiguration: CauseRule = {
  id: 'bad-configuration', about: 'the configuration', explains: ['configured', 'unstartable', 'answered'], needs: ['http', 'exits', 'app-log'], collect: ['changes', 'environment', 'event-log'],
  judge(scene): Claim[] {
    const said = scene.rows.failed.filter((r) => r.effect === 'configured');
    const signs = scene.signs('config-error');
    const found = afterChange(scene, 'configuration');
    const claims: Claim[] = [];
    if (said.length > 0 || (signs.length > 0 && scene.rowsFrom === 'none')) {
      claims.push({
        cause: 'bad-configuration', key: 'server', rows: said, incidents: Math.max(1, signs.length), since: said[0]?.at, weights: [{ by: 0.85, says: 'the server says that its configuration is wrong' }, ...(signs.length > 0 ? [{ by: 0.5, says: 'the log names the line' }] : [{ by: 0.3, says: 'such requests never reach the app' }])],
        for: [...signs.slice(0, 2).map(factOf), ...rowsFact(said, 'were refused by the server for its configuration')], against: [], chain: [{ ...(said[0] ? { at: said[0].at } : {}), what: 'The server cannot use its configuration', ...(signs[0] ? { detail: signs[0].text } : {}), part: 'root' }],
        title: (t) => `The server's configuration is wrong${signs[0] ? ` (${oneLine(signs[0].text, 140)})` : ' (web.config)'}: ${effectText(t, 'the log says so')}.`, advice: ['Fix web.config: the detailed error page names the line; a section may be locked by the platform.', 'Stop it now: put the last working web.config back.'],
      });
    }
    if (found) {
      const { change, rows, weights } = found;
      claims.push({
        cause: 'bad-configuration', key: String(change.at), rows, weights, incidents: 1, since: change.at, for: changeFacts(found), against: [], chain: [{ at: change.at, what: change.said, part: 'root' }, { at: rows[0]?.at ?? change.at, what: 'Requests fail that went well before', part: 'effect' }],
        title: (t) => `A change of the configuration (${oneLine(change.said, 100)}) at ${clock(change.at)} broke the app: ${effectText(t, '')} since, hardly any before.`, advice: ['Stop it now: put the setting back as it was.', 'Compare the settings with those of a slot or an instance that works.'],
      });
    }
    return [...claims, ...byName(scene.signs('setting-missing')).flatMap(({ name, signs }) => ofSetting(scene, name, signs))];
  },
  excludes: (scene) => (scene.rows.failed.some((r) => r.effect === 'configured') || scene.signs('setting-missing').length > 0 ? undefined : scene.rowsFrom === 'http-log' && !scene.lives.changes.some((c) => c.kind === 'configuration') ? 'no request was refused for the configuration, and none was changed' : undefined),
};

/** The app itself says what it lacks, whether one route needs it or the start does. */
function ofSetting(scene: Scene, name: string | undefined, signs: ReturnType<Scene['signs']>): Claim[] {
  const which = name === undefined ? 'A setting' : `The setting \`${oneLine(name, 80)}\``;
  return signClaim(scene, {
    cause: 'bad-configuration', key: `setting ${name ?? ''}`, signs, effects: ['answered', 'stopped', 'unstartable'], by: 0.75, says: 'the log says that a setting is missing or wrong', crashBy: ['setting-missing'], what: `${which} is missing or wrong`,
    more: name === undefined ? [] : [{ by: 0.3, says: 'it names the setting' }],
    title: (t) => `${which} of the app is missing or wrong: ${effectText(t, `the log says so ${timesText(signs)}`)}.`,
    advice: ['Set it in the app settings of the site (Configuration, Application settings); the app restarts with it. A slot setting does not come along in a swap.', 'Compare the names of the settings with those of a slot that works: letters of another case are another name on Linux.', 'Check all settings when the app starts, and end with a list of what is missing.'],
  });
}
