// Owns how sure a found cause is: what was seen of its chain, how much of its kind it explains, what contradicts it; in one word, with the reasons.
import type { Confidence } from '../../shared/cause.ts';
import type { Row } from '../events/rows.ts';
import type { Scene } from '../events/scene.ts';
import type { Attributed } from './attribute.ts';
import { scoreOf, weightOf, type Weight } from './cause.ts';
import { percent } from '../../shared/units.ts';

const CERTAIN = 0.85;
const LIKELY = 0.55;
/** One sign alone, however strong, is no chain. */
const CHAIN_LEAST = 2;
const ALONE_AT_MOST = 0.84;

export function confidenceOf(one: Attributed, scene: Scene, all: readonly Row[]): Confidence {
  const weights: Weight[] = [...one.claim.weights, ...coverage(one, all), ...sharing(one)];
  if (scene.rowsFrom === 'none') weights.push({ by: -0.12, says: 'which requests failed is not known: there is no HTTP log' });
  if (scene.rows.sampled) weights.push({ by: -0.02, says: 'of the frequent codes a sample of rows was looked at' });
  const alone = one.claim.weights.filter((w) => w.by > 0).length < CHAIN_LEAST;
  const score = Math.max(0.05, Math.min(alone ? ALONE_AT_MOST : 0.99, scoreOf(weights)));
  const rounded = Math.round(score * 100) / 100;
  return { word: rounded >= CERTAIN ? 'certain' : rounded >= LIKELY ? 'likely' : 'possible', score: rounded, reasons: [...weights].sort((a, b) => Math.abs(b.by) - Math.abs(a.by)).map((w) => `${w.by < 0 ? 'against: ' : ''}${w.says}`) };
}

/** Does it explain nearly all rows that ended as its own did? */
function coverage(one: Attributed, all: readonly Row[]): Weight[] {
  const effects = new Set(one.rows.map((r) => r.effect));
  if (effects.size === 0) return [];
  const alike = all.filter((r) => effects.has(r.effect));
  const share = weightOf(alike) === 0 ? 1 : weightOf(one.rows.filter((r) => r.effect !== 'fine' || r.slow)) / weightOf(alike);
  if (share >= 0.9) return [{ by: 0.25, says: 'it explains nearly all requests that ended this way' }];
  return share < 0.5 ? [{ by: -0.1, says: `it explains ${percent(Math.round(share * 100))} of the requests that ended this way` }] : [];
}

function sharing({ shared, failed, slow }: Attributed): Weight[] {
  return shared > (failed + slow) * 0.5 ? [{ by: -0.2, says: 'another cause explains the same requests as well' }] : [];
}
