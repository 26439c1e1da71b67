// Owns the strip above the lines: entries a minute, by level, as bars; a bar leads to its minute.
import { count, plural } from '../../../shared/units.ts';
import { change } from '../../router.tsx';
import { shortTime } from '../../words.ts';
import { LEVEL_GROUPS } from './log-query.ts';
import type { Minute } from './minutes.ts';

const HEIGHT_PX = 34;

export function MinuteBars({ minutes, now }: { minutes: readonly Minute[]; now: number }) {
  const totals = minutes.map((minute) => LEVEL_GROUPS.reduce((sum, group) => sum + minute.counts[group.id], 0));
  const most = Math.max(1, ...totals);
  return (
    <div class="minutes" role="group" aria-label="Entries a minute, by level">
      {minutes.map((minute, i) => {
        const said = `${shortTime(minute.at, now)}: ${LEVEL_GROUPS.filter((g) => minute.counts[g.id] > 0).map((g) => `${count(minute.counts[g.id])} ${g.title.toLowerCase()}`).join(', ') || 'nothing'}`;
        return (
          <button key={minute.at} type="button" title={said} aria-label={said} onClick={() => change({ at: String(minute.at), row: undefined })}>
            {LEVEL_GROUPS.map((g) => (minute.counts[g.id] === 0 ? undefined : <i key={g.id} class={g.id} style={{ height: `${Math.max(1, Math.round((minute.counts[g.id] / most) * HEIGHT_PX))}px` }} />))}
            <span class="sr">{plural(totals[i] ?? 0, 'entry', 'entries')}</span>
          </button>
        );
      })}
      <p aria-hidden="true"><span>at most {count(most)} a minute</span><span>since {shortTime(minutes[0]?.at ?? now, now)}</span></p>
    </div>
  );
}
