// Owns what recycled-by-rule and recycled-by-user share: a restart that was asked for, and the requests that fell into it.
import type { CauseId } from '../../shared/cause.ts';
import type { RestartEvent } from '../events/event.ts';
import type { Row } from '../events/rows.ts';
import { effectText, oneLine, plural, rowsFact, weightOf, type Claim, type Weight } from './cause.ts';

export function recycleClaim(cause: CauseId, restarts: readonly RestartEvent[], rows: readonly Row[], words: { who: string; weights: readonly Weight[]; advice: readonly string[]; remark?: boolean }): Claim[] {
  const [first] = restarts;
  if (!first || rows.length === 0) return [];
  return [{
    cause, key: '', rows, incidents: restarts.length, since: first.at, ...(words.remark === true ? { remark: true } : {}),
    weights: [...words.weights, { by: 0.5, says: 'the requests broke off or found nobody just then' }],
    for: [...restarts.slice(0, 3).map((r) => ({ text: r.said, at: r.at, where: r.proof.where, ...(r.proof.line === undefined ? {} : { proof: r.proof.line }) })), ...rowsFact(rows, 'fell into the restart')], against: [],
    chain: [{ at: first.at, what: words.who, detail: oneLine(first.said, 200), part: 'root' }, { at: rows[0]?.at ?? first.at, what: `${plural(Math.round(weightOf(rows)), 'request')} break off or find nobody until it is back`, part: 'effect' }],
    title: (t) => `${words.who}${restarts.length > 1 ? ` ${restarts.length} times` : ''} (${oneLine(first.said, 120)}): ${effectText(t, 'no failed request was seen')}.`, advice: words.advice,
  }];
}
