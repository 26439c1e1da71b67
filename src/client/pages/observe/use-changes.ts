// Owns the changes shown on the time axis: those of the range, then live ones, each once; a later message adds to the earlier.
import { useEffect, useState } from 'preact/hooks';
import type { Change } from '../../../shared/model.ts';
import { agentNow, diag } from '../../agent.ts';
import { useFollow } from '../../live/index.ts';
import { formatRange, spanOf, type Range } from '../../range.ts';
import { useAsk, type Asked } from '../../use-ask.ts';

/** More marks than that are no marks; the list says so. */
export const MAX_CHANGES = 2_000;

/** Newest first, one per id, bounded. */
export function mergeChanges(known: readonly Change[], more: readonly Change[]): readonly Change[] {
  const byId = new Map(known.map((c) => [c.id, c]));
  for (const c of more) byId.set(c.id, { ...byId.get(c.id), ...c });
  return [...byId.values()].sort((a, b) => b.at - a.at).slice(0, MAX_CHANGES);
}

export function useChanges(range: Range): Asked<readonly Change[]> {
  const word = formatRange(range) ?? 'live';
  const asked = useAsk(async (signal) => {
    const span = spanOf(range, agentNow());
    return (await diag.changes({ query: { from: Math.floor(span.from), to: Math.ceil(span.to) + 60_000, limit: MAX_CHANGES }, signal })).changes;
  }, [word]);
  const [live, setLive] = useState<readonly Change[]>([]);
  useEffect(() => setLive([]), [word]);
  useFollow(range.kind === 'last' ? () => ({ type: 'follow', topic: 'changes', since: Math.floor(agentNow()) - 60_000 }) : undefined,
    (message) => { if (message.type === 'changes') setLive((was) => mergeChanges(was, message.items)); }, [word]);
  return { ...asked, value: asked.value === undefined ? undefined : mergeChanges(asked.value, live), again: asked.again };
}
