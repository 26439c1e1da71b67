// Owns the cause crash-native: the process was ended by a fault in native code, a signal or an exception code of the system.
import { exitWords } from '../parse/exits.ts';
import { effectText, oneLine, type CauseRule, type Claim } from './cause.ts';
import { crashClaim } from './crash-claim.ts';
import type { Scene } from '../events/scene.ts';
import { crashesOf } from './crashes.ts';
import { signClaim, timesText } from './sign-claim.ts';

export const crashNative: CauseRule = {
  id: 'crash-native', about: 'a fault in native code', explains: ['broke', 'refused', 'stopped', 'gateway'], needs: ['exits'], collect: ['event-log', 'changes', 'memory-dump'],
  judge(scene): Claim[] {
    const crashes = crashesOf(scene).crashes.filter((c) => c.ending === 'native');
    const [first] = crashes;
    if (!first) return scene.rowsFrom === 'none' && !scene.has.has('exits') ? ofWords(scene) : [];
    const signs = scene.signs('native-fault').filter((s) => s.count > 0);
    const how = first.exit.said !== undefined && /0x|module|fault/i.test(first.exit.said) ? `${exitWords(first.exit)} (${oneLine(first.exit.said, 120)})` : exitWords(first.exit);
    return [crashClaim(scene, crashes, {
      cause: 'crash-native', key: '', proof: [{ by: 0.6, says: `${exitWords(first.exit)} is how the system ends a process whose native code faults` }, ...(signs.length > 0 ? [{ by: 0.4, says: 'a log holds the fault in the runtime\'s own words' }] : [])],
      for: signs.slice(0, 2).map((s) => ({ text: s.text, ...(s.times[0] === undefined ? {} : { at: s.times[0] }), where: s.proof.where, ...(s.proof.line === undefined ? {} : { proof: s.proof.line }) })),
      root: [{ at: first.exit.at, what: 'Native code faults', detail: how, part: 'root' }],
      title: (told, times, trigger) => `The process crashed ${times} with a fault in native code (${how})${trigger === undefined ? '' : ` during ${oneLine(trigger, 100)}`}: ${effectText(told, 'no failed request was seen')}.`,
      advice: ADVICE,
    })];
  },
  excludes: (scene) => (!scene.has.has('exits') ? undefined : crashesOf(scene).crashes.some((c) => c.ending === 'native') ? undefined : crashesOf(scene).crashes.length === 0 ? 'no process ended without being asked to' : 'no exit carries a signal or a code of a fault'),
};

const ADVICE = ['Find it: set a dump on the next fault (Dumps, "when it crashes"): its stack names the module.', 'Suspect the newest native package or runtime version first; go back by one version of each.', 'Stop it now: roll the last deployment back if it brought such a package.'];

/** A log alone, where nobody watched processes end. */
function ofWords(scene: Scene): Claim[] {
  const signs = scene.signs('native-fault');
  return signClaim(scene, {
    cause: 'crash-native', key: 'words', signs, effects: [], by: 0.65, says: 'a log tells of a fault in native code in the words of the system or the runtime', what: 'Native code faults', bad: true,
    title: () => `A process crashed with a fault in native code${signs[0]?.named === undefined ? '' : ` (module ${oneLine(signs[0].named, 60)})`}: the log says so ${timesText(signs)}.`, advice: ADVICE,
  });
}
