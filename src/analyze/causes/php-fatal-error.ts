// Owns the cause php-fatal-error: a script ends in an error that PHP cannot go on from, its memory or time limit among them.
import { effectText, oneLine, type CauseRule, type Claim } from './cause.ts';
import { signClaim, timesText } from './sign-claim.ts';
import { shortFile } from '../parse/words.ts';

export const phpFatalError: CauseRule = {
  id: 'php-fatal-error', about: 'a fatal error in PHP', explains: ['answered', 'broke'], needs: ['app-log', 'front-log'], collect: ['php-error-log'],
  judge(scene): Claim[] {
    const groups = new Map<string, ReturnType<typeof scene.signs>[number][]>();
    for (const sign of scene.signs('php-fatal', 'php-memory', 'php-time')) { const key = `${sign.sign} ${sign.named ?? ''}`; groups.set(key, [...groups.get(key) ?? [], sign]); }
    return [...groups].flatMap(([key, signs]) => {
      const [first] = signs;
      if (!first) return [];
      const why = first.sign === 'php-memory' ? 'needs more memory than PHP allows a script' : first.sign === 'php-time' ? 'takes longer than PHP allows a script' : 'ends in a fatal error';
      const said = oneLine(first.text.replace(/^.*?(?:PHP message: )?PHP (?=Fatal|Parse|Recov)/, ''), 200);
      const script = first.named === undefined ? 'A script' : `\`${shortFile(first.named)}\``;
      return signClaim(scene, {
        cause: 'php-fatal-error', key, signs, effects: ['answered', 'broke', 'invalid', 'gateway'], by: 0.85, says: 'PHP\'s own log holds the fatal error', what: `${script} ${why}`,
        title: (t) => `${script} ${why} (${said}): ${effectText(t, `PHP said so ${timesText(signs)}`)}.`,
        advice: [first.sign === 'php-memory' ? 'Find what the script holds at once (a whole table, a whole file) and read it in parts; raise memory_limit only for time.' : first.sign === 'php-time' ? 'Find what it waits for (the slow log shows the line), and move long work out of the request.' : 'Fix the line that the error names.', 'Stop it now: roll the last deployment back if the error came with it.'],
      });
    });
  },
  excludes: (scene) => (scene.has.has('app-log') || scene.has.has('front-log') ? scene.signs('php-fatal', 'php-memory', 'php-time').length === 0 ? 'no log holds a fatal error of PHP' : undefined : undefined),
};
