// Owns the verdict healthy: nothing failed or was slow beyond what is normal here, nothing ended, no limit was near; and what was checked for it.
import type { Cause } from '../../shared/cause.ts';
import { plural as pluralOf } from '../../shared/units.ts';
import type { Row } from '../events/rows.ts';
import type { Scene } from '../events/scene.ts';
import type { Attributed } from './attribute.ts';
import { count, weightOf } from './cause.ts';

/** One request in a thousand fails somewhere always; a single one is no outage. */
const NOISE_SHARE = 0.001;
const NOISE_ROWS = 1;
const SLOW_SHARE = 0.01;
const SLOW_ROWS = 4;
/** What falls into a restart that was meant is no trouble, up to so many of all requests. */
const REMARK_SHARE = 0.05;

/** Undefined: something is wrong, or it cannot be told. */
export function healthOf(scene: Scene, standing: readonly Attributed[], left: readonly Row[]): { readonly cause: Cause; readonly first: boolean } | undefined {
  const { rows } = scene;
  if (rows.total === 0 || scene.rowsFrom !== 'http-log') return undefined;
  const wrong = standing.filter((s) => s.claim.remark !== true || s.failed > rows.total * REMARK_SHARE);
  if (wrong.length > 0) return undefined;
  const failed = weightOf(left.filter((r) => !r.slow)), slow = weightOf(left.filter((r) => r.slow));
  if (failed > Math.max(NOISE_ROWS, rows.total * NOISE_SHARE) || slowBeyondChance(slow, rows.total)) return undefined;
  const checked = checkedOf(scene);
  return {
    first: true,
    cause: {
      id: 'healthy', verdict: 'found', confidence: { word: scene.has.has('exits') && scene.has.has('metrics') ? 'certain' : 'likely', score: scene.has.has('exits') && scene.has.has('metrics') ? 0.95 : 0.75, reasons: checked },
      title: failed > 0 ? `Nothing is wrong: ${pluralOf(Math.round(failed), 'request')} of ${count(rows.total)} failed, no more than chance.` : `Nothing failed in ${pluralOf(rows.total, 'request')}.`,
      failedRequests: Math.round(failed), slowRequests: Math.round(slow), share: failed + slow > 0 ? 1 : 0, routes: [], instances: [], chain: [], for: checked.map((text) => ({ text })), against: [], leadsTo: [], advice: [], mitigations: [], collect: [],
    },
  };
}

/** Single slow requests are everywhere. */
export const slowBeyondChance = (slow: number, total: number): boolean => slow > Math.max(SLOW_ROWS, total * SLOW_SHARE);

/** What was looked at, said also when all is well. */
function checkedOf(scene: Scene): string[] {
  const { rows, lives, has } = scene;
  const planned = lives.exits.filter((e) => e.planned).length;
  return [
    `${pluralOf(rows.total, 'request')}: ${count(rows.failures)} failed, ${count(Math.round(weightOf(rows.slow)))} far slower than their route is${rows.aborts > 0 ? `, ${count(rows.aborts)} given up by clients` : ''}`,
    ...(has.has('exits') ? [`exits: ${planned === 0 ? 'none' : `${pluralOf(planned, 'planned one')}`}`] : []),
    ...(has.has('metrics') ? [`CPU, memory and disk: ${scene.measured.levels.length === 0 ? 'no limit near' : 'busy at times, while requests were answered as usual'}`] : []),
    ...(has.has('app-log') ? [`${pluralOf(scene.logs.entries, 'log entry', 'log entries')}`] : []), ...(has.has('inside') ? ['the app from inside: loop, heap and dependencies'] : []),
  ];
}
