// Owns the landing page's list of changes: starts, exits with codes, deployments, restarts.
import type { Now } from '../../../shared/model.ts';
import { duration } from '../../../shared/units.ts';
import { Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/text.tsx';
import { markOf } from '../../parts/marks.ts';
import { around, formatRange } from '../../range.ts';
import { Link, viewOf } from '../../router.tsx';

const SHOWN = 10;

export function Changes({ now }: { now: Now }) {
  const rows = [...now.changes].sort((a, b) => b.at - a.at);
  const oldest = rows[rows.length - 1];
  const reach = oldest && oldest.at < now.from ? now.to - oldest.at : now.to - now.from;
  return (
    <section>
      <h2>What changed <small>last {duration(Math.ceil(reach / 60_000) * 60_000)}</small><Link to={viewOf('observe', { part: 'changes', range: formatRange({ kind: 'last', forMs: 3_600_000 }) })}>Timeline</Link></h2>
      {rows.length === 0 ? <Empty title="Nothing changed.">No start, exit, deployment or restart was seen.</Empty> : <ul class="chg">
        {rows.slice(0, SHOWN).map((c) => <li key={c.id}>
          <Time at={c.at} form="short" /><i class={`mark ${markOf(c).form} t-${markOf(c).token}`} />
          <span title={c.title}><Link to={viewOf('observe', { range: formatRange(around(c.at)) })}>{c.title}</Link></span>{c.detail === undefined ? undefined : <small title={c.detail}>{c.detail}</small>}
        </li>)}
      </ul>}
    </section>
  );
}
