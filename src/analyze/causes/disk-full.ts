// Owns the cause disk-full: what the app writes finds no room.
import { bytes } from '../../shared/units.ts';
import { effectText, type CauseRule, type Claim } from './cause.ts';
import { signClaim, timesText } from './sign-claim.ts';
import { peak } from '../events/read-metrics.ts';

export const diskFull: CauseRule = {
  id: 'disk-full', about: 'a full disk', explains: ['answered', 'broke', 'gateway'], needs: ['app-log', 'metrics'], collect: ['metrics', 'application-logs'],
  judge(scene): Claim[] {
    const signs = scene.signs('disk-full');
    const level = scene.measured.levels.find((l) => l.measure === 'disk');
    if (signs.length === 0) return [];
    return signClaim(scene, {
      cause: 'disk-full', signs, effects: ['answered', 'stopped', 'broke', 'gateway', 'slow'], by: 0.85, says: 'the system said that there is no space left', crashBy: ['disk-full'], what: 'A write finds no room on the disk',
      more: level ? [{ by: 0.6, says: `the disk had ${bytes(level.peak)} left` }] : [],
      against: level || !scene.has.has('metrics') ? [] : [{ text: 'The home disk itself had room: it is another disk (the temporary one), a quota, or a limit of the container.' }],
      title: (t) => `The disk is full: ${effectText(t, `the log says so ${timesText(signs)}`)}.`,
      advice: ['Stop it now: delete old logs, dumps, uploads and unused deployments on that disk; a restart empties the temporary one.', 'Find what grows: sort folders by size on the instance.', 'Keep it from coming back: rotate logs, write uploads to storage outside, scale the plan\'s storage.'], mitigations: ['restart'],
    });
  },
  excludes: (scene) => {
    const free = scene.measured.site('host.disk-free');
    const least = peak(free.map(([at, v]): [number, number | null] => [at, v === null ? null : -v]));
    if (scene.signs('disk-full').length > 0) return undefined;
    return least !== undefined && -least > 200 * 1024 * 1024 ? `the home disk had ${bytes(-least)} left` : scene.has.has('app-log') ? 'no log speaks of a full disk' : undefined;
  },
};
