// Owns the cause developer-errors-hidden: iisnode answers a crash with status 200 and an error page, so that no log and no rule counts it.
import { effectText, plural, type CauseRule, type Claim } from './cause.ts';
import { crashFacts, crashesOf } from './crashes.ts';
import type { Effect } from '../events/effect.ts';
import type { Scene } from '../events/scene.ts';

export const developerErrorsHidden: CauseRule = {
  id: 'developer-errors-hidden', about: 'crashes that are answered with status 200', explains: [], needs: ['exits', 'app-log'], collect: ['application-logs', 'event-log'],
  judge(scene): Claim[] {
    const { crashes } = crashesOf(scene);
    if (crashes.length === 0 || scene.rowsFrom !== 'http-log' || !isIisnode(scene)) return [];
    if (crashes.some((c) => c.ended.length + c.refused.length > 0) || scene.rows.failed.some((r) => OF_ENDS.has(r.effect))) return [];
    const busy = crashes.filter((c) => scene.rows.norms.within('', undefined, c.exit.at - 5_000, c.exit.at + 5_000).count > 0).length;
    return [{
      cause: 'developer-errors-hidden', key: '', rows: [], incidents: crashes.length, since: crashes[0]?.exit.at, bad: true,
      weights: [{ by: 0.6, says: `${plural(crashes.length, 'crash', 'crashes')} and not one request in the log that broke off` }, { by: 0.5, says: 'the app runs under iisnode, whose developer errors answer 200' }, ...(busy > 0 ? [{ by: 0.3, says: 'requests were answered in the very seconds of the crashes' }] : [])],
      for: crashFacts(crashes), against: [], chain: [{ at: crashes[0]?.exit.at ?? 0, what: 'The process crashes', part: 'root' }, { at: crashes[0]?.exit.at ?? 0, what: 'iisnode answers the request with its error page and status 200', part: 'effect' }],
      title: (t) => `The process crashed ${plural(crashes.length, 'time')}, yet every request counts as answered: iisnode's developer errors hide crashes behind status 200${effectText(t, '') === '' ? '' : `; ${effectText(t, '')}`}.`,
      advice: ['Set devErrorsEnabled="false" in the iisnode section of web.config (or iisnode.yml): crashes then answer 500 and rules see them.', 'Then fix the exception that is named below.'],
    }];
  },
  excludes: (scene) => (isIisnode(scene) ? undefined : scene.has.has('app-log') || scene.has.has('event-log') ? 'nothing speaks of iisnode' : undefined),
};

/** What ends of processes leave in a log that shows them. */
const OF_ENDS: ReadonlySet<Effect> = new Set(['broke', 'refused', 'stopped', 'gateway', 'unstartable']);

function isIisnode(scene: Scene): boolean {
  return scene.signs('iisnode').length > 0 || scene.logs.files.some((f) => /iisnode|logging-errors\.txt/i.test(f)) || scene.logs.signs.some((s) => /iisnode/i.test(s.text)) || scene.logs.exceptions.some((e) => /iisnode/i.test(e.sample.text)) || [...scene.logs.lastLines.values()].some((l) => /iisnode/i.test(l));
}
