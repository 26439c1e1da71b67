// Owns the landing page's request strip with its heading and axis.
import { useRef } from 'preact/hooks';
import type { Now } from '../../../shared/model.ts';
import { duration } from '../../../shared/units.ts';
import { Empty } from '../../parts/states.tsx';
import { Strip, StripFoot } from '../../parts/strip.tsx';
import { useWidth } from '../../parts/use-width.ts';
import { formatRange } from '../../range.ts';
import { go, Link, viewOf } from '../../router.tsx';
import { time, zone } from '../../words.ts';
import { Ago } from '../../parts/text.tsx';

export function Requests({ now }: { now: Now }) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const word = (span: { from: number; to: number }): string | undefined => formatRange({ kind: 'between', ...span });
  const span = { from: now.from, to: now.to };
  return (
    <section class="wide">
      <h2>Requests <small>per {now.stepMs === 1_000 ? 'second' : duration(now.stepMs)}, failures in front · {time(now.from)} to {time(now.to)}, {zone(now.to)}</small><Link to={viewOf('observe')}>Open in Observe</Link></h2>
      {now.requests.total === 0
        ? <Empty title="No requests in this window.">{now.requests.lastAt === undefined ? 'The HTTP log has no rows yet. On App Service, turn on web server logging to file and send a request.' : <>The last one was <Ago at={now.requests.lastAt} />.</>}</Empty>
        : <div class="strip" ref={box}>
          <Strip buckets={now.strip} stepMs={now.stepMs} span={span} changes={now.changes}
            onPick={(s) => go(viewOf('observe', { range: word({ from: s.from - 30_000, to: s.to + 30_000 }), part: 'requests' }))} onRange={(s) => go(viewOf('observe', { range: word(s) }))} />
          <StripFoot span={span} changes={now.changes} width={width > 0 ? width - 32 : 0} />
        </div>}
    </section>
  );
}
