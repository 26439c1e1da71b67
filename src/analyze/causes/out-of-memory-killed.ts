// Owns the cause out-of-memory-killed: the system or the container's limit ended the process for its memory.
import { bytes, percent } from '../../shared/units.ts';
import { effectText, type CauseRule, type Claim, type Weight } from './cause.ts';
import { crashClaim } from './crash-claim.ts';
import { crashesOf } from './crashes.ts';

const NEAR_MS = 30_000;

export const outOfMemoryKilled: CauseRule = {
  id: 'out-of-memory-killed', about: 'an end for lack of memory', explains: ['broke', 'refused', 'gateway'], needs: ['exits'], collect: ['event-log', 'changes', 'metrics'],
  judge(scene): Claim[] {
    const crashes = crashesOf(scene).crashes.filter((c) => c.ending === 'memory-kill');
    const [first] = crashes;
    if (!first) return [];
    const signs = scene.signs('killed-for-memory');
    const level = scene.measured.levels.find((l) => l.measure === 'memory' && l.at <= first.exit.at && l.until >= first.exit.at - NEAR_MS);
    const growth = scene.measured.growths.find((g) => g.of === 'private' && (g.pid === undefined || g.pid === first.exit.pid) && g.until >= first.exit.at - NEAR_MS && g.at <= first.exit.at);
    const proof: Weight[] = [{ by: 0.35, says: 'a kill without a word is how the system ends a process for its memory; a person may do the same' }];
    if (signs.length > 0) proof.push({ by: 0.85, says: 'the system said that it killed for memory' });
    if (level?.limit !== undefined) proof.push({ by: 0.6, says: `memory stood at ${percent((level.peak / level.limit) * 100)} of the machine's just before` });
    if (growth) proof.push({ by: 0.4, says: `its memory had grown from ${bytes(growth.from)} to ${bytes(growth.to)}` });
    if (signs.length === 0 && !level && !growth && scene.has.has('metrics')) proof.push({ by: -0.4, says: 'its memory had not grown before it' });
    return [crashClaim(scene, crashes, {
      cause: 'out-of-memory-killed', key: '', proof,
      for: signs.slice(0, 1).map((s) => ({ text: s.text, ...(s.times[0] === undefined ? {} : { at: s.times[0] }), where: s.proof.where, ...(s.proof.line === undefined ? {} : { proof: s.proof.line }) })),
      root: growth ? [{ at: growth.at, what: `Its memory grows from ${bytes(growth.from)} to ${bytes(growth.to)}`, part: 'root' }] : [],
      title: (told, times) => `The process was killed ${times} from outside${signs.length > 0 || level || growth ? ', for its memory' : ', most likely for its memory'}${growth ? ` (it had grown to ${bytes(growth.to)})` : ''}: ${effectText(told, 'no failed request was seen')}.`,
      advice: ['Find what grew: a memory dump or heap snapshot before the next kill (Dumps, "when memory passes a limit").', 'Stop it now: scale up to a plan with more memory, or lower the number of workers.', 'If someone ends the process on purpose, the list of changes below says who.'],
      mitigations: ['restart'],
    })];
  },
  excludes: (scene) => (crashesOf(scene).crashes.some((c) => c.ending === 'memory-kill') || !scene.has.has('exits') ? undefined : crashesOf(scene).crashes.length === 0 ? 'no process ended without being asked to' : 'no process was killed from outside'),
};
